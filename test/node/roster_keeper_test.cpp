#include "node/roster_keeper.h"

#include <gtest/gtest.h>

namespace riftbus::node {
namespace {

class RosterKeeperTest : public ::testing::Test {
 protected:
  [[nodiscard]] SignedRoster make(std::uint64_t version) const {
    Roster roster;
    roster.cluster = "test";
    roster.version = RosterVersion{version};
    return sign_roster(roster, authority_);
  }

  AuthoritySecret authority_ = AuthoritySecret::generate();
  RosterKeeper keeper_{make(3), authority_.public_key()};
  TimePoint start_{Seconds{10}};
};

TEST_F(RosterKeeperTest, AsksOnlyWhoeverSpeaksOfANewerVersion) {
  EXPECT_FALSE(keeper_.on_version(RosterVersion{2}, start_).has_value());
  EXPECT_FALSE(keeper_.on_version(RosterVersion{3}, start_).has_value());
  const auto request = keeper_.on_version(RosterVersion{4}, start_);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->have, RosterVersion{3});
}

TEST_F(RosterKeeperTest, FetchesOnceAndTriesAgainWhenNobodyAnswered) {
  ASSERT_TRUE(keeper_.on_version(RosterVersion{4}, start_).has_value());
  EXPECT_FALSE(keeper_.on_version(RosterVersion{4}, start_ + Millis{500}).has_value());
  EXPECT_TRUE(keeper_.on_version(RosterVersion{4}, start_ + kRosterFetchTimeout).has_value());
}

TEST_F(RosterKeeperTest, AdoptsAHigherSignedVersion) {
  EXPECT_TRUE(keeper_.offer(make(4).bytes).value());
  EXPECT_EQ(keeper_.current().version, RosterVersion{4});
}

TEST_F(RosterKeeperTest, KeepsItsOwnAgainstAnOlderOrEqualVersion) {
  EXPECT_FALSE(keeper_.offer(make(3).bytes).value());
  EXPECT_FALSE(keeper_.offer(make(2).bytes).value());
  EXPECT_EQ(keeper_.current().version, RosterVersion{3});
}

TEST_F(RosterKeeperTest, RefusesAnotherAuthoritysSignature) {
  const auto stranger = AuthoritySecret::generate();
  Roster roster;
  roster.cluster = "test";
  roster.version = RosterVersion{9};
  EXPECT_FALSE(keeper_.offer(sign_roster(roster, stranger).bytes).ok());
  EXPECT_EQ(keeper_.current().version, RosterVersion{3});
  EXPECT_EQ(keeper_.refused(), 1U);
}

TEST_F(RosterKeeperTest, SendsTheDocumentOnlyToWhoeverLacksIt) {
  EXPECT_FALSE(keeper_.on_get({RosterVersion{2}}).bytes.empty());
  EXPECT_TRUE(keeper_.on_get({RosterVersion{3}}).bytes.empty());
}

}  // namespace
}  // namespace riftbus::node
