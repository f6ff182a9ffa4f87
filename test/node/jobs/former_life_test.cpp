// What a former life of the node left, and who else speaks in its name.
#include "test/node/jobs/bench.h"

namespace riftbus::jobs {

namespace {

using work::Outcome;

FoundJob found_job(std::uint64_t id, TimePoint stop_at, bool ended = false) {
  const auto grant = Bench::grant(id);
  return {Bench::hold(id), grant.kind, grant.terms, 1, Millis{Bench::kGraceMs}, stop_at, ended, {}};
}

TEST(FormerLife, WhatStillRunsIsHeldAgain) {
  Bench bench;
  const auto stop_at = at_ms(bench.now_ms + 30'000);
  bench.step(Found{{found_job(1, stop_at)}});
  const auto attach = bench.asked<work::Attach>();
  EXPECT_EQ(std::get<work::Attach>(attach.command).holds, std::vector<Hold>{Bench::hold(1)});
  EXPECT_EQ(bench.core.view().at(0).stop_at, stop_at);
  bench.verdict(attach, work::WorkId(1), Outcome::ok);
  EXPECT_TRUE(bench.got<Stop>().empty());
  EXPECT_EQ(bench.got<Renew>().size(), 1U);  // nobody knows how old the lease is
}

TEST(FormerLife, ANodeThatWasToldToEvictGoesOnEvictingAfterARestart) {
  Bench bench;
  bench.step(Drain{true, true});
  auto ended = found_job(2, TimePoint::max(), true);
  bench.step(Found{{found_job(1, TimePoint::max()), ended}});
  const auto stops = bench.got<Stop>();
  ASSERT_EQ(stops.size(), 1U);
  EXPECT_EQ(stops[0].hold, Bench::hold(1));
  EXPECT_EQ(stops[0].cause, Cause::evict);
}

TEST(FormerLife, ItsDeadlineHoldsWhileNobodyAnswers) {
  Bench bench;
  const auto begun_ms = bench.now_ms;
  bench.step(Found{{found_job(1, at_ms(begun_ms + 30'000))}});
  bench.pass_by_deadlines(begun_ms + 29'999);
  EXPECT_TRUE(bench.got<Stop>().empty());
  bench.pass_by_deadlines(begun_ms + 30'000);
  ASSERT_EQ(bench.got<Stop>().size(), 1U);
  EXPECT_EQ(bench.got<Stop>()[0].cause, Cause::lease);
}

TEST(FormerLife, WhatWasGrantedToAnotherIsStopped) {
  Bench bench;
  bench.step(Found{{found_job(1, at_ms(bench.now_ms + 30'000))}});
  bench.verdict(bench.asked<work::Attach>(), work::WorkId(1), Outcome::stale);
  ASSERT_EQ(bench.got<Stop>().size(), 1U);
  EXPECT_EQ(bench.got<Stop>()[0].cause, Cause::stale);
}

TEST(FormerLife, AVerdictConcernsOneGrantAndNotAnotherOfTheSameWork) {
  Bench bench;
  auto old = found_job(1, at_ms(bench.now_ms + 30'000));
  auto young = old;
  young.hold.fence = old.hold.fence.next();
  bench.step(Found{{old, young}});
  const auto attach = bench.asked<work::Attach>();
  ASSERT_EQ(std::get<work::Attach>(attach.command).holds,
            (std::vector<Hold>{old.hold, young.hold}));
  bench.answer(attach, work::Verdicts{Outcome::ok,
                                      {{work::WorkId(1), Outcome::stale, work::State::leased},
                                       {work::WorkId(1), Outcome::ok, work::State::leased}}});
  ASSERT_EQ(bench.got<Stop>().size(), 1U);
  EXPECT_EQ(bench.got<Stop>()[0].hold, old.hold);
}

TEST(FormerLife, WhatEndedMeanwhileIsReportedOnceAttached) {
  Bench bench;
  bench.step(Found{{found_job(1, at_ms(bench.now_ms + 30'000), true)}});
  EXPECT_EQ(bench.find_ask<work::Complete>(), nullptr);
  bench.verdict(bench.asked<work::Attach>(), work::WorkId(1), Outcome::ok);
  EXPECT_NE(bench.find_ask<work::Complete>(), nullptr);
}

TEST(FormerLife, AttachIsRepeatedUntilAnswered) {
  Bench bench;
  bench.step(Found{});
  bench.step(Unanswered{bench.asked<work::Attach>().ticket});
  bench.pass_by_deadlines(bench.now_ms + 500);
  EXPECT_NE(bench.find_ask<work::Attach>(), nullptr);
}

TEST(FormerLife, WhatItsMachineTookAlongIsLostAndHasNotFailed) {
  Bench bench;
  auto found = found_job(1, at_ms(bench.now_ms + 30'000), true);
  found.exit = {Cause::runner_failed, true, 0, 0, "", "", "", 0};
  bench.step(Found{{found}});
  EXPECT_EQ(bench.got<Discard>().size(), 1U);
  const auto attach = bench.asked<work::Attach>();
  EXPECT_TRUE(std::get<work::Attach>(attach.command).holds.empty());
  bench.answer(attach, work::Verdicts{});
  EXPECT_EQ(bench.find_ask<work::Fail>(), nullptr);
}

TEST(FormerLife, ADaemonAttachesInPlaceOfWhomTheQueueKnows) {
  Bench bench;
  bench.step(Found{});
  const auto first = bench.asked<work::Attach>();
  EXPECT_EQ(std::get<work::Attach>(first.command).replaces, Instance());
  bench.answer(first, work::Verdicts{Outcome::superseded, {}, Instance{5}});
  const auto second = bench.asked<work::Attach>();
  EXPECT_EQ(std::get<work::Attach>(second.command).replaces, Instance{5});
  bench.answer(second, work::Verdicts{});
  EXPECT_TRUE(bench.core.is_attached());
}

TEST(FormerLife, ANewerDaemonOfThisNameStopsEverything) {
  Bench bench;
  bench.settle();
  bench.run(1);
  const auto claim = bench.asked<work::Claim>();
  bench.answer(claim, work::Claimed{Outcome::superseded, {}, {}});
  const auto attach = bench.asked<work::Attach>();
  bench.answer(attach, work::Verdicts{Outcome::superseded, {}, Instance{8}});
  EXPECT_EQ(bench.got<Stop>().size(), 1U);
  bench.step(Ended{Bench::hold(1), {}});
  bench.pass(60'000);
  EXPECT_TRUE(bench.got<Ask>().empty());
  EXPECT_TRUE(bench.got<Renew>().empty());
  EXPECT_TRUE(bench.core.is_superseded());
}

}  // namespace

}  // namespace riftbus::jobs
