// What is claimed, started and reported.
#include "node/jobs/executor.h"

#include <set>

#include "node/work/codec.h"
#include "test/node/jobs/bench.h"

namespace riftbus::jobs {
namespace {

using work::Outcome;

TEST(Claims, NothingBeforeTheQueueKnowsWhatIsStillHeld) {
  Bench bench;
  bench.step(Measured{{{{"cpus", 4000}}, {}, {}, {}}});
  EXPECT_EQ(bench.find_ask<work::Attach>(), nullptr);
  bench.step(Found{});
  const auto attach = bench.asked<work::Attach>();
  bench.pass(60'000);
  EXPECT_EQ(bench.find_ask<work::Claim>(), nullptr);
  bench.answer(attach, work::Verdicts{});
  EXPECT_NE(bench.find_ask<work::Claim>(), nullptr);
}

TEST(Claims, OfferIsWhatWasMeasuredAndTheNodesKindsAndSlots) {
  Bench bench(3);
  bench.settle();
  const auto claim = std::get<work::Claim>(bench.asked<work::Claim>().command);
  EXPECT_EQ(claim.worker, node_id("w1"));
  EXPECT_EQ(claim.instance, Instance{7});
  EXPECT_EQ(claim.max, 3U);
  EXPECT_EQ(claim.offer.kinds, (std::vector<std::string>{"hash", "long"}));
  EXPECT_EQ(*claim.offer.find_amount("slots"), 3000);
  EXPECT_EQ(*claim.offer.find_amount("gpus"), 2000);
}

TEST(Claims, AnUnansweredOneIsAskedAgainWithTheSameNumberAndContent) {
  Bench bench;
  bench.settle();
  const auto first = bench.asked<work::Claim>();
  bench.step(Unanswered{first.ticket});
  bench.step(Measured{{{{"cpus", 2000}}, {}, {}, {}}});
  bench.pass_by_deadlines(bench.now_ms + 500);
  const auto again = bench.asked<work::Claim>();
  EXPECT_NE(again.ticket, first.ticket);
  EXPECT_EQ(std::get<work::Claim>(again.command), std::get<work::Claim>(first.command));
}

TEST(Claims, ANewOneHasANewNumber) {
  Bench bench;
  bench.settle();
  const auto first = bench.asked<work::Claim>();
  bench.answer(first, work::Claimed{});
  EXPECT_GT(std::get<work::Claim>(bench.asked<work::Claim>().command).request,
            std::get<work::Claim>(first.command).request);
}

TEST(Claims, AnEmptyAnswerMakesItAskMoreSlowlyUpToABound) {
  Bench bench;
  bench.settle();
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 6; ++i) {
    bench.answer(bench.asked<work::Claim>(), work::Claimed{});
    const auto before_ms = bench.now_ms;
    for (int n = 0; n < 100 && bench.find_ask<work::Claim>() == nullptr; ++n) bench.pass(100);
    waits.push_back(bench.now_ms - before_ms);
  }
  // At once the first time: work may have come, and gone to somebody else.
  EXPECT_EQ(waits, (std::vector<std::int64_t>{0, 500, 1000, 2000, 4000, 5000}));
}

TEST(Claims, AnAnswerThatTheLeaderHeldBackIsFollowedByTheNextClaimAtOnce) {
  Bench bench;
  bench.settle();
  const auto claim = bench.asked<work::Claim>();
  bench.now_ms += 5000;
  bench.answer(claim, work::Claimed{});
  EXPECT_NE(bench.find_ask<work::Claim>(), nullptr);
}

TEST(Claims, AClaimMayNotWaitAwayTheLeaseItWillBeGiven) {
  Bench bench;
  EXPECT_EQ(bench.core.claim_wait_max(), Seconds{5});
  auto settings = Bench::settings(4);
  settings.kinds["hash"].lease_s = 10;
  EXPECT_EQ(Executor(settings).claim_wait_max(), Seconds{2});
}

TEST(Claims, NothingWhenSlotsOrProcessorsAreTaken) {
  Bench slots(1);
  slots.settle();
  slots.run(1);
  EXPECT_EQ(slots.find_ask<work::Claim>(), nullptr);
  Bench cpus(4);
  cpus.settle(1);
  cpus.run(1);
  EXPECT_EQ(cpus.find_ask<work::Claim>(), nullptr);
  // A freed place is offered at once.
  cpus.step(Ended{Bench::hold(1), {}});
  cpus.verdict(cpus.asked<work::Complete>(), work::WorkId(1), Outcome::ok);
  EXPECT_NE(cpus.find_ask<work::Claim>(), nullptr);
}

TEST(Claims, NothingWithoutKinds) {
  auto settings = Bench::settings(4);
  settings.kinds.clear();
  Bench bench;
  bench.core = Executor(settings);
  bench.settle();
  EXPECT_EQ(bench.find_ask<work::Claim>(), nullptr);
}

TEST(Claims, AGrantThatIsNoLongerHeldIsNotStarted) {
  Bench bench;
  bench.settle();
  work::Grant gone;
  gone.id = work::WorkId(5);
  gone.held = false;
  bench.answer(bench.asked<work::Claim>(), work::Claimed{Outcome::ok, work::Fence(9), {gone}});
  EXPECT_TRUE(bench.got<Start>().empty());
  EXPECT_TRUE(bench.core.view().empty());
}

TEST(Claims, ARepeatedAnswerDoesNotStartTheSameGrantTwice) {
  Bench bench;
  bench.settle();
  const auto ask = bench.asked<work::Claim>();
  const work::Claimed answer{Outcome::ok, Bench::hold(1).fence, {Bench::grant(1)}};
  bench.answer(ask, answer);
  EXPECT_EQ(bench.got<Start>().size(), 1U);
  bench.answer(ask, answer);
  EXPECT_TRUE(bench.got<Start>().empty());
}

TEST(Claims, AKindThatIsUnknownHereFailsInsteadOfComingBack) {
  Bench bench;
  bench.settle();
  bench.answer(bench.asked<work::Claim>(),
               work::Claimed{Outcome::ok, work::Fence(9), {Bench::grant(1, "other")}});
  EXPECT_TRUE(bench.got<Start>().empty());
  EXPECT_NE(bench.find_ask<work::Fail>(), nullptr);
}

// ---- reports ---------------------------------------------------------------------------------

struct EndCase {
  const char* name;
  Exit exit;
  std::size_t command;  // index in work::Command
};
class Ends : public testing::TestWithParam<EndCase> {};

TEST_P(Ends, AreSaidInTheQueuesWords) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Ended{Bench::hold(1), GetParam().exit});
  std::vector<std::size_t> commands;
  for (const auto& ask : bench.got<Ask>()) {
    if (!std::holds_alternative<work::Claim>(ask.command)) commands.push_back(ask.command.index());
  }
  EXPECT_EQ(commands, std::vector<std::size_t>{GetParam().command}) << GetParam().name;
}

