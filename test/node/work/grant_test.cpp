// Claims, fences, and what happens when a reply is lost.
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

TEST(Grant, GivesReadyWorkAndNeverTwice) {
  Stand s;
  const WorkId id = s.add(job());
  EXPECT_EQ(s.state(id), State::ready);
  const Held held = s.take("w1");
  EXPECT_EQ(held.id(), id);
  EXPECT_EQ(s.state(id), State::leased);
  EXPECT_TRUE(s.claim("w2").empty());
  EXPECT_EQ(s.complete(held).outcome, Outcome::ok);
  EXPECT_EQ(s.state(id), State::done);
  EXPECT_TRUE(s.claim("w2").empty());
}

TEST(Grant, FenceIsTheIndexOfTheLogEntryUnderTheGeneration) {
  Stand s;
  s.add(job());
  EXPECT_EQ(s.take("w1").hold.fence, Fence(2));
  EXPECT_EQ(s.ask<Verdicts>(Recover{3}).outcome, Outcome::ok);
  s.add(job());
  EXPECT_EQ(s.take("w1").hold.fence, Fence((3ULL << 48U) | 5));
  EXPECT_EQ(s.ask<Verdicts>(Recover{2}).outcome, Outcome::stale);
  EXPECT_EQ(s.ask<Verdicts>(Recover{3}).outcome, Outcome::repeated);
}

TEST(Grant, OneClaimTakesManyUnderOneFence) {
  Stand s;
  s.add(std::vector<Spec>(10, job()));
  const auto held = s.claim("w1", 4);
  ASSERT_EQ(held.size(), 4U);
  for (const auto& h : held) EXPECT_EQ(h.hold.fence, held[0].hold.fence);
  EXPECT_EQ(s.claim("w2", 100).size(), 6U);
}

TEST(Grant, ARepeatedClaimGetsTheSameAnswer) {
  Stand s;
  s.add(std::vector<Spec>(4, job()));
  const Claimed first = s.claim_raw("w1", 1, 2);
  s.claim_raw("w2", 1, 1);
  const Claimed again = s.claim_raw("w1", 1, 2);
  EXPECT_EQ(first, again);
  EXPECT_EQ(s.ledger().count(State::leased), 3U);
  EXPECT_EQ(s.claim_raw("w1", 2, 1).grants.size(), 1U);
  EXPECT_EQ(s.claim_raw("w1", 1, 2), first) << "also after a newer one";
}

TEST(Grant, ARepeatedClaimSaysWhatIsNoLongerHeld) {
  Stand s;
  const auto ids = s.add(std::vector<Spec>(2, job()));
  const Claimed first = s.claim_raw("w1", 1, 2);
  s.expire({{ids[0], first.fence}, "w1", {}});
  const Claimed again = s.claim_raw("w1", 1, 2);
  EXPECT_EQ(again.fence, first.fence);
  ASSERT_EQ(again.grants.size(), 2U);
  EXPECT_EQ(again.grants[0].id, ids[0]);
  EXPECT_FALSE(again.grants[0].held);
  EXPECT_TRUE(again.grants[1].held);
}

TEST(Grant, AnEmptyAnswerIsRepeatedToo) {
  Stand s;
  EXPECT_TRUE(s.claim_raw("w1", 1).grants.empty());
  s.add(job());
  EXPECT_TRUE(s.claim_raw("w1", 1).grants.empty()) << "the reply may have been read";
  EXPECT_EQ(s.claim_raw("w1", 2).grants.size(), 1U);
}

TEST(Grant, RefusesRequestsOlderThanItRemembers) {
  Stand s;
  for (std::uint64_t request = 1; request <= kAnswersKept + 1; ++request) {
    s.claim_raw("w1", request);
  }
  s.add(job());
  EXPECT_EQ(s.claim_raw("w1", 1).outcome, Outcome::old_request);
  EXPECT_EQ(s.ledger().count(State::leased), 0U);
}

