#include "bus/targets.h"

#include <gtest/gtest.h>

#include "test/bus/vocabulary.h"

namespace riftbus::bus {
namespace {

using test::id_of;

CurveKey key(std::uint8_t byte) {
  CurveKey key;
  key.bytes.fill(byte);
  return key;
}

class Known {
 public:
  Known() {
    add("a", "192.0.2.1", AddressKind::internet, 1);
    add("b", "127.0.0.1", AddressKind::loopback, 2);
    add("c", "192.0.2.3", AddressKind::internet, 3);
    cluster_.voters = {id_of("c")};
  }
  KnownNodes both() const { return {&roster_, &cluster_}; }
  KnownNodes roster_only() const { return {&roster_, nullptr}; }
  KnownNodes cluster_only() const { return {nullptr, &cluster_}; }
  Roster& roster() { return roster_; }

 private:
  void add(const std::string& name, const std::string& host, AddressKind kind, std::uint8_t byte) {
    NodeConfig node;
    node.id = id_of(name);
    node.addresses = {{kind, host, 7770, 7771}};
    cluster_.nodes[node.id] = node;
    RosterEntry entry;
    entry.id = node.id;
    entry.key = key(byte);
    entry.roles = {Role::node};
    roster_.entries[entry.id] = entry;
  }
  Roster roster_;
  ClusterConfig cluster_;
};

TEST(Targets, ThisMachineComesFirstThenVotersThenTheRest) {
  const Known known;
  const auto targets = default_targets(known.both(), "elsewhere");
  ASSERT_TRUE(targets.ok());
  ASSERT_EQ(targets->size(), 3U);
  EXPECT_EQ((*targets)[0].id, id_of("b"));
  EXPECT_EQ((*targets)[1].id, id_of("c"));
  EXPECT_EQ((*targets)[2].id, id_of("a"));
  EXPECT_EQ((*targets)[0].key, key(2));
}

TEST(Targets, AHostNamedInTheRosterIsAskedOnItsOwnLoopback) {
  const Known known;
  const auto targets = default_targets(known.roster_only(), "c");
  ASSERT_TRUE(targets.ok());
  EXPECT_EQ(targets->front(), (Target{id_of("c"), key(3), "127.0.0.1", 7770}));
}

TEST(Targets, AnIdHasItsAddressFromTheClusterFileAndItsKeyFromTheRoster) {
  const Known known;
  const auto targets = named_targets("c", known.both());
  ASSERT_TRUE(targets.ok());
  EXPECT_EQ(*targets, (std::vector<Target>{{id_of("c"), key(3), "192.0.2.3", 7770}}));
}

TEST(Targets, AnIdWithoutAddressIsTriedAsAHostName) {
  const Known known;
  const auto targets = named_targets("a", known.roster_only());
  ASSERT_TRUE(targets.ok());
  EXPECT_EQ(targets->front().host, "a");
}

TEST(Targets, AnAddressOfTheClusterFileTellsWhoItIs) {
  const Known known;
  const auto targets = named_targets("192.0.2.3:7770", known.both());
  ASSERT_TRUE(targets.ok());
  ASSERT_EQ(targets->size(), 1U);
  EXPECT_EQ(targets->front().id, id_of("c"));
}

TEST(Targets, AtAnUnknownAddressEveryMembersKeyIsTried) {
  const Known known;
  const auto targets = named_targets("198.51.100.7", known.both());
  ASSERT_TRUE(targets.ok());
  EXPECT_EQ(targets->size(), 3U);
  EXPECT_EQ(targets->front().host, "198.51.100.7");
}

TEST(Targets, WithTooManyKeysToTryTheIdMustBeSaid) {
  Known known;
  for (int i = 0; i < 20; ++i) {
    RosterEntry entry;
    entry.id = id_of("x" + std::to_string(i));
    entry.roles = {Role::node};
    known.roster().entries[entry.id] = entry;
  }
  const auto targets = named_targets("198.51.100.7:99", known.both());
  ASSERT_FALSE(targets.ok());
  EXPECT_EQ(targets.error().code, 1506);
  const auto named = named_targets("c@198.51.100.7:99", known.both());
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(named->front(), (Target{id_of("c"), key(3), "198.51.100.7", 99}));
}

TEST(Targets, WhoeverTheRosterDoesNotNameIsNotAsked) {
  const Known known;
  EXPECT_FALSE(named_targets("stranger", known.both()).ok());
  EXPECT_FALSE(named_targets("stranger@192.0.2.9", known.both()).ok());
  EXPECT_FALSE(named_targets("no host", known.both()).ok());
}

TEST(Targets, WithoutKeysTheClusterFileIsEnough) {
  const Known known;
  const auto targets = default_targets(known.cluster_only(), "");
  ASSERT_TRUE(targets.ok());
  EXPECT_EQ(targets->front().id, id_of("b"));
  const auto bare = default_targets({}, "");
  ASSERT_TRUE(bare.ok());
  EXPECT_EQ(bare->front().host, "127.0.0.1");
}

TEST(Targets, ANodeWhoseKeyIsRotatedIsTriedWithBoth) {
  Known known;
  known.roster().entries.at(id_of("c")).previous_key = key(33);
  const auto targets = named_targets("c", known.both());
  ASSERT_TRUE(targets.ok());
  ASSERT_EQ(targets->size(), 2U);
  EXPECT_EQ(targets->at(0).key, key(3));
  EXPECT_EQ(targets->at(1).key, key(33));
  EXPECT_EQ(targets->at(1).host, targets->at(0).host);
}

}  // namespace
}  // namespace riftbus::bus