const std::size_t kComplete = work::Command(work::Complete{}).index();
const std::size_t kFail = work::Command(work::Fail{}).index();
const std::size_t kBury = work::Command(work::Bury{}).index();
const std::size_t kRelease = work::Command(work::Release{}).index();

INSTANTIATE_TEST_SUITE_P(
    Executor, Ends,
    testing::Values(EndCase{"exit 0", {Cause::itself, true, 0, 0, "", "", "", 0}, kComplete},
                    EndCase{"exit 1", {Cause::itself, true, 1, 0, "", "", "", 0}, kFail},
                    EndCase{"exit 75", {Cause::itself, true, 75, 0, "", "", "", 0}, kRelease},
                    EndCase{"exit 100", {Cause::itself, true, 100, 0, "", "", "", 0}, kBury},
                    EndCase{"signal", {Cause::itself, true, 0, 11, "", "", "", 0}, kFail},
                    EndCase{"not started", {Cause::itself, false, 0, 0, "", "", "", 0}, kFail},
                    EndCase{"timeout", {Cause::timeout, true, 0, 0, "", "", "", 0}, kFail},
                    EndCase{"disk", {Cause::disk, true, 0, 9, "", "", "", 0}, kFail},
                    EndCase{"runner", {Cause::runner_failed, true, 0, 0, "", "", "", 0}, kRelease},
                    EndCase{"node", {Cause::node_trouble, false, 0, 0, "", "", "", 0}, kRelease},
                    EndCase{"lease", {Cause::lease, true, 0, 0, "", "", "", 0}, kRelease}));

TEST(Reports, CarryExitSignalTailAndResult) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Ended{Bench::hold(1), {Cause::itself, true, 3, 0, "oh no", "", "c", 9}});
  const auto fail = std::get<work::Fail>(bench.asked<work::Fail>().command);
  const work::Failure wanted{Bench::hold(1), true, 3, 0, "oh no", "c"};
  EXPECT_EQ(fail.works.at(0), wanted);
}

TEST(Reports, WorkThatFoundNoFreeGpuIsGivenBackForAWhileAndNotForTheNextClaim) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Ended{Bench::hold(1), {Cause::no_gpu, false, 0, 0, "", "", "", 0}});
  const auto release = std::get<work::Release>(bench.asked<work::Release>().command);
  EXPECT_GE(release.works.at(0).delay_ms, 5000U);
}

