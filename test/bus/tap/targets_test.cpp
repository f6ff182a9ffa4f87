#include "bus/tap/targets.h"

#include <gtest/gtest.h>

#include "test/bus/tap/frames.h"

namespace riftbus::tap {
namespace {

CurveKey key(std::uint8_t byte) {
  CurveKey out;
  out.bytes.fill(byte);
  return out;
}

// n1 and n2 are members, lena is an operator; the cluster file puts n1 at 192.0.2.1.
Home known() {
  Home home;
  home.roster.emplace();
  home.cluster.emplace();
  for (const auto* name : {"n1", "n2", "lena"}) {
    RosterEntry entry;
    entry.id = id(name);
    entry.key = key(static_cast<std::uint8_t>(name[1]));
    entry.roles = {name[0] == 'n' ? Role::node : Role::tap};
    home.roster->entries[entry.id] = entry;
  }
  NodeConfig node;
  node.id = id("n1");
  node.addresses = {{riftbus::AddressKind::internet, "192.0.2.1", 7770, 7771},
                    {riftbus::AddressKind::loopback, "127.0.0.1", 7790, 7791}};
  home.cluster->nodes[node.id] = node;
  return home;
}

TEST(Targets, AnIdWithAnAddressIsTakenAtItsWord) {
  EXPECT_EQ(*find_targets("n2@192.0.2.9:99", known()),
            (std::vector<Target>{{id("n2"), key('2'), "192.0.2.9", 99}}));
  EXPECT_EQ(find_targets("n2@192.0.2.9", known())->at(0).port, 7770);
}

TEST(Targets, AnIdIsFoundInTheClusterFile) {
  const auto targets = find_targets("n1", known());
  ASSERT_TRUE(targets.ok());
  ASSERT_EQ(targets->size(), 2U);
  EXPECT_EQ(targets->at(0), (Target{id("n1"), key('1'), "192.0.2.1", 7770}));
}

TEST(Targets, AnAddressIsFoundInTheClusterFileElseEveryMembersKeyIsTried) {
  EXPECT_EQ(*find_targets("192.0.2.1:7770", known()),
            (std::vector<Target>{{id("n1"), key('1'), "192.0.2.1", 7770}}));
  EXPECT_EQ(*find_targets("192.0.2.77:1", known()),
            (std::vector<Target>{{id("n1"), key('1'), "192.0.2.77", 1},
                                 {id("n2"), key('2'), "192.0.2.77", 1}}));
  Home many = known();
  for (int i = 0; i < 20; ++i) {
    RosterEntry entry;
    entry.id = id("m" + std::to_string(i));
    entry.roles = {Role::node};
    many.roster->entries[entry.id] = entry;
  }
  EXPECT_EQ(find_targets("192.0.2.77:1", many).error().code, 1558);
}

TEST(Targets, ThisMachineIsWhereTheLoopbackAddressIs) {
  EXPECT_EQ(*find_local_targets(known()),
            (std::vector<Target>{{id("n1"), key('1'), "127.0.0.1", 7790}}));
}

TEST(Targets, WhoIsNotInTheRosterCannotBeReached) {
  EXPECT_EQ(find_targets("n9@192.0.2.9", known()).error().code, 1558);
  EXPECT_FALSE(find_targets("n 9@192.0.2.9", known()).ok());
  EXPECT_FALSE(find_targets("n2@", known()).ok());
  EXPECT_FALSE(find_targets("", known()).ok());
}

TEST(Targets, MembersComeFromANodeList) {
  const auto page = read_node_page(
      R"({"schema":1,"after":"n2","nodes":[
        {"id":"n1","standing":"suspect","addresses":[
          {"kind":"lan","host":"192.0.2.1","call_port":7770,"pub_port":7771},
          {"kind":"lan","host":"","call_port":7770},
          {"kind":"lan","host":"192.0.2.2","call_port":70000},
          "junk"]},
        {"id":"n2","standing":"dead","addresses":[]},
        {"id":"stranger","standing":"alive","addresses":[]},
        {"id":7,"standing":"alive"}]})",
      known());
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->after, "n2");
  ASSERT_EQ(page->nodes.size(), 1U);
  EXPECT_EQ(page->nodes[0].id, id("n1"));
  EXPECT_EQ(page->nodes[0].targets, (std::vector<Target>{{id("n1"), key('1'), "192.0.2.1", 7770}}));
  for (const auto* bad : {"", "[]", "{}", R"({"schema":2,"nodes":[]})",
                          R"({"schema":1,"nodes":{}})", R"({"schema":1,"nodes":[7]})"}) {
    EXPECT_FALSE(read_node_page(bad, known()).has_value()) << bad;
  }
}

TEST(Targets, AHomeWithoutKeysSaysWhatToDo) {
  const auto home = load_home({"/nonexistent/keys", "", "", false}, {});
  ASSERT_FALSE(home.ok());
  EXPECT_FALSE(home.error().next.empty());
  EXPECT_EQ(load_home({}, {{"HOME", "/nonexistent"}}).error().code, 1558);
}

}  // namespace
}  // namespace riftbus::tap
