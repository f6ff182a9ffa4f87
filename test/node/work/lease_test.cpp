// Leases on both sides: the leader's book and the worker's clock.
#include "config/random.h"
#include "node/work/lease_book.h"
#include "node/work/lease_clock.h"
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

constexpr Nanos kLease = Millis(600'000);
const TimePoint kStart{Seconds(1000)};

class BookTest : public testing::Test {
 protected:
  BookTest() { book_.begin(s_.queue, 1, now_); }
  std::vector<Held> claim(std::uint32_t max) {
    const Claimed claimed = s_.claim_raw("w1", ++request_, max);
    book_.applied(s_.queue, claimed, now_);
    std::vector<Held> held;
    for (const auto& grant : claimed.grants) held.push_back({{grant.id, claimed.fence}, "w1", {}});
    return held;
  }
  RenewedAnswer renew(const Held& held, const std::string& checkpoint = "") {
    return book_.renew(s_.queue, {node(held.worker), {{held.hold, 10, checkpoint}}}, now_).at(0);
  }
  // Proposes and applies what ran out; how many leases that was.
  std::size_t expire() {
    std::size_t count = 0;
    for (const auto& command : book_.expire(s_.queue, now_)) {
      count += command.works.size();
      book_.applied(s_.queue, s_.apply(command), now_);
    }
    return count;
  }

  Stand s_;
  LeaseBook book_;
  TimePoint now_ = kStart;
  std::uint64_t request_ = 0;
};

TEST_F(BookTest, ARenewedLeaseDoesNotEndAndASilentOneDoes) {
  const auto ids = s_.add({job(), job()});
  const auto held = claim(2);
  for (int i = 0; i < 20; ++i) {
    now_ += kLease / 5;
    EXPECT_EQ(i == 4 ? 0U : expire(), 0U);
    EXPECT_EQ(renew(held[0]).judged.outcome, Outcome::ok);
    EXPECT_EQ(i == 4 ? expire() : 1U, 1U);
  }
  EXPECT_EQ(s_.state(ids[0]), State::leased);
  EXPECT_EQ(s_.state(ids[1]), State::ready);
  EXPECT_EQ(s_.item(ids[1]).losses, 1);
}

TEST_F(BookTest, ANewLeaderGivesEveryLeaseItsWholeLength) {
  s_.add(job());
  claim(1);
  now_ += kLease - Nanos(1);
  LeaseBook successor;
  EXPECT_FALSE(successor.is_open());
  successor.begin(s_.queue, 2, now_);
  EXPECT_EQ(successor.next_deadline(), now_ + kLease);
  now_ += kLease - Nanos(1);
  EXPECT_TRUE(successor.expire(s_.queue, now_).empty());
  now_ += Nanos(1);
  const auto commands = successor.expire(s_.queue, now_);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].term, 2U);
}

TEST_F(BookTest, RefusesRenewalsOfWhatItProposedToEnd) {
  s_.add(job());
  const auto held = claim(1);
  now_ += kLease;
  const auto commands = book_.expire(s_.queue, now_);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(renew(held[0]).judged.outcome, Outcome::stale) << "the entry is on its way";
  EXPECT_TRUE(book_.expire(s_.queue, now_).empty()) << "it is proposed once";
  s_.apply(commands[0]);
  EXPECT_EQ(renew(held[0]).judged.outcome, Outcome::stale);
}

TEST_F(BookTest, AStaleOrForeignRenewalChangesNothing) {
  s_.add(job());
  const auto held = claim(1);
  now_ += kLease / 2;
  Held wrong = held[0];
  wrong.hold.fence = wrong.hold.fence.next();
  EXPECT_EQ(renew(wrong).judged.outcome, Outcome::stale);
  wrong = held[0];
  wrong.worker = "w9";
  EXPECT_EQ(renew(wrong).judged.outcome, Outcome::stale);
  wrong.hold.id = WorkId(99);
  EXPECT_EQ(renew(wrong).judged.outcome, Outcome::unknown);
  EXPECT_EQ(book_.next_deadline(), kStart + kLease);
}

TEST_F(BookTest, AnEndInOrderIsForgotten) {
  s_.add(std::vector<Spec>(10, job()));
  for (const auto& held : claim(10)) {
    const Reply reply = s_.apply(Complete{node("w1"), {{held.hold, ""}}});
    book_.applied(s_.queue, reply, now_);
  }
  EXPECT_EQ(book_.size(), 0U);
  EXPECT_EQ(book_.next_deadline(), TimePoint::max());
}