TEST(Reports, AreRepeatedWithTheSameFenceUntilAnswered) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Ended{Bench::hold(1), {}});
  for (int i = 0; i < 5; ++i) {
    const auto ask = bench.asked<work::Complete>();
    EXPECT_EQ(std::get<work::Complete>(ask.command).works.at(0).hold, Bench::hold(1));
    bench.step(Unanswered{ask.ticket});
    EXPECT_EQ(bench.find_ask<work::Complete>(), nullptr);
    bench.pass(5000);
  }
  bench.verdict(bench.asked<work::Complete>(), work::WorkId(1), Outcome::repeated);
  EXPECT_EQ(bench.got<Discard>().size(), 1U);
  EXPECT_TRUE(bench.core.view().empty());
}

TEST(Reports, AreGivenUpWhenTheFenceIsStale) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Ended{Bench::hold(1), {}});
  bench.verdict(bench.asked<work::Complete>(), work::WorkId(1), Outcome::stale);
  EXPECT_EQ(bench.got<Discard>().size(), 1U);
}

TEST(Reports, WorkIsRenewedWhileItsReportIsUnanswered) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Ended{Bench::hold(1), {}});
  const auto complete = bench.asked<work::Complete>();
  bench.pass(17'000);
  const auto renews = bench.got<Renew>();
  ASSERT_EQ(renews.size(), 1U);
  // The report may have been heard: that renewal then says "not yours", and it means nothing.
  bench.renewed(renews[0], Outcome::stale);
  EXPECT_TRUE(bench.got<Discard>().empty());
  bench.step(Unanswered{complete.ticket});
  bench.pass(5000);
  bench.verdict(bench.asked<work::Complete>(), work::WorkId(1), Outcome::repeated);
  EXPECT_EQ(bench.got<Discard>().size(), 1U);
}

TEST(Reports, OneMessageCarriesSeveralButNotAll) {
  Bench bench(40);
  bench.settle(40);
  work::Claimed claimed{Outcome::ok, work::Fence(50), {}};
  for (std::uint64_t id = 1; id <= 20; ++id) claimed.grants.push_back(Bench::grant(id));
  bench.answer(bench.asked<work::Claim>(), claimed);
  bench.step(Tick{});
  // While the first report is under way, the ends of the others gather.
  for (std::uint64_t id = 1; id <= 20; ++id) {
    bench.step(Ended{{work::WorkId(id), work::Fence(50)}, {}});
    if (const auto* ask = bench.find_ask<work::Complete>()) bench.step(Unanswered{ask->ticket});
  }
  bench.pass(5000);
  const auto first = std::get<work::Complete>(bench.asked<work::Complete>().command);
  EXPECT_EQ(first.works.size(), Executor::kReportsMax);
  bench.pass(1);
  EXPECT_EQ(std::get<work::Complete>(bench.asked<work::Complete>().command).works.size(), 4U);
}

// That many jobs have ended well, with a result each, and nobody has been told.
void end_many(Bench& bench, std::uint64_t count, std::size_t result_bytes) {
  bench.settle(static_cast<std::int64_t>(count) * 2);
  work::Claimed claimed{Outcome::ok, work::Fence(50), {}};
  for (std::uint64_t id = 1; id <= count; ++id) claimed.grants.push_back(Bench::grant(id));
  bench.answer(bench.asked<work::Claim>(), claimed);
  const auto lost = [&](const Ask& ask) { bench.step(Unanswered{ask.ticket}); };
  for (std::uint64_t id = 1; id <= count; ++id) {
    const Exit exit{Cause::itself, true, 0, 0, "", std::string(result_bytes, 'r'), "", 100};
    bench.step(Ended{{work::WorkId(id), work::Fence(50)}, exit});
    if (const Ask* ask = bench.find_ask<work::Complete>()) lost(Ask(*ask));
  }
  bench.pass(5000);
}

const std::vector<work::Finish>& finishes(const Ask& ask) {
  return std::get<work::Complete>(ask.command).works;
}

TEST(Reports, AreFilledByBytesAsResultsAreLarge) {
  Bench bench(40);
  end_many(bench, 14, work::kResultBytesMax);
  std::set<work::WorkId> said;
  for (int turns = 0; turns < 20 && said.size() < 14; ++turns) {
    const auto ask = bench.asked<work::Complete>();
    EXPECT_LE(work::encode(ask.command).size(), work::kCommandBytesAim);
    work::Verdicts verdicts;
    for (const auto& finish : finishes(ask)) {
      said.insert(finish.hold.id);
      verdicts.works.push_back({finish.hold.id, Outcome::ok, work::State::done});
    }
    bench.answer(ask, verdicts);
    if (bench.find_ask<work::Complete>() == nullptr) bench.pass(1);
  }
  EXPECT_EQ(said.size(), 14U);
  EXPECT_TRUE(bench.core.view().empty());
}

