#include "node/http/legacy_member.h"

#include <gtest/gtest.h>

namespace riftbus::node {
namespace {

membership::Member member(wire::Standing standing) {
  membership::Member one;
  one.standing = standing;
  return one;
}

// Old clients stop counting on a node that is not online, and a node that has lost its relays only
// goes on working.
TEST(LegacyMember, WhoeverMayStillBeAtWorkIsOnline) {
  for (const auto standing :
       {wire::Standing::alive, wire::Standing::suspect, wire::Standing::unreachable}) {
    EXPECT_TRUE(is_online(member(standing))) << wire::to_string(standing);
  }
  for (const auto standing : {wire::Standing::dead, wire::Standing::left}) {
    EXPECT_FALSE(is_online(member(standing))) << wire::to_string(standing);
  }
}

TEST(LegacyMember, ANodeBehindRelaysSaysThroughWhich) {
  const wire::Address lan{wire::AddressKind::lan, "10.1.0.2", 7770, 7771};
  const wire::Address relay{wire::AddressKind::relay, "192.0.2.1", 7723, 7723};
  const wire::Address open{wire::AddressKind::public_ip, "198.51.100.7", 7770, 7771};
  Random random(1);
  membership::Settings settings;
  settings.self = *NodeId::parse("n1");
  settings.instance = Instance(1);
  settings.record.id = settings.self;
  const membership::Membership core(settings, random);
  NodeView view;
  view.membership = &core;
  auto one = member(wire::Standing::alive);
  one.record.addresses = {lan, relay};
  auto info = node_info(one, view, {});
  EXPECT_EQ(info["nat_blocked"], true);
  EXPECT_EQ(info["relay_via"], "192.0.2.1");
  one.record.addresses = {open, relay};
  info = node_info(one, view, {});
  EXPECT_EQ(info["nat_blocked"], false);
  EXPECT_TRUE(info["relay_via"].is_null());
}

}  // namespace
}  // namespace riftbus::node
