#include "bus/paths.h"

#include <gtest/gtest.h>

#include "test/bus/vocabulary.h"

namespace riftbus::bus {
namespace {

using test::kStart;

wire::Address make_address(wire::AddressKind kind, const std::string& host) {
  return {kind, host, 7770, 7771};
}
const wire::Address kLan = make_address(wire::AddressKind::lan, "192.0.2.1");
const wire::Address kPublic = make_address(wire::AddressKind::public_ip, "198.51.100.1");
const wire::Address kTailscale = make_address(wire::AddressKind::tailscale, "203.0.113.1");
using Addresses = std::vector<wire::Address>;

class PathsTest : public testing::Test {
 protected:
  void fail(const wire::Address& address, int times, TimePoint now = kStart) {
    for (int i = 0; i < times; ++i) paths.on_failure(address, "refused", now);
  }
  Limits limits;
  Paths paths{limits};
};

TEST_F(PathsTest, RanksUnknownAddressesByKind) {
  paths.set_addresses({kTailscale, kPublic, kLan});
  EXPECT_EQ(paths.take_candidates(kStart), (Addresses{kLan, kPublic, kTailscale}));
}

TEST_F(PathsTest, PutsTheLastGoodAddressFirst) {
  paths.set_addresses({kLan, kPublic, kTailscale});
  paths.on_success(kTailscale, Millis(200), kStart);
  EXPECT_EQ(paths.take_candidates(kStart).front(), kTailscale);
  EXPECT_EQ(paths.last_good(), kTailscale);
}

TEST_F(PathsTest, PrefersAMeasuredShortRoundTripToAGuess) {
  paths.set_addresses({kPublic, kTailscale});
  paths.on_success(kTailscale, Millis(3), kStart);
  paths.on_success(kPublic, Millis(90), kStart);
  fail(kPublic, 1);
  fail(kTailscale, 1);
  paths.set_addresses({kPublic, kTailscale, kLan});
  // The LAN address never failed; among the other two the last good one leads.
  EXPECT_EQ(paths.take_candidates(kStart), (Addresses{kLan, kPublic, kTailscale}));
}

TEST_F(PathsTest, AnAddressThatFailedWaitsBehindOneThatDidNot) {
  paths.set_addresses({kLan, kPublic});
  paths.on_success(kLan, Millis(1), kStart);
  fail(kLan, 1);
  EXPECT_EQ(paths.take_candidates(kStart), (Addresses{kPublic, kLan}));
}

TEST_F(PathsTest, ThreeFailuresInARowOpenTheBreaker) {
  paths.set_addresses({kLan});
  fail(kLan, 2);
  EXPECT_EQ(paths.take_candidates(kStart).size(), 1u);
  fail(kLan, 1);
  EXPECT_TRUE(paths.take_candidates(kStart).empty());
  EXPECT_EQ(paths.next_candidate(kStart), kStart + limits.breaker_open_min);
}

TEST_F(PathsTest, ASuccessBetweenFailuresKeepsTheBreakerClosed) {
  paths.set_addresses({kLan});
  fail(kLan, 2);
  paths.on_success(kLan, Millis(1), kStart);
  fail(kLan, 2);
  EXPECT_EQ(paths.take_candidates(kStart).size(), 1u);
}

TEST_F(PathsTest, AHalfOpenBreakerGrantsOneTrialAtATime) {
  paths.set_addresses({kLan});
  fail(kLan, 3);
  const TimePoint due = paths.next_candidate(kStart);
  EXPECT_EQ(paths.take_candidates(due).size(), 1u);
  EXPECT_TRUE(paths.take_candidates(due).empty());
}

TEST_F(PathsTest, ATrialWhoseOutcomeIsNeverToldDoesNotBlockTheAddress) {
  paths.set_addresses({kLan});
  fail(kLan, 3);
  const TimePoint due = paths.next_candidate(kStart);
  EXPECT_EQ(paths.take_candidates(due).size(), 1u);
  EXPECT_LE(paths.next_candidate(due), due + limits.breaker_open_max);
}

TEST_F(PathsTest, IsHalfOpenWithinThirtySecondsHoweverOftenItFailed) {
  paths.set_addresses({kLan});
  fail(kLan, 1000);
  EXPECT_EQ(limits.breaker_open_max, Seconds(30));
  EXPECT_LE(paths.next_candidate(kStart), kStart + Seconds(30));
  EXPECT_GT(paths.next_candidate(kStart), kStart + Seconds(15));
}

TEST_F(PathsTest, ASuccessfulTrialClosesTheBreaker) {
  paths.set_addresses({kLan});
  fail(kLan, 3);
  const TimePoint due = paths.next_candidate(kStart);
  ASSERT_EQ(paths.take_candidates(due).size(), 1u);
  paths.on_success(kLan, Millis(1), kStart);
  EXPECT_EQ(paths.take_candidates(due).size(), 1u);
  EXPECT_EQ(paths.take_candidates(due).size(), 1u);
}

TEST_F(PathsTest, NewsOfThePeerClosesTheBreakerForOneMoreFailure) {
  paths.set_addresses({kLan});
  fail(kLan, 5);
  paths.forgive();
  EXPECT_EQ(paths.take_candidates(kStart).size(), 1u);
  fail(kLan, 1);
  EXPECT_TRUE(paths.take_candidates(kStart).empty());
}

TEST_F(PathsTest, SomebodyWhoKeepsAskingHastensTrialsAndClosesNoBreaker) {
  paths.set_addresses({kLan});
  fail(kLan, 5);
  const TimePoint soon = kStart + Millis(10);
  ASSERT_GT(paths.next_candidate(kStart), soon);
  paths.hasten_trials(soon);
  EXPECT_EQ(paths.report(kStart).front().breaker, Breaker::open);
  EXPECT_EQ(paths.next_candidate(kStart), soon);
  EXPECT_EQ(paths.take_candidates(soon).size(), 1u);
  EXPECT_EQ(paths.report(soon).front().breaker, Breaker::half_open);
  EXPECT_TRUE(paths.take_candidates(soon).empty());
}

TEST_F(PathsTest, ANewListKeepsWhatIsKnownOfAddressesThatStay) {
  paths.set_addresses({kLan, kPublic});
  fail(kLan, 3);
  EXPECT_TRUE(paths.set_addresses({kTailscale, kLan}));
  EXPECT_EQ(paths.take_candidates(kStart), (Addresses{kTailscale}));
  EXPECT_FALSE(paths.set_addresses({kTailscale, kLan}));
}

TEST_F(PathsTest, ForgetsTheLastGoodAddressWithItsListing) {
  paths.set_addresses({kLan, kPublic});
  paths.on_success(kPublic, Millis(1), kStart);
  paths.set_addresses({kLan});
  EXPECT_EQ(paths.last_good(), std::nullopt);
}

TEST_F(PathsTest, TakesABoundedNumberOfAddressesAndEachOnce) {
  Addresses many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(make_address(wire::AddressKind::lan, "192.0.2." + std::to_string(i / 2)));
  }
  paths.set_addresses(many);
  EXPECT_EQ(paths.take_candidates(kStart).size(), limits.addresses_per_peer_max);
}

TEST_F(PathsTest, WithoutAddressesThereIsNothingToWaitFor) {
  EXPECT_TRUE(paths.empty());
  EXPECT_EQ(paths.next_candidate(kStart), TimePoint::max());
}

TEST_F(PathsTest, ReportsEachAddressAndItsBreaker) {
  paths.set_addresses({kPublic, kLan});
  paths.on_success(kLan, Millis(2), kStart);
  fail(kPublic, limits.breaker_failures, kStart + Millis(5));
  const auto first = paths.report(kStart + Millis(10));
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].address, kLan);
  EXPECT_EQ(first[0].breaker, Breaker::closed);
  EXPECT_EQ(first[0].successes, 1U);
  EXPECT_EQ(first[0].last_success, kStart);
  EXPECT_EQ(first[0].rtt, Nanos(Millis(2)));
  EXPECT_EQ(first[1].address, kPublic);
  EXPECT_EQ(first[1].breaker, Breaker::open);
  EXPECT_EQ(first[1].failures, static_cast<std::uint64_t>(limits.breaker_failures));
  EXPECT_EQ(first[1].last_failure, kStart + Millis(5));
  EXPECT_EQ(first[1].last_error, "refused");
}

TEST_F(PathsTest, AnOpenBreakerIsHalfOpenFromWhenItsTrialIsDueUntilItsOutcome) {
  paths.set_addresses({kLan});
  fail(kLan, limits.breaker_failures);
  const TimePoint due = kStart + limits.breaker_open_min;
  const auto breaker = [&](TimePoint now) { return paths.report(now).front().breaker; };
  EXPECT_EQ(breaker(due - Millis(1)), Breaker::open);
  EXPECT_EQ(breaker(due), Breaker::half_open);
  ASSERT_EQ(paths.take_candidates(due).size(), 1U);
  EXPECT_EQ(breaker(due), Breaker::half_open) << "the trial is under way";
  fail(kLan, 1, due + Millis(1));
  EXPECT_EQ(breaker(due + Millis(1)), Breaker::open);
  paths.on_success(kLan, Millis(1), due + Millis(2));
  EXPECT_EQ(breaker(due + Millis(2)), Breaker::closed);
}

}  // namespace
}  // namespace riftbus::bus
