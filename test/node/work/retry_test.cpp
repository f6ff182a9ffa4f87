// Failures and losses, backoff, dead letters, cancelling and preempting.
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

TEST(Retry, FailuresAreCountedApartFromLosses) {
  Stand s;
  Spec spec = job();
  spec.terms.attempts_max = 2;
  spec.terms.losses_max = 3;
  const WorkId id = s.add(spec);
  s.expire(s.take("w1"));
  s.expire(s.take("w1"));
  s.fail(s.take("w1"));
  s.tick(600'000);
  EXPECT_EQ(s.item(id).losses, 2);
  EXPECT_EQ(s.item(id).failures, 1);
  s.release(s.take("w1"));
  EXPECT_EQ(s.state(id), State::ready) << "giving back is free";
  s.fail(s.take("w1"));
  EXPECT_EQ(s.state(id), State::dead);
}

TEST(Retry, TooManyLossesAreDeathToo) {
  Stand s;
  Spec spec = job();
  spec.terms.losses_max = 2;
  const WorkId id = s.add(spec);
  s.expire(s.take("w1"));
  EXPECT_EQ(s.state(id), State::ready) << "a loss waits for nothing";
  s.expire(s.take("w2"));
  EXPECT_EQ(s.state(id), State::dead);
}

TEST(Retry, WhatKillsItsOwnWatcherEachTimeIsLostAndDiesOfIt) {
  Stand s;
  Spec spec = job();
  spec.terms.losses_max = 2;
  const WorkId id = s.add(spec);
  const auto lose = [&](const Held& held) {
    Return work;
    work.hold = held.hold;
    work.delay_ms = 60'000;
    work.lost = true;
    return s.ask<Verdicts>(Release{node(held.worker), {work}}).works.at(0);
  };
  const Held first = s.take("w1");
  EXPECT_EQ(lose(first).state, State::delayed) << "not at once again";
  EXPECT_EQ(lose(first).outcome, Outcome::repeated);
  EXPECT_EQ(s.item(id).losses, 1);
  s.tick(60'000);
  EXPECT_EQ(lose(s.take("w1")).state, State::dead);
}

TEST(Retry, BacksOffExponentiallyWithinItsSpreadAndCap) {
  for (std::uint64_t skip = 0; skip < 20; ++skip) {
    Stand s;
    if (skip > 0) s.add(std::vector<Spec>(skip, job("other")));
    Spec spec = job();
    spec.terms.attempts_max = 10;
    spec.terms.backoff_base_ms = 1000;
    spec.terms.backoff_cap_ms = 10'000;
    const WorkId id = s.add(spec);
    for (const LogMs nominal : {1000, 2000, 4000, 8000, 10'000, 10'000}) {
      s.fail(s.take("w1", "kind.train"));
      ASSERT_EQ(s.state(id), State::delayed);
      const LogMs wait = s.item(id).due_ms - s.now_ms;
      EXPECT_GE(wait, nominal / 2);
      EXPECT_LT(wait, nominal * 3 / 2);
      s.tick(wait - 1);
      EXPECT_EQ(s.state(id), State::delayed);
      s.tick(1);
      EXPECT_EQ(s.state(id), State::ready);
    }
  }
}

TEST(Retry, WhatFailedTogetherDoesNotReturnTogether) {
  Stand s;
  s.add(std::vector<Spec>(50, job()));
  std::set<LogMs> due;
  for (const auto& held : s.claim("w1", 50)) {
    s.fail(held);
    due.insert(s.item(held.id()).due_ms);
  }
  EXPECT_GT(due.size(), 40U);
}

TEST(Retry, WhatIsNotRetryableDiesAtOnce) {
  Stand s;
  const WorkId id = s.add(job());
  EXPECT_EQ(s.fail(s.take("w1"), false).state, State::dead);
  EXPECT_EQ(s.item(id).failures, 1);
}

TEST(Retry, KeepsTheLastEightAttempts) {
  Stand s;
  Spec spec = job();
  spec.terms.attempts_max = 20;
  const WorkId id = s.add(spec);
  for (int i = 0; i < 10; ++i) {
    s.pass(5);
    s.fail(s.take("w1"), true, "try " + std::to_string(i));
    s.tick(900'000);
  }
  const auto view = find_work(s.queue, id);
  ASSERT_EQ(view->attempts.size(), kAttemptsKept);
  EXPECT_EQ(view->attempts.front().tail, "try 2");
  EXPECT_EQ(view->attempts.back().tail, "try 9");
  EXPECT_EQ(view->attempts.back().node, "w1");
  EXPECT_EQ(view->attempts.back().exit_code, 1);
  EXPECT_EQ(view->attempts.back().ending, Ending::failed);
}

TEST(DeadLetter, IsListedKickedAndPurged) {
  Stand s;
  const auto ids = s.add(std::vector<Spec>(3, job()));
  for (const auto& held : s.claim("w1", 2)) s.bury(held);
  WorkFilter filter;
  filter.state = State::dead;
  EXPECT_EQ(list_work(s.queue, filter, WorkId(), 10).size(), 2U);
  EXPECT_EQ(s.kick(ids[2]).outcome, Outcome::wrong_state);
  EXPECT_EQ(s.kick(ids[0]).state, State::ready);
  EXPECT_EQ(s.item(ids[0]).failures, 0) << "with fresh attempts";
  EXPECT_EQ(s.purge(ids[0]).outcome, Outcome::wrong_state);
  EXPECT_EQ(s.purge(ids[1]).outcome, Outcome::ok);
  EXPECT_EQ(s.ledger().count(State::dead), 0U);
  EXPECT_EQ(s.state(ids[1]), State::dead) << "in history";
  EXPECT_EQ(s.purge(ids[1]).outcome, Outcome::wrong_state);
  EXPECT_EQ(s.kick(WorkId(99)).outcome, Outcome::unknown);
}

TEST(DeadLetter, TheOldestGivesWayAndIsCounted) {
  Stand s;
  Settings settings;
  settings.dead_max = 2;
  s.configure(settings);
  const auto ids = s.add(std::vector<Spec>(3, job()));
  for (const auto& held : s.claim("w1", 3)) {
    s.pass(1);
    s.bury(held);
  }
  EXPECT_EQ(s.ledger().count(State::dead), 2U);
  EXPECT_EQ(s.ledger().dead_evicted, 1U);
  EXPECT_EQ(s.ledger().find(ids[0]), nullptr);
}

TEST(Cancel, EndsAtOnceWhatNobodyHolds) {
  Stand s;
  Spec late = job();
  late.delay_ms = 1000;
  const auto ids = s.add({job(), late});
  EXPECT_EQ(s.cancel(ids[0]).state, State::cancelled);
  EXPECT_EQ(s.cancel(ids[1]).state, State::cancelled);
  EXPECT_TRUE(s.claim("w1").empty());
  EXPECT_EQ(s.cancel(ids[0]).outcome, Outcome::wrong_state);
}

TEST(Cancel, WaitsForTheHolderAndAnyEndingWillDo) {
  for (int ending = 0; ending < 4; ++ending) {
    Stand s;
    const WorkId id = s.add(job());
    const Held held = s.take("w1");
    EXPECT_EQ(s.cancel(id).state, State::leased);
    EXPECT_EQ(s.cancel(id).outcome, Outcome::repeated);
    const Judged judged = ending == 0   ? s.fail(held)
                          : ending == 1 ? s.release(held)
                          : ending == 2 ? s.expire(held)
                                        : s.complete(held);
    EXPECT_EQ(judged.outcome, Outcome::ok);
    EXPECT_EQ(s.state(id), ending == 3 ? State::done : State::cancelled)
        << "what was finished in the meantime counts";
    EXPECT_TRUE(s.claim("w2").empty());
  }
}

TEST(Preempt, AsksTheHolderWhoReturnsItWithACheckpoint) {
  Stand s;
  const WorkId id = s.add(job());
  EXPECT_EQ(s.preempt(id).outcome, Outcome::wrong_state);
  const Held held = s.take("w1");
  EXPECT_EQ(s.preempt(id).outcome, Outcome::ok);
  EXPECT_TRUE(s.item(id).preempting);
  s.release(held, 0, "half");
  const Held again = s.take("w2");
  EXPECT_EQ(again.grant.checkpoint, "half");
  EXPECT_FALSE(s.item(id).preempting);
}

}  // namespace
}  // namespace riftbus::work
