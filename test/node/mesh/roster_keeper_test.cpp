#include "node/mesh/roster_keeper.h"

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
  // Another roster of the same version.
  [[nodiscard]] SignedRoster make_rival(std::uint64_t version) const {
    Roster roster = make(version).roster;
    roster.revoked.emplace(peer_, RosterVersion{1});
    return sign_roster(roster, authority_);
  }

  NodeId peer_ = NodeId::parse("n2").value();
  TimePoint start_{Seconds{10}};
};

TEST_F(RosterKeeperTest, ComparesRostersOfOneVersionOnceWithEachPeerAndNowAndThen) {
  const auto request = keeper_.on_version(peer_, RosterVersion{3}, start_);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->have, RosterVersion{3});
  EXPECT_EQ(request->digest, roster_digest(make(3).bytes));
  EXPECT_FALSE(keeper_.on_document(peer_, {RosterVersion{3}, ""}).value());
  EXPECT_FALSE(keeper_.on_version(peer_, RosterVersion{3}, start_ + Seconds{9}).has_value());
  EXPECT_TRUE(keeper_.on_version(NodeId::parse("n3").value(), RosterVersion{3}, start_ + Seconds{9})
                  .has_value());
  EXPECT_TRUE(keeper_.on_version(peer_, RosterVersion{3}, start_ + kRosterCompareEvery + Seconds{1})
                  .has_value());
}

TEST_F(RosterKeeperTest, AnswersAnotherDigestOfItsVersionWithTheDocument) {
  EXPECT_TRUE(keeper_.on_get({RosterVersion{3}, roster_digest(make(3).bytes)}).bytes.empty());
  EXPECT_EQ(keeper_.on_get({RosterVersion{3}, roster_digest(make_rival(3).bytes)}).bytes,
            make(3).bytes);
}

TEST_F(RosterKeeperTest, NamesWhoHoldsAnotherRosterOfItsVersionUntilANewerOneSettlesIt) {
  const auto offered = keeper_.on_document(peer_, {RosterVersion{3}, make_rival(3).bytes});
  ASSERT_FALSE(offered.ok());
  EXPECT_EQ(offered.error().code, kRosterConflict);
  EXPECT_EQ(keeper_.rivals(), std::set{peer_});
  EXPECT_EQ(keeper_.conflicts(), 1U);
  EXPECT_EQ(keeper_.current().revoked.size(), 0U) << "the one that came first stays";
  EXPECT_TRUE(keeper_.offer(make(4).bytes).value());
  EXPECT_TRUE(keeper_.rivals().empty());
}

TEST_F(RosterKeeperTest, APeerThatAgreesAgainIsNoRival) {
  (void)keeper_.on_document(peer_, {RosterVersion{3}, make_rival(3).bytes});
  (void)keeper_.on_document(peer_, {RosterVersion{3}, ""});
  EXPECT_TRUE(keeper_.rivals().empty());
}

TEST_F(RosterKeeperTest, AnAdminIsToldOfAConflictToo) {
  EXPECT_EQ(keeper_.offer(make_rival(3).bytes).error().code, kRosterConflict);
  EXPECT_TRUE(keeper_.rivals().empty()) << "an operator's roster is no node's";
}

TEST_F(RosterKeeperTest, AsksOnlyWhoeverSpeaksOfANewerVersion) {
  EXPECT_FALSE(keeper_.on_version(peer_, RosterVersion{2}, start_).has_value());
  const auto request = keeper_.on_version(peer_, RosterVersion{4}, start_);
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->have, RosterVersion{3});
}

TEST_F(RosterKeeperTest, FetchesOnceAndTriesAgainWhenNobodyAnswered) {
  ASSERT_TRUE(keeper_.on_version(peer_, RosterVersion{4}, start_).has_value());
  EXPECT_FALSE(keeper_.on_version(peer_, RosterVersion{4}, start_ + Millis{500}).has_value());
  EXPECT_TRUE(
      keeper_.on_version(peer_, RosterVersion{4}, start_ + kRosterFetchTimeout).has_value());
}

TEST_F(RosterKeeperTest, APeerThatNeverAnswersKeepsNobodyElseFromIt) {
  const auto honest = NodeId::parse("n3").value();
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(keeper_.on_version(peer_, RosterVersion{99}, start_ + i * Seconds{1}));
  }
  EXPECT_TRUE(keeper_.on_version(honest, RosterVersion{4}, start_ + Seconds{4}).has_value());
}

TEST_F(RosterKeeperTest, FetchesFromFewPeersAtOnce) {
  std::size_t asked = 0;
  for (int i = 0; i < 9; ++i) {
    const auto peer = NodeId::parse("p" + std::to_string(i)).value();
    if (keeper_.on_version(peer, RosterVersion{4}, start_)) ++asked;
  }
  EXPECT_EQ(asked, kRosterFetchesMax);
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
