// When work is renewed, and when it must be let go.
#include <set>
#include <utility>

#include "test/node/jobs/bench.h"

namespace riftbus::jobs {
namespace {

constexpr auto kStopAfterMs = Bench::kLeaseMs * 95 / 100 - Bench::kGraceMs;

TEST(Lease, BeginsWithTheFirstTryOfTheClaimAndNotWithItsAnswer) {
  Bench bench;
  bench.settle();
  const auto claimed_ms = bench.now_ms;
  bench.step(Unanswered{bench.asked<work::Claim>().ticket});
  bench.pass(2000);
  bench.now_ms += 3000;
  bench.answer(bench.asked<work::Claim>(),
               work::Claimed{work::Outcome::ok, work::Fence(9), {Bench::grant(1)}});
  const auto starts = bench.got<Start>();
  ASSERT_EQ(starts.size(), 1U);
  EXPECT_EQ(starts[0].stop_at, at_ms(claimed_ms + kStopAfterMs));
}

TEST(Lease, AnAcknowledgedRenewalCountsFromWhenItWasSent) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.pass(17'000);
  const auto renews = bench.got<Renew>();
  ASSERT_EQ(renews.size(), 1U);
  const auto sent_ms = bench.now_ms;
  bench.now_ms += 4000;
  bench.renewed(renews[0], work::Outcome::ok);
  const auto extends = bench.got<Extend>();
  ASSERT_EQ(extends.size(), 1U);
  EXPECT_EQ(extends[0].stop_at, at_ms(sent_ms + kStopAfterMs));
}

TEST(Lease, AnAnswerNamesItsOwnRenewalAndNoYoungerOne) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.pass(17'000);
  const auto first = bench.got<Renew>().at(0);
  const auto sent_ms = bench.now_ms;
  bench.pass(20'000);
  ASSERT_EQ(bench.got<Renew>().size(), 1U);
  bench.renewed(first, work::Outcome::ok);
  EXPECT_EQ(bench.got<Extend>().at(0).stop_at, at_ms(sent_ms + kStopAfterMs));
}

TEST(Lease, ARepeatedAnswerExtendsNothing) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.pass(17'000);
  const auto renew = bench.got<Renew>().at(0);
  bench.renewed(renew, work::Outcome::ok);
  bench.now_ms += 5000;
  bench.renewed(renew, work::Outcome::ok);
  EXPECT_TRUE(bench.got<Extend>().empty());
}

// What is cancelled is told by the answer: nobody waits for that as long as for a lease.
TEST(Lease, EverythingHeldIsRenewedInOneMessageEveryFiveSeconds) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.run(2, "long");
  const auto begun_ms = bench.now_ms;
  bench.pass_by_deadlines(begun_ms + 4'999);
  EXPECT_TRUE(bench.got<Renew>().empty());
  for (int i = 1; i <= 3; ++i) {
    bench.pass_by_deadlines(begun_ms + i * 5'000);
    const auto renews = bench.got<Renew>();
    ASSERT_EQ(renews.size(), 1U);
    EXPECT_EQ(renews[0].renewal.works.size(), 2U);
    bench.renewed(renews[0], work::Outcome::ok);
  }
}

TEST(Lease, AShortLeaseIsRenewedEverySixthOfIt) {
  Bench bench;
  bench.settle();
  bench.run(1);
  if (bench.find_ask<work::Claim>() == nullptr) bench.pass(5000);
  auto brief = Bench::grant(2);
  brief.terms.lease_ms = 10'000;
  bench.answer(bench.asked<work::Claim>(),
               work::Claimed{work::Outcome::ok, Bench::hold(2).fence, {brief}});
  bench.step(Started{Bench::hold(2)});
  const auto begun_ms = bench.now_ms;
  bench.pass_by_deadlines(begun_ms + 1'666);
  EXPECT_TRUE(bench.got<Renew>().empty());
  bench.pass_by_deadlines(begun_ms + 1'667);
  const auto renews = bench.got<Renew>();
  ASSERT_EQ(renews.size(), 1U);
  EXPECT_EQ(renews[0].renewal.works.size(), 2U);
  EXPECT_EQ(renews[0].renewal.worker, node_id("w1"));
}

TEST(Lease, ARenewalWithoutAnAnswerIsSoonTriedAgain) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.pass(17'000);
  bench.step(Unanswered{bench.got<Renew>().at(0).ticket});
  const auto lost_ms = bench.now_ms;
  bench.pass_by_deadlines(lost_ms + 500);
  EXPECT_EQ(bench.got<Renew>().size(), 1U);
}

TEST(Lease, UnrenewedWorkIsStoppedBeforeTheLeaseIsOverAndNotBefore) {
  Bench bench;
  bench.settle();
  const auto claimed_ms = bench.now_ms;
  bench.run(1);
  bench.pass_by_deadlines(claimed_ms + kStopAfterMs - 1);
  EXPECT_TRUE(bench.got<Stop>().empty());
  bench.pass_by_deadlines(claimed_ms + kStopAfterMs);
  const auto stops = bench.got<Stop>();
  ASSERT_EQ(stops.size(), 1U);
  EXPECT_EQ(stops[0].cause, Cause::lease);
  EXPECT_EQ(stops[0].hold, Bench::hold(1));
}

TEST(Lease, WorkStoppedForItsLeaseIsGivenBackWithItsCheckpointAndIsNotAFailure) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.pass(kStopAfterMs);
  Exit exit{Cause::lease, true, 0, 15, "tail", "", "half", 50};
  bench.step(Ended{Bench::hold(1), exit});
  const auto ask = bench.asked<work::Release>();
  const auto& works = std::get<work::Release>(ask.command).works;
  ASSERT_EQ(works.size(), 1U);
  EXPECT_EQ(works[0].checkpoint, "half");
  EXPECT_EQ(works[0].percent, 50);
}

TEST(Lease, AGrantThatArrivesTooLateIsNotStartedButGivenBack) {
  Bench bench;
  bench.settle();
  const auto claim = bench.asked<work::Claim>();
  bench.now_ms += kStopAfterMs;
  bench.answer(claim, work::Claimed{work::Outcome::ok, work::Fence(9), {Bench::grant(1)}});
  EXPECT_TRUE(bench.got<Start>().empty());
  EXPECT_NE(bench.find_ask<work::Release>(), nullptr);
}

TEST(Lease, WorkThatIsNoLongerOursIsStoppedAtOnceAndNeverReported) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.pass(17'000);
  bench.renewed(bench.got<Renew>().at(0), work::Outcome::stale);
  const auto stops = bench.got<Stop>();
  ASSERT_EQ(stops.size(), 1U);
  EXPECT_EQ(stops[0].cause, Cause::stale);
  bench.step(Ended{Bench::hold(1), {Cause::stale, true, 0, 9, "", "", "", 0}});
  EXPECT_EQ(bench.find_ask<work::Release>(), nullptr);
  EXPECT_EQ(bench.find_ask<work::Fail>(), nullptr);
  EXPECT_EQ(bench.got<Discard>().size(), 1U);
}

TEST(Lease, WhatRunsWithoutALeaseIsNotOffered) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.pass(17'000);
  bench.renewed(bench.got<Renew>().at(0), work::Outcome::stale);
  EXPECT_EQ(*bench.core.offer().find_amount("cpus"), 3000);
  bench.step(Ended{Bench::hold(1), {Cause::stale, true, 0, 9, "", "", "", 0}});
  EXPECT_EQ(*bench.core.offer().find_amount("cpus"), 4000);
}

TEST(Lease, AKindThatMayFinishIsNeverStoppedAndItsResultIsOfferedForTheRecord) {
  Bench bench;
  bench.settle();
  bench.run(1, "long");
  bench.pass_by_deadlines(bench.now_ms + 3 * Bench::kLeaseMs);
  EXPECT_TRUE(bench.got<Stop>().empty());
  const auto renews = bench.got<Renew>();
  ASSERT_FALSE(renews.empty());
  bench.renewed(renews.back(), work::Outcome::stale);
  EXPECT_TRUE(bench.got<Stop>().empty());
  bench.step(Ended{Bench::hold(1), {Cause::itself, true, 0, 0, "", "late", "", 100}});
  const auto ask = bench.asked<work::Complete>();
  EXPECT_EQ(std::get<work::Complete>(ask.command).works.at(0).result, "late");
  bench.verdict(ask, work::WorkId(1), work::Outcome::stale);
  EXPECT_EQ(bench.got<Discard>().size(), 1U);
}

TEST(Lease, LostWorkIsNotRenewed) {
  Bench bench;
  bench.settle();
  bench.run(1, "long");
  bench.pass(17'000);
  bench.renewed(bench.got<Renew>().at(0), work::Outcome::stale);
  bench.pass(60'000);
  EXPECT_TRUE(bench.got<Renew>().empty());
}

TEST(Lease, CancelAndPreemptRideOnTheAnswer) {
  for (const auto& [order, cause] : {std::pair{work::Order::cancel, Cause::cancel},
                                     std::pair{work::Order::preempt, Cause::preempt}}) {
    Bench bench;
    bench.settle();
    bench.run(1);
    bench.pass(17'000);
    bench.renewed(bench.got<Renew>().at(0), work::Outcome::ok, order);
    const auto stops = bench.got<Stop>();
    ASSERT_EQ(stops.size(), 1U);
    EXPECT_EQ(stops[0].cause, cause);
    // A program that ends well when asked to end has not done its work.
    bench.step(Ended{Bench::hold(1), {Cause::itself, true, 0, 0, "", "", "kept", 30}});
    EXPECT_EQ(bench.find_ask<work::Complete>(), nullptr);
    const auto release = bench.asked<work::Release>();
    EXPECT_EQ(std::get<work::Release>(release.command).works.at(0).checkpoint, "kept");
  }
}

TEST(Lease, AGangsMemberWaitsUntilTheGangIsComplete) {
  Bench bench;
  bench.settle();
  auto grant = Bench::grant(1);
  grant.hold = true;
  bench.answer(bench.asked<work::Claim>(),
               work::Claimed{work::Outcome::ok, Bench::hold(1).fence, {grant}});
  EXPECT_TRUE(bench.got<Start>().empty());
  bench.pass(17'000);
  bench.renewed(bench.got<Renew>().at(0), work::Outcome::ok, work::Order::wait);
  EXPECT_TRUE(bench.got<Start>().empty());
  bench.pass(17'000);
  bench.renewed(bench.got<Renew>().at(0), work::Outcome::ok, work::Order::go_on);
  EXPECT_EQ(bench.got<Start>().size(), 1U);
}

// Runs that many jobs, each with a new checkpoint of full length; none is acknowledged yet.
void run_many(Bench& bench, std::uint64_t count) {
  bench.settle(static_cast<std::int64_t>(count) * 2);
  work::Claimed claimed{work::Outcome::ok, work::Fence(50), {}};
  for (std::uint64_t id = 1; id <= count; ++id) claimed.grants.push_back(Bench::grant(id));
  bench.answer(bench.asked<work::Claim>(), claimed);
  for (std::uint64_t id = 1; id <= count; ++id) {
    const Hold hold{work::WorkId(id), work::Fence(50)};
    bench.step(Started{hold});
    bench.step(Progressed{hold, 10, std::string(work::kCheckpointBytesMax, 'c')});
  }
}

void note_answered(Bench& bench, const Action& action) {
  const auto* ask = std::get_if<Ask>(&action);
  const auto* note = ask == nullptr ? nullptr : std::get_if<work::Note>(&ask->command);
  if (note == nullptr) return;
  work::Verdicts verdicts;
  for (const auto& each : note->works) verdicts.works.push_back({each.hold.id, {}, {}});
  bench.answer(*ask, verdicts);
}

TEST(Lease, ManyNewCheckpointsTravelInSeveralRenewalsAndEachIsAcknowledgedByItself) {
  Bench bench(400);
  run_many(bench, 400);
  bench.pass(17'000);
  const auto renews = bench.got<Renew>();
  std::set<work::WorkId> renewed;
  for (const auto& renew : renews) {
    std::size_t bytes = 0;
    for (const auto& work : renew.renewal.works) {
      bytes += work.checkpoint.size();
      renewed.insert(work.hold.id);
    }
    EXPECT_LE(bytes, work::kCommandBytesAim);
  }
  EXPECT_EQ(renewed.size(), 400U);
  ASSERT_GT(renews.size(), 1U);
  bench.renewed(renews[0], work::Outcome::ok);
  const auto extended = bench.got<Extend>().size();
  EXPECT_EQ(extended, renews[0].renewal.works.size());
  for (std::size_t i = 1; i < renews.size(); ++i) bench.renewed(renews[i], work::Outcome::ok);
  // Once the log has them, nothing more is new.
  bench.pass(43'000);
  for (const auto& renew : bench.got<Renew>()) bench.renewed(renew, work::Outcome::ok);
  for (const auto& ask : std::exchange(bench.all, {})) note_answered(bench, ask);
  bench.pass(20'000);
  ASSERT_EQ(bench.got<Renew>().size(), 1U);
  EXPECT_EQ(bench.got<Renew>()[0].renewal.works.size(), 400U);
}

TEST(Lease, SeveralRenewalsLostTogetherAreOneFailure) {
  Bench bench(400);
  run_many(bench, 400);
  bench.pass(17'000);
  const auto renews = bench.got<Renew>();
  for (const auto& renew : renews) bench.step(Unanswered{renew.ticket});
  bench.pass_by_deadlines(bench.now_ms + 500);
  const auto again = bench.got<Renew>();
  ASSERT_EQ(again.size(), renews.size());
  for (const auto& renew : again) bench.step(Unanswered{renew.ticket});
  bench.pass_by_deadlines(bench.now_ms + 1000);
  EXPECT_EQ(bench.got<Renew>().size(), renews.size());
}

}  // namespace
}  // namespace riftbus::jobs