TEST(Reports, ThatAreTooLongForTheLogAreHalvedAndNotDropped) {
  Bench bench(40);
  end_many(bench, 8, 100);
  std::vector<std::size_t> lengths;
  for (int turns = 0; turns < 10; ++turns) {
    const auto ask = bench.asked<work::Complete>();
    lengths.push_back(finishes(ask).size());
    if (lengths.back() == 1) break;
    bench.answer(ask, work::Verdicts{Outcome::oversize, {}});
    EXPECT_TRUE(bench.got<Discard>().empty());
  }
  EXPECT_EQ(lengths, (std::vector<std::size_t>{8, 4, 2, 1}));
  EXPECT_EQ(bench.core.view().size(), 8U);
  // One alone that does not fit never will.
  bench.answer(bench.asked<work::Complete>(), work::Verdicts{Outcome::oversize, {}});
  EXPECT_EQ(bench.core.view().size(), 7U);
}

TEST(Reports, AnAnswerToAnUnknownTicketIsHarmless) {
  Bench bench;
  bench.settle();
  bench.run(1);
  for (const Ticket ticket : {Ticket{0}, Ticket{999}}) {
    bench.step(Answered{ticket, work::Reply{work::Verdicts{Outcome::stale, {}}}});
    bench.step(Answered{ticket, work::Reply{work::Claimed{Outcome::superseded, {}, {}}}});
    bench.step(Answered{ticket, std::vector<work::RenewedAnswer>{{}}});
    bench.step(Unanswered{ticket});
  }
  EXPECT_EQ(bench.core.view().size(), 1U);
  EXPECT_TRUE(bench.core.is_attached());
}

// ---- drain -----------------------------------------------------------------------------------

TEST(Drain, ClaimsNothingAndLetsRunningWorkEnd) {
  Bench bench;
  bench.settle();
  bench.run(1);
  const auto claim = bench.asked<work::Claim>();
  bench.step(Drain{true, false});
  EXPECT_TRUE(bench.got<Stop>().empty());
  // What was granted meanwhile goes back.
  bench.answer(claim, work::Claimed{Outcome::ok, Bench::hold(2).fence, {Bench::grant(2)}});
  EXPECT_TRUE(bench.got<Start>().empty());
  EXPECT_NE(bench.find_ask<work::Release>(), nullptr);
  bench.pass(60'000);
  EXPECT_EQ(bench.find_ask<work::Claim>(), nullptr);
  bench.step(Drain{false, false});
  EXPECT_NE(bench.find_ask<work::Claim>(), nullptr);
}

TEST(Drain, AClaimThatMayHaveBeenHeardIsStillCleared) {
  Bench bench;
  bench.settle();
  const auto claim = bench.asked<work::Claim>();
  bench.step(Unanswered{claim.ticket});
  bench.step(Drain{true, false});
  bench.pass(5000);
  EXPECT_EQ(std::get<work::Claim>(bench.asked<work::Claim>().command),
            std::get<work::Claim>(claim.command));
}

TEST(Drain, EvictingStopsWhatRunsAndGivesItBack) {
  Bench bench;
  bench.settle();
  bench.run(1);
  bench.step(Drain{true, true});
  ASSERT_EQ(bench.got<Stop>().size(), 1U);
  EXPECT_EQ(bench.got<Stop>()[0].cause, Cause::evict);
  bench.step(Ended{Bench::hold(1), {Cause::evict, true, 0, 15, "", "", "", 0}});
  EXPECT_NE(bench.find_ask<work::Release>(), nullptr);
}

TEST(Terms, FollowTheKind) {
  auto kind = kind_of("x");
  kind.needs = "gpus>=2 && memory_gb>=8";
  kind.lease_s = 30;
  kind.attempts_max = 5;
  kind.on_disconnect = "finish";
  const auto terms = terms_of(kind);
  EXPECT_EQ(terms.lease_ms, 30'000U);
  EXPECT_EQ(terms.attempts_max, 5);
  EXPECT_EQ(terms.on_disconnect, work::OnDisconnect::finish);
  const std::vector<work::Amount> wanted{{"cpus", 1000}, {"gpus", 2000}, {"memory_gb", 8000}};
  EXPECT_EQ(reserved_by(terms), wanted);
  kind.needs = "cpus>=0.5";
  EXPECT_EQ(reserved_by(terms_of(kind)), (std::vector<work::Amount>{{"cpus", 500}}));
}

}  // namespace
}  // namespace riftbus::jobs