TEST_F(BookTest, ARepeatedClaimIsNoRenewal) {
  s_.add(job());
  claim(1);
  now_ += kLease / 2;
  book_.applied(s_.queue, s_.claim_raw("w1", 1), now_);
  EXPECT_EQ(book_.next_deadline(), kStart + kLease);
}

TEST_F(BookTest, CancelAndPreemptRideOnTheAnswer) {
  const auto ids = s_.add({job(), job(), job()});
  const auto held = claim(3);
  s_.cancel(ids[0]);
  s_.preempt(ids[1]);
  EXPECT_EQ(renew(held[0]).order, Order::cancel);
  EXPECT_EQ(renew(held[1]).order, Order::preempt);
  EXPECT_EQ(renew(held[2]).order, Order::go_on);
}

TEST_F(BookTest, AGangIsToldToWaitAndThenToGoOn) {
  Spec spec = job();
  spec.gang = 1;
  s_.add({spec, spec});
  const auto first = claim(1);
  EXPECT_EQ(renew(first[0]).order, Order::wait);
  claim(1);
  EXPECT_EQ(renew(first[0]).order, Order::go_on);
}

TEST_F(BookTest, TheLastCheckpointThatItHeardGoesToTheNextAttempt) {
  s_.add(job());
  const auto held = claim(1);
  renew(held[0], "step 1");
  renew(held[0]);
  now_ += kLease;
  EXPECT_EQ(expire(), 1U);
  const Held next = s_.take("w2");
  EXPECT_EQ(next.grant.checkpoint, "step 1");
  EXPECT_EQ(next.grant.percent, 10);
}

TEST_F(BookTest, WhatTheLogHasLearntSinceIsNotOverwrittenByAnOlderRenewal) {
  s_.add(job());
  const auto held = claim(1);
  renew(held[0], "step 1");
  s_.apply(Note{node("w1"), {{held[0].hold, 0, 40, "step 2"}}});
  renew(held[0]);
  now_ += kLease;
  EXPECT_EQ(expire(), 1U);
  const Held next = s_.take("w2");
  EXPECT_EQ(next.grant.checkpoint, "step 2");
  EXPECT_EQ(next.grant.percent, 40);
}

TEST_F(BookTest, WhatWasRenewedAfterANoteIsNewerThanThat) {
  s_.add(job());
  const auto held = claim(1);
  s_.apply(Note{node("w1"), {{held[0].hold, 0, 40, "step 2"}}});
  renew(held[0], "step 3");
  renew(held[0]);
  now_ += kLease;
  EXPECT_EQ(expire(), 1U);
  EXPECT_EQ(s_.take("w2").grant.checkpoint, "step 3");
}

TEST_F(BookTest, EvidenceEndsLeasesEarlyButDeathOnlyThoseThatMayOverlap) {
  Spec overlap = job();
  overlap.terms.overlap_ok = true;
  s_.add({job(), overlap});
  claim(2);
  auto commands = book_.expire_worker(s_.queue, node("w1"), Lapse::dead);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].works.size(), 1U);
  commands = book_.expire_worker(s_.queue, node("w1"), Lapse::left);
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].works.size(), 1U);
  EXPECT_TRUE(book_.expire_worker(s_.queue, node("nobody"), Lapse::left).empty());
}

TEST_F(BookTest, LeasesThatEndTogetherWithFullCheckpointsAreSaidInCommandsThatFitIntoTheLog) {
  constexpr std::uint32_t kLeases = 200;
  s_.add(std::vector<Spec>(kLeases, job()));
  const std::string checkpoint(kCheckpointBytesMax, 'c');
  const auto held = claim(kLeases);
  ASSERT_EQ(held.size(), kLeases);
  for (const auto& each : held) renew(each, checkpoint);
  LeaseBook other = book_;  // evidence about the worker ends them as well
  now_ += kLease;
  for (const auto& commands : {book_.expire(s_.queue, now_),
                               other.expire_worker(s_.queue, node("w1"), Lapse::superseded)}) {
    std::size_t works = 0;
    for (const auto& command : commands) {
      EXPECT_LE(encode(Command(command)).size(), kCommandBytesAim);
      works += command.works.size();
    }
    EXPECT_EQ(works, kLeases);
  }
}