TEST(Grant, ANewInstanceMustAttachAndTheOldOneIsRefused) {
  Stand s;
  const auto ids = s.add(std::vector<Spec>(3, job()));
  const Claimed first = s.claim_raw("w1", 1, 2, "cpus=64", 1);
  EXPECT_EQ(s.claim_raw("w1", 1, 1, "cpus=64", 2).outcome, Outcome::superseded);
  // It still runs the first of the two; the other is lost at once.
  const Attach attach{node("w1"), Instance(2), {{ids[0], first.fence}}, false, Instance(1)};
  const auto verdicts = s.ask<Verdicts>(attach);
  EXPECT_EQ(verdicts.works.at(0).outcome, Outcome::ok);
  EXPECT_EQ(s.state(ids[1]), State::ready);
  EXPECT_EQ(s.item(ids[1]).losses, 1);
  EXPECT_EQ(s.claim_raw("w1", 2, 1, "cpus=64", 1).outcome, Outcome::superseded);
  EXPECT_EQ(s.claim_raw("w1", 1, 1, "cpus=64", 2).grants.size(), 1U) << "its count begins anew";
  const Attach stale{node("w1"), Instance(1), {}, false};
  EXPECT_EQ(s.ask<Verdicts>(stale).outcome, Outcome::superseded);
  EXPECT_EQ(s.complete({{ids[0], first.fence}, "w1", {}}).outcome, Outcome::ok);
}

TEST(Grant, AnAttachOfAFormerLifeThatArrivesLateReplacesNobody) {
  Stand s;
  s.ask<Verdicts>(Attach{node("w1"), Instance(1), {}, false});
  // Life 9 asked first, then died; its question is stuck on its way.
  const auto first = s.ask<Verdicts>(Attach{node("w1"), Instance(2), {}, false});
  EXPECT_EQ(first.outcome, Outcome::superseded) << "it does not know whom it replaces";
  EXPECT_EQ(first.holder, Instance(1));
  s.ask<Verdicts>(Attach{node("w1"), Instance(2), {}, false, Instance(1)});
  const auto late = s.ask<Verdicts>(Attach{node("w1"), Instance(9), {}, false, Instance(1)});
  EXPECT_EQ(late.outcome, Outcome::superseded);
  EXPECT_EQ(late.holder, Instance(2));
  s.add(job());
  EXPECT_EQ(s.claim_raw("w1", 1, 1, "cpus=64", 2).grants.size(), 1U);
}

TEST(Grant, AnAttachThatArrivesAgainLateEndsNothingThatWasGrantedSince) {
  Stand s;
  const auto ids = s.add(std::vector<Spec>(1, job()));
  const Attach attach{node("w1"), Instance(1), {}, false};
  s.ask<Verdicts>(attach);
  s.claim("w1", 1);
  EXPECT_EQ(s.ask<Verdicts>(attach).outcome, Outcome::ok);
  EXPECT_EQ(s.state(ids[0]), State::leased);
}

TEST(Grant, AWorkerThatLeavesGivesEverythingBackForNothing) {
  Stand s;
  const auto ids = s.add(std::vector<Spec>(2, job()));
  s.claim("w1", 2);
  EXPECT_EQ(s.ask<Verdicts>(Attach{node("w1"), Instance(9), {}, true}).outcome, Outcome::superseded)
      << "only its own instance says goodbye";
  s.ask<Verdicts>(Attach{node("w1"), Instance(1), {}, true});
  for (const WorkId id : ids) {
    EXPECT_EQ(s.state(id), State::ready);
    EXPECT_EQ(s.item(id).losses, 0);
  }
}

enum class Verb { complete, fail, bury, release };

Judged say(Stand& s, Verb verb, const Held& held) {
  switch (verb) {
    case Verb::complete:
      return s.complete(held);
    case Verb::fail:
      return s.fail(held);
    case Verb::bury:
      return s.bury(held);
    default:
      return s.release(held);
  }
}

