#include "config/roster_edit.h"

#include <gtest/gtest.h>

#include "test/config/identities.h"

namespace riftbus {
namespace {

Approval approval_of(std::string_view id, std::uint8_t seed, std::set<Role> roles) {
  return {id_of(id), key_of(seed), std::move(roles), std::nullopt, ""};
}

// hub-1 (node, voter, relay; key 1) and lena (admin; key 2), version 3.
Roster make_small_roster() {
  auto roster = make_empty_roster("kitchen").value();
  roster =
      approve_key(roster, approval_of("hub-1", 1, {Role::node, Role::voter, Role::relay})).value();
  roster = approve_key(roster, approval_of("lena", 2, {Role::admin})).value();
  return set_voters(roster, {id_of("hub-1")}).value();
}

TEST(RosterEdit, RaisesTheVersionByOneEachTime) {
  EXPECT_EQ(make_small_roster().version, RosterVersion(3));
}

TEST(RosterEdit, RefusesAClusterNameThatIsNotAName) {
  EXPECT_EQ(make_empty_roster("my kitchen").error().code, 1126);
}

TEST(RosterEdit, ApprovingAgainWithTheSameKeyRenews) {
  auto renewal = approval_of("hub-1", 1, {Role::node, Role::voter});
  renewal.expires_at_s = 1'800'000'000;
  renewal.note = "renewed";
  const auto roster = approve_key(make_small_roster(), renewal);
  ASSERT_TRUE(roster.ok()) << roster.error().to_string();
  const RosterEntry* entry = roster->find(id_of("hub-1"));
  EXPECT_EQ(entry->expires_at_s, 1'800'000'000);
  EXPECT_EQ(entry->note, "renewed");
}

TEST(RosterEdit, TakingAwayTheVoterRoleEndsTheListing) {
  const auto roster = approve_key(make_small_roster(), approval_of("hub-1", 1, {Role::node}));
  EXPECT_TRUE(roster.value().voters.empty());
}

TEST(RosterEdit, RefusesAnotherKeyForAListedId) {
  const auto roster = approve_key(make_small_roster(), approval_of("hub-1", 5, {Role::node}));
  EXPECT_EQ(roster.error().code, 1124);
}

TEST(RosterEdit, RefusesAKeyThatSomebodyHas) {
  const auto roster = make_small_roster();
  EXPECT_EQ(approve_key(roster, approval_of("gpu-1", 2, {Role::node})).error().code, 1122);
  EXPECT_EQ(rotate_key(roster, id_of("hub-1"), key_of(2)).error().code, 1122);
  EXPECT_EQ(rotate_key(roster, id_of("hub-1"), key_of(1)).error().code, 1122);
}

TEST(RosterEdit, RefusesApprovalsWithoutSense) {
  const auto roster = make_small_roster();
  auto no_roles = approval_of("gpu-1", 5, {});
  auto past = approval_of("gpu-1", 5, {Role::node});
  past.expires_at_s = -1;
  auto rude = approval_of("gpu-1", 5, {Role::node});
  rude.note = "\x1b[2J";
  auto nobody = approval_of("gpu-1", 5, {Role::node});
  nobody.id = NodeId();
  auto zero = approval_of("gpu-1", 0, {Role::node});
  for (const auto& approval : {no_roles, past, rude, nobody}) {
    EXPECT_EQ(approve_key(roster, approval).error().code, 1126);
  }
  EXPECT_EQ(approve_key(roster, zero).error().code, 1107);
}

TEST(RosterEdit, RevokingRemovesTheIdEverywhere) {
  const auto roster = revoke_id(make_small_roster(), id_of("hub-1"));
  ASSERT_TRUE(roster.ok()) << roster.error().to_string();
  EXPECT_EQ(roster->find(id_of("hub-1")), nullptr);
  EXPECT_TRUE(roster->voters.empty());
  EXPECT_EQ(roster->revoked.at(id_of("hub-1")), RosterVersion(4));
  EXPECT_EQ(roster->revoked_keys.at(key_of(1)), id_of("hub-1"));
}

TEST(RosterEdit, ARevokedKeyNeverReturnsButItsIdMay) {
  const auto roster = revoke_id(make_small_roster(), id_of("hub-1")).value();
  EXPECT_EQ(approve_key(roster, approval_of("gpu-1", 1, {Role::node})).error().code, 1123);
  EXPECT_EQ(approve_key(roster, approval_of("hub-1", 1, {Role::node})).error().code, 1123);
  EXPECT_TRUE(approve_key(roster, approval_of("hub-1", 5, {Role::node})).ok());
}

TEST(RosterEdit, RevokingTheLastAdminNeedsForce) {
  const auto roster = make_small_roster();
  EXPECT_EQ(revoke_id(roster, id_of("lena")).error().code, 1127);
  EXPECT_TRUE(revoke_id(roster, id_of("lena"), EditMode::force).ok());
  const auto two = approve_key(roster, approval_of("omar", 5, {Role::admin})).value();
  EXPECT_TRUE(revoke_id(two, id_of("lena")).ok());
}

TEST(RosterEdit, TakingTheRoleFromTheLastAdminNeedsForce) {
  const auto roster = make_small_roster();
  auto demoted = approval_of("lena", 2, {Role::tap});
  const auto refused = approve_key(roster, demoted);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, 1127);
  EXPECT_NE(refused.error().next.find("--force"), std::string::npos);
  EXPECT_TRUE(approve_key(roster, demoted, EditMode::force).ok());
  const auto two = approve_key(roster, approval_of("omar", 5, {Role::admin})).value();
  EXPECT_TRUE(approve_key(two, demoted).ok());
}

TEST(RosterEdit, RotationAcceptsBothKeysUntilTheOldOneIsDropped) {
  auto roster = rotate_key(make_small_roster(), id_of("hub-1"), key_of(5)).value();
  EXPECT_NE(roster.find(key_of(1)), nullptr);
  EXPECT_NE(roster.find(key_of(5)), nullptr);
  roster = drop_previous_key(roster, id_of("hub-1")).value();
  EXPECT_EQ(roster.find(key_of(1)), nullptr);
  EXPECT_EQ(drop_previous_key(roster, id_of("hub-1")).error().code, 1128);
}

TEST(RosterEdit, RevokingDuringARotationOutlawsBothKeys) {
  auto roster = rotate_key(make_small_roster(), id_of("hub-1"), key_of(5)).value();
  roster = revoke_id(roster, id_of("hub-1")).value();
  EXPECT_TRUE(roster.revoked_keys.contains(key_of(1)));
  EXPECT_TRUE(roster.revoked_keys.contains(key_of(5)));
}

TEST(RosterEdit, ForgettingOldRevocationsKeepsTheNewerOnes) {
  auto roster = approve_key(make_small_roster(), approval_of("gpu-1", 5, {Role::node})).value();
  roster = revoke_id(roster, id_of("gpu-1")).value();  // version 5
  roster = revoke_id(roster, id_of("hub-1")).value();  // version 6
  roster = forget_revoked(roster, RosterVersion(5)).value();
  EXPECT_FALSE(roster.revoked.contains(id_of("gpu-1")));
  EXPECT_FALSE(roster.revoked_keys.contains(key_of(5)));
  EXPECT_TRUE(roster.revoked_keys.contains(key_of(1)));
}

TEST(RosterEdit, NamesTheIdItDoesNotKnow) {
  const auto roster = make_small_roster();
  const NodeId stranger = id_of("stranger");
  EXPECT_EQ(revoke_id(roster, stranger).error().code, 1121);
  EXPECT_EQ(rotate_key(roster, stranger, key_of(5)).error().code, 1121);
  EXPECT_EQ(drop_previous_key(roster, stranger).error().code, 1121);
  EXPECT_EQ(set_voters(roster, {stranger}).error().code, 1121);
  EXPECT_NE(set_voters(roster, {stranger}).error().what.find("stranger"), std::string::npos);
}

TEST(RosterEdit, ListsOnlyThoseWhoHoldTheRoleAndOnce) {
  const auto roster = make_small_roster();
  const NodeId hub = id_of("hub-1");
  EXPECT_EQ(set_voters(roster, {id_of("lena")}).error().code, 1125);
  EXPECT_EQ(set_voters(roster, {hub, hub}).error().code, 1104);
  EXPECT_EQ(set_relays(roster, {hub}).value().relays, std::vector<NodeId>{hub});
}

}  // namespace
}  // namespace riftbus