class ClockTest : public testing::Test {
 protected:
  static constexpr Nanos kTerm = Seconds(100);
  static constexpr Nanos kGrace = Seconds(10);
  static constexpr Nanos kSure = Seconds(85);  // 100 - 5 % - 10
  LeaseClock clock_{kTerm, kGrace, kStart};
};

TEST_F(ClockTest, CountsFromTheFirstTryOfTheClaim) {
  EXPECT_EQ(clock_.stop_at(), kStart + kSure);
  EXPECT_FALSE(clock_.is_over(kStart + kSure - Nanos(1)));
  EXPECT_TRUE(clock_.is_over(kStart + kSure));
}

TEST_F(ClockTest, AnAnswerCountsFromTheFirstTryOfItsRequest) {
  clock_.sent(1, kStart + Seconds(20));
  clock_.sent(1, kStart + Seconds(30));
  EXPECT_EQ(clock_.stop_at(), kStart + kSure) << "not before it is answered";
  clock_.acknowledged(1);
  EXPECT_EQ(clock_.stop_at(), kStart + Seconds(20) + kSure);
  clock_.sent(1, kStart + Seconds(50));
  clock_.acknowledged(1);
  EXPECT_EQ(clock_.stop_at(), kStart + Seconds(20) + kSure) << "a repeat makes nothing young";
}

TEST_F(ClockTest, LateAnswersDoNotTakeBack) {
  clock_.sent(1, kStart + Seconds(20));
  clock_.sent(2, kStart + Seconds(40));
  clock_.acknowledged(2);
  clock_.acknowledged(1);
  clock_.acknowledged(77);
  EXPECT_EQ(clock_.stop_at(), kStart + Seconds(40) + kSure);
}

TEST_F(ClockTest, ARefusalStopsAtOnce) {
  clock_.sent(1, kStart + Seconds(20));
  clock_.refused(kStart + Seconds(21));
  EXPECT_TRUE(clock_.is_over(kStart + Seconds(21)));
  clock_.acknowledged(1);
  EXPECT_TRUE(clock_.is_over(kStart + Seconds(21)));
}

TEST_F(ClockTest, RenewsSixTimesPerLease) {
  EXPECT_EQ(clock_.renew_at(), kStart + kTerm / 6);
  clock_.sent(1, kStart + Seconds(20));
  EXPECT_EQ(clock_.renew_at(), kStart + Seconds(20) + kTerm / 6);
}

TEST_F(ClockTest, RemembersABoundedNumberOfOpenRenewals) {
  for (std::uint64_t i = 1; i <= 100; ++i) clock_.sent(i, kStart + Millis(i));
  clock_.acknowledged(1);
  EXPECT_EQ(clock_.stop_at(), kStart + kSure) << "forgotten, and so worth nothing";
  clock_.acknowledged(100);
  EXPECT_EQ(clock_.stop_at(), kStart + Millis(100) + kSure);
}

TEST(Leases, AWorkerHasStoppedBeforeTheLeaderMayGrantAgain) {
  // Clocks that differ by 4 %, renewals that are delayed, repeated and lost at random.
  Random random(11);
  for (int run = 0; run < 300; ++run) {
    const double rate = 0.96 + 0.08 * random.unit();  // of the worker's clock
    const auto worker_time = [&](Nanos real) {
      return TimePoint(Nanos(static_cast<std::int64_t>(static_cast<double>(real.count()) * rate)));
    };
    Nanos real = Seconds(1);
    LeaseClock clock(Seconds(100), Seconds(10), worker_time(real));
    real += Millis(random.between(0, 5000));
    Nanos leader_end = real + Seconds(100);  // counted from when the claim was applied
    for (std::uint64_t request = 1; request <= 20; ++request) {
      real += Millis(random.between(1000, 30'000));
      if (clock.is_over(worker_time(real)) || real >= leader_end) break;
      clock.sent(request, worker_time(real));
      if (random.chance(0.3)) continue;  // the request is lost
      real += Millis(random.between(0, 8000));
      if (real >= leader_end) break;
      leader_end = real + Seconds(100);
      if (random.chance(0.3)) continue;  // the answer is lost
      clock.acknowledged(request);
    }
    const double stop =
        static_cast<double>((clock.stop_at() + Seconds(10)).time_since_epoch().count());
    EXPECT_LE(stop / rate, static_cast<double>(leader_end.count())) << "run " << run;
  }
}

}  // namespace
}  // namespace riftbus::work
