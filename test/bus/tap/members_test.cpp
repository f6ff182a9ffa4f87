#include "bus/tap/members.h"

#include <gtest/gtest.h>

#include "test/bus/tap/frames.h"

namespace riftbus::tap {
namespace {

CurveKey key(std::uint8_t byte) {
  CurveKey out;
  out.bytes.fill(byte);
  return out;
}

TEST(Members, ComeFromANodeList) {
  Roster roster;
  for (const auto* name : {"n1", "n2"}) {
    RosterEntry& entry = roster.entries[id(name)];
    entry.id = id(name);
    entry.key = key(1);
  }
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
      &roster);
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->after, "n2");
  ASSERT_EQ(page->nodes.size(), 1U);
  EXPECT_EQ(page->nodes[0].id, id("n1"));
  EXPECT_EQ(page->nodes[0].targets,
            (std::vector<bus::Target>{{id("n1"), key(1), "192.0.2.1", 7770}}));
  for (const auto* bad : {"", "[]", "{}", R"({"schema":2,"nodes":[]})",
                          R"({"schema":1,"nodes":{}})", R"({"schema":1,"nodes":[7]})"}) {
    EXPECT_FALSE(read_node_page(bad, &roster).has_value()) << bad;
  }
}

TEST(Members, WithoutARosterAllAreListed) {
  const auto page = read_node_page(
      R"({"schema":1,"nodes":[{"id":"n1","standing":"alive","addresses":[]}]})", nullptr);
  ASSERT_TRUE(page.has_value());
  EXPECT_EQ(page->nodes.size(), 1U);
}

}  // namespace
}  // namespace riftbus::tap