class FenceTest : public testing::TestWithParam<Verb> {};

TEST_P(FenceTest, IsNeededAndMustBeTheItemsOwn) {
  Stand s;
  const WorkId id = s.add(job());
  const Held held = s.take("w1");
  s.claim("w2");
  Held wrong = held;
  wrong.hold.fence = held.hold.fence.next();
  EXPECT_EQ(say(s, GetParam(), wrong).outcome, Outcome::stale);
  wrong = held;
  wrong.worker = "w2";
  EXPECT_EQ(say(s, GetParam(), wrong).outcome, Outcome::stale) << "a foreign worker";
  wrong.worker = "nobody";
  EXPECT_EQ(say(s, GetParam(), wrong).outcome, Outcome::stale) << "an unknown worker";
  wrong = held;
  wrong.hold.id = WorkId(77);
  EXPECT_EQ(say(s, GetParam(), wrong).outcome, Outcome::unknown);
  EXPECT_EQ(s.state(id), State::leased);
  EXPECT_EQ(say(s, GetParam(), held).outcome, Outcome::ok);
  EXPECT_EQ(say(s, GetParam(), held).outcome, Outcome::repeated) << "its reply was lost";
}

TEST_P(FenceTest, IsStaleOnceTheLeaseLapsedAndAnotherHasIt) {
  Stand s;
  const WorkId id = s.add(job());
  const Held old = s.take("w1");
  EXPECT_EQ(s.expire(old).outcome, Outcome::ok);
  const Held held = s.take("w2");
  const Judged late = say(s, GetParam(), old);
  EXPECT_EQ(late.outcome, Outcome::stale);
  EXPECT_EQ(late.state, State::leased) << "the answer says how it stands";
  EXPECT_EQ(s.item(id).fence, held.hold.fence) << "the new holder is unaffected";
  EXPECT_EQ(s.complete(held).outcome, Outcome::ok);
  EXPECT_EQ(say(s, GetParam(), old).outcome, Outcome::stale);
}

INSTANTIATE_TEST_SUITE_P(EveryEnding, FenceTest,
                         testing::Values(Verb::complete, Verb::fail, Verb::bury, Verb::release));

