// What this node lacks is not the work's failure.
#include "test/node/jobs/bench.h"

namespace riftbus::jobs {
namespace {

using work::Outcome;

Exit trouble() {
  Exit exit;
  exit.cause = Cause::node_trouble;
  exit.started = false;
  exit.tail = "cannot make a folder: no space";
  return exit;
}

// One item was granted and could not be started here.
void fail_to_start(Bench& bench, std::uint64_t id) {
  bench.answer(bench.asked<work::Claim>(),
               work::Claimed{Outcome::ok, Bench::hold(id).fence, {Bench::grant(id)}});
  // It asks for more meanwhile, and gets nothing.
  while (const auto* next = bench.find_ask<work::Claim>()) bench.answer(*next, work::Claimed{});
  bench.step(Ended{Bench::hold(id), trouble()});
}

TEST(Trouble, WhatCouldNotBeStartedHereIsGivenBackForAWhileAndHasNotFailed) {
  Bench bench;
  bench.settle();
  fail_to_start(bench, 1);
  EXPECT_EQ(bench.find_ask<work::Fail>(), nullptr);
  const auto release = std::get<work::Release>(bench.asked<work::Release>().command);
  EXPECT_EQ(release.works.at(0).hold, Bench::hold(1));
  EXPECT_EQ(release.works.at(0).delay_ms, 10'000U);
  EXPECT_FALSE(release.works.at(0).lost);
}

TEST(Trouble, ANodeThatCannotStartAnythingDoesNotDrainTheQueue) {
  Bench bench;
  bench.settle();
  fail_to_start(bench, 1);
  const auto ended_ms = bench.now_ms;
  bench.verdict(bench.asked<work::Release>(), work::WorkId(1), Outcome::ok);
  bench.pass_by_deadlines(ended_ms + 29'999);
  EXPECT_EQ(bench.find_ask<work::Claim>(), nullptr);
  bench.pass_by_deadlines(ended_ms + 30'000);
  EXPECT_EQ(std::get<work::Claim>(bench.asked<work::Claim>().command).max, 1U);
  // Once something starts, all is as before.
  bench.answer(bench.asked<work::Claim>(),
               work::Claimed{Outcome::ok, Bench::hold(2).fence, {Bench::grant(2)}});
  EXPECT_EQ(bench.find_ask<work::Claim>(), nullptr);
  bench.step(Started{Bench::hold(2)});
  EXPECT_EQ(std::get<work::Claim>(bench.asked<work::Claim>().command).max, 3U);
}

TEST(Trouble, AKilledWatcherIsALossAndNoFailure) {
  Bench bench;
  bench.settle();
  bench.run(1);
  Exit exit;
  exit.cause = Cause::runner_failed;
  bench.step(Ended{Bench::hold(1), exit});
  EXPECT_EQ(bench.find_ask<work::Fail>(), nullptr);
  const auto release = std::get<work::Release>(bench.asked<work::Release>().command);
  EXPECT_TRUE(release.works.at(0).lost) << "or work that kills it would come back for ever";
  EXPECT_EQ(release.works.at(0).delay_ms, 60'000U);
}

}  // namespace
}  // namespace riftbus::jobs
