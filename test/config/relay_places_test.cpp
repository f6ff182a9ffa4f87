#include "config/relay_places.h"

#include <gtest/gtest.h>

#include "config/settings.h"
#include "config/yaml.h"
#include "test/config/identities.h"

namespace riftbus {
namespace {

const std::string kNextPin = "SHA256:" + std::string(43, 'B');

ClusterConfig read(const std::string& text) {
  Diagnostics diagnostics;
  auto cluster = parse_cluster_file(text, "cluster.yaml", diagnostics);
  for (const auto& line : diagnostics.sorted()) ADD_FAILURE() << line.to_string();
  return cluster;
}

ClusterConfig two_relays() {
  return read(
      "relays: [r1, r2]\n"
      "relay: {front_port: 7733}\n"
      "nodes:\n"
      "  r1:\n"
      "    addresses: [192.0.2.1, 100.64.0.1]\n"
      "    provider: hetzner\n"
      "    relay: {ssh_port: 443, pins: [" +
      kPin + ", " + kNextPin +
      "]}\n"
      "  r2: {addresses: [192.0.2.2]}\n"
      "  r3: {addresses: [192.0.2.3], nat_blocked: true}\n"
      "  r4: {addresses: [192.0.2.4], status: retired}\n"
      "  r5: {}\n"
      "  vast-1: {nat_blocked: true}\n"
      "  vast-2: {nat_blocked: true, relays: [r2]}\n");
}

TEST(RelayPlaces, SayWhereARelayIsAndWhatItsKeyIs) {
  const auto places = relay_places(two_relays(), {id_of("r1")});
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].id, id_of("r1"));
  EXPECT_EQ(places[0].domain, "hetzner");
  EXPECT_EQ(places[0].hosts, (std::vector<std::string>{"192.0.2.1", "100.64.0.1"}));
  EXPECT_EQ(places[0].ssh_port, 443);
  EXPECT_EQ(places[0].front_port, 7733) << "of the shared section";
  EXPECT_EQ(places[0].pins, (std::vector<std::string>{kPin, kNextPin}));
}

TEST(RelayPlaces, LeaveOutWhoCannotBeARelay) {
  const auto places = relay_places(two_relays(), {id_of("r2"), id_of("r3"), id_of("r4"),
                                                  id_of("r5"), id_of("nobody"), id_of("r1")});
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[0].id, id_of("r2")) << "in the order that was asked for";
  EXPECT_EQ(places[0].domain, "r2");
  EXPECT_TRUE(places[0].pins.empty());
}

TEST(RelayPlaces, ANodeHasItsOwnRelaysOrTheClusters) {
  const auto cluster = two_relays();
  EXPECT_EQ(relay_places_for(cluster, id_of("vast-1")).size(), 2u);
  const auto own = relay_places_for(cluster, id_of("vast-2"));
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0].id, id_of("r2"));
}

TEST(RelayPlaces, EveryRelayCarriesUnlessItsSectionSaysNo) {
  const auto cluster = read(
      "relays: [r1, r2]\n"
      "nodes:\n"
      "  r1: {addresses: [192.0.2.1], relay: {carry: false}}\n"
      "  r2: {addresses: [192.0.2.2]}\n");
  const auto places = relay_places(cluster, {id_of("r1"), id_of("r2")});
  ASSERT_EQ(places.size(), 2u);
  EXPECT_FALSE(places[0].carries);
  EXPECT_TRUE(places[1].carries);
}

TEST(RelayPlaces, APathThatNoSocketCanHaveIsNone) {
  EXPECT_EQ(carry_socket_of("/tmp/vast", id_of("r1")), "/tmp/vast/carry-r1.sock");
  EXPECT_FALSE(carry_socket_of("/tmp/" + std::string(kSocketPathBytesMax, 'x'), id_of("r1")));
}

TEST(RelayPlaces, APinThatIsNoneIsAMistake) {
  Diagnostics diagnostics;
  (void)parse_cluster_file("nodes:\n  r1: {relay: {pins: [MD5:00]}}\n", "cluster.yaml",
                           diagnostics);
  const auto* spec = find_setting("relay.pins");
  ASSERT_NE(spec, nullptr);
  NodeSettings node;
  EXPECT_EQ(spec->assign(node, {"MD5:00"}).error().code, 1008);
  EXPECT_EQ(spec->assign(node, std::vector<std::string>(5, kPin)).error().code, 1008);
  EXPECT_TRUE(spec->assign(node, {kPin}).ok());
  EXPECT_EQ(node.relay.pins, std::vector<std::string>{kPin});
}

}  // namespace
}  // namespace riftbus