TEST(Grant, AReportThatIsRepeatedAfterItsItemWentOnIsRecognised) {
  Stand s;
  s.add(job());
  const Held given_back = s.take("w1");
  s.release(given_back);
  const Held failed = s.take("w2");
  s.fail(failed);
  s.tick(600'000);
  EXPECT_EQ(s.release(given_back).outcome, Outcome::repeated) << "another grant ended since";
  s.complete(s.take("w3"));
  EXPECT_EQ(s.release(given_back).outcome, Outcome::repeated) << "and its item is done";
  EXPECT_EQ(s.release(given_back).state, State::done);
  EXPECT_EQ(s.fail(failed).outcome, Outcome::repeated);
  EXPECT_EQ(s.fail(given_back).outcome, Outcome::stale) << "it said something else then";
  EXPECT_EQ(s.release({given_back.hold, "w2", {}}).outcome, Outcome::stale);
}

TEST(Grant, AReportThatLetACancelledItemGoIsRecognised) {
  Stand s;
  const WorkId id = s.add(job());
  const Held held = s.take("w1");
  s.cancel(id);
  EXPECT_EQ(s.release(held).state, State::cancelled);
  EXPECT_EQ(s.release(held).outcome, Outcome::repeated);
}

TEST(Grant, OfEndedGrantsTheOldestAreForgotten) {
  PastEnds ends;
  const auto end_of = [](std::uint64_t number) {
    return PastEnd{{WorkId(7), Fence(number)}, 1, Ending::released};
  };
  for (std::uint64_t number = 1; number <= kEndsKept + 1; ++number) {
    ASSERT_TRUE(ends.add(end_of(number)));
  }
  EXPECT_EQ(ends.size(), kEndsKept);
  EXPECT_FALSE(ends.knows(end_of(1).hold, 1, Ending::released));
  EXPECT_TRUE(ends.knows(end_of(2).hold, 1, Ending::released));
  EXPECT_FALSE(ends.add(end_of(2)));
}

TEST(Grant, ALateResultIsKeptAsAnOrphanAndNotApplied) {
  Stand s;
  const WorkId id = s.add(job());
  const Held old = s.take("w1");
  s.expire(old);
  EXPECT_EQ(s.complete(old, "late").outcome, Outcome::stale);
  EXPECT_EQ(s.state(id), State::ready);
  ASSERT_EQ(s.ledger().orphans.size(), 1U);
  EXPECT_EQ(s.ledger().orphans[0].result, "late");
}

TEST(Grant, ExpiryNeedsTheFenceAndTheTermOfTheOneWhoJudged) {
  Stand s;
  const WorkId id = s.add(job());
  const Held held = s.take("w1");
  s.term = 5;
  const Expire old{4, Lapse::silence, {{held.hold, 0, 0, ""}}};
  EXPECT_EQ(s.ask<Verdicts>(old).outcome, Outcome::stale);
  Held wrong = held;
  wrong.hold.fence = Fence(1);
  EXPECT_EQ(s.expire(wrong).outcome, Outcome::stale);
  EXPECT_EQ(s.state(id), State::leased);
  EXPECT_EQ(s.expire(held).outcome, Outcome::ok);
  EXPECT_EQ(s.item(id).losses, 1);
  EXPECT_EQ(s.expire(held).outcome, Outcome::repeated);
  EXPECT_EQ(s.item(id).losses, 1);
}

TEST(Grant, DeathOfTheHolderEndsOnlyWhatMayOverlap) {
  Stand s;
  Spec overlap = job();
  overlap.terms.overlap_ok = true;
  const auto ids = s.add({job(), overlap});
  const auto held = s.claim("w1", 2);
  EXPECT_EQ(s.expire(held[0], Lapse::dead).outcome, Outcome::wrong_state);
  EXPECT_EQ(s.expire(held[1], Lapse::dead).outcome, Outcome::ok);
  EXPECT_EQ(s.state(ids[0]), State::leased);
}

TEST(Grant, BringsThePayloadTheTermsAndTheCheckpointOfTheLastAttempt) {
  Stand s;
  Spec spec = job("hash");
  spec.payload = std::string("a\0b", 3);
  spec.terms.timeout_ms = 77;
  s.add(spec);
  const Held first = s.take("w1");
  EXPECT_EQ(first.grant.kind, "hash");
  EXPECT_EQ(first.grant.payload, spec.payload);
  EXPECT_EQ(first.grant.terms, spec.terms);
  EXPECT_EQ(first.grant.attempt, 1);
  s.ask<Verdicts>(Note{node("w1"), {{first.hold, 0, 40, "step 4"}}});
  s.expire(first);
  const Held second = s.take("w2");
  EXPECT_EQ(second.grant.attempt, 2);
  EXPECT_EQ(second.grant.percent, 40);
  EXPECT_EQ(second.grant.checkpoint, "step 4");
  s.ask<Verdicts>(Expire{1, Lapse::silence, {{second.hold, 0, 60, "step 6"}}});
  const Held third = s.take("w1");
  EXPECT_EQ(third.grant.checkpoint, "step 6") << "what the leader heard last";
  s.release(third, 0, "step 7");
  EXPECT_EQ(s.take("w1").grant.checkpoint, "step 7");
}

TEST(Grant, StopsBeforeAnAnswerIsTooLargeForAMessage) {
  Stand s;
  Spec large = job();
  large.payload = std::string(kPayloadBytesMax, 'x');
  for (int i = 0; i < 12; ++i) s.add(large);
  const auto held = s.claim("w1", 12);
  EXPECT_EQ(held.size(), 4U);
  EXPECT_EQ(s.claim("w1", 12).size(), 4U);
}

}  // namespace
}  // namespace riftbus::work
