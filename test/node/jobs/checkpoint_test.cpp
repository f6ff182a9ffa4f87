// How checkpoints get from a job to whoever does its work next, also when the leader is lost.
#include <set>

#include "test/node/jobs/bench.h"

namespace riftbus::jobs {
namespace {

using work::Outcome;

std::vector<work::Return> noted(const Ask& ask) { return std::get<work::Note>(ask.command).works; }

std::string renewed_checkpoint(const Bench& bench) {
  const auto renews = bench.got<Renew>();
  return renews.empty() ? "no renewal" : renews[0].renewal.works.at(0).checkpoint;
}

TEST(Checkpoints, AreWrittenIntoTheLogAtOnceAndThenAtMostOnceAMinute) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Progressed{Bench::hold(1), 40, "c1"});
  const auto first = bench.asked<work::Note>();
  EXPECT_EQ(noted(first), (std::vector<work::Return>{{Bench::hold(1), 0, 40, "c1"}}));
  const auto noted_ms = bench.now_ms;
  bench.verdict(first, work::WorkId(1), Outcome::ok);
  bench.step(Progressed{Bench::hold(1), 50, "c2"});
  bench.step(Progressed{Bench::hold(1), 60, "c3"});
  bench.pass_by_deadlines(noted_ms + 59'999);
  EXPECT_EQ(bench.find_ask<work::Note>(), nullptr);
  bench.pass_by_deadlines(noted_ms + 60'000);
  EXPECT_EQ(noted(bench.asked<work::Note>()),
            (std::vector<work::Return>{{Bench::hold(1), 0, 60, "c3"}}));
}

TEST(Checkpoints, RideOnRenewalsUntilTheLogHasThem) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Progressed{Bench::hold(1), 40, "c1"});
  auto note = bench.asked<work::Note>();
  bench.pass(17'000);
  EXPECT_EQ(renewed_checkpoint(bench), "c1");
  bench.renewed(bench.got<Renew>().at(0), Outcome::ok);
  bench.pass(17'000);
  EXPECT_EQ(renewed_checkpoint(bench), "c1") << "only a leader has it, and leaders are mortal";
  bench.step(Unanswered{note.ticket});
  bench.pass(500);
  note = bench.asked<work::Note>();
  bench.verdict(note, work::WorkId(1), Outcome::ok);
  bench.pass(17'000);
  EXPECT_EQ(renewed_checkpoint(bench), "");
  EXPECT_EQ(bench.find_ask<work::Note>(), nullptr);
}

TEST(Checkpoints, AnAnswerAboutAnEarlierOneIsNotAboutTheLatest) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Progressed{Bench::hold(1), 40, "c1"});
  const auto first = bench.asked<work::Note>();
  bench.step(Progressed{Bench::hold(1), 50, "c2"});
  bench.verdict(first, work::WorkId(1), Outcome::ok);
  bench.pass(17'000);
  EXPECT_EQ(renewed_checkpoint(bench), "c2");
  bench.pass(60'000);
  EXPECT_EQ(noted(bench.asked<work::Note>()).at(0).checkpoint, "c2");
}

TEST(Checkpoints, OfLostAndEndedWorkAreNotNoted) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.run(2);
  bench.step(Progressed{Bench::hold(1), 10, "first"});  // this one takes its turn
  bench.verdict(bench.asked<work::Note>(), work::WorkId(1), Outcome::ok);
  bench.step(Progressed{Bench::hold(1), 40, "c1"});
  bench.step(Progressed{Bench::hold(2), 40, "c2"});
  bench.pass(17'000);
  const auto renew = bench.got<Renew>().at(0);
  bench.step(
      Answered{renew.ticket,
               std::vector<work::RenewedAnswer>{
                   {{work::WorkId(1), Outcome::stale, work::State::ready}, work::Order::go_on},
                   {{work::WorkId(2), Outcome::ok, work::State::leased}, work::Order::go_on}}});
  bench.step(Ended{Bench::hold(2), {}});
  bench.pass(60'000);
  EXPECT_EQ(bench.find_ask<work::Note>(), nullptr);
}

TEST(Checkpoints, ManyTravelInSeveralCommandsThatFitTheLog) {
  constexpr std::uint64_t kCount = 100;
  Bench bench(kCount);
  bench.settle(2 * kCount);
  work::Claimed claimed{Outcome::ok, work::Fence(50), {}};
  for (std::uint64_t id = 1; id <= kCount; ++id) claimed.grants.push_back(Bench::grant(id));
  bench.answer(bench.asked<work::Claim>(), claimed);
  const auto hold = [](std::uint64_t id) { return Hold{work::WorkId(id), work::Fence(50)}; };
  for (std::uint64_t id = 1; id <= kCount; ++id) {
    bench.step(Started{hold(id)});
    bench.step(Progressed{hold(id), 10, std::string(work::kCheckpointBytesMax, 'c')});
  }
  bench.pass(60'000);
  std::set<work::WorkId> all;
  for (const auto& ask : bench.got<Ask>()) {
    if (!std::holds_alternative<work::Note>(ask.command)) continue;
    std::size_t bytes = 0;
    for (const auto& each : noted(ask)) {
      bytes += each.checkpoint.size();
      all.insert(each.hold.id);
    }
    EXPECT_LE(bytes, work::kCommandBytesAim);
  }
  EXPECT_EQ(all.size(), kCount - 1) << "the first was noted by itself";
}

}  // namespace
}  // namespace riftbus::jobs
