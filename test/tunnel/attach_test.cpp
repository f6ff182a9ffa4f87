#include "tunnel/attach.h"

#include <gtest/gtest.h>

#include "config/yaml.h"

namespace riftbus::tunnel {
namespace {

const std::string kPin = "SHA256:" + std::string(43, 'A');

EffectiveConfig config(const std::string& more = "") {
  Diagnostics diagnostics;
  const auto cluster = parse_cluster_file(
      "relays: [r1, r2]\n"
      "nodes:\n"
      "  r1: {addresses: [192.0.2.1, 192.0.2.2], relay: {ssh_port: 443, pins: [" +
          kPin +
          "]}}\n"
          "  r2: {addresses: [192.0.2.3]}\n"
          "  vast-1:\n"
          "    nat_blocked: true\n"
          "    paths: {data_dir: /tmp/vast}\n"
          "    listen: {router_port: 9000, pub_port: 9001}\n" +
          more,
      "cluster.yaml", diagnostics);
  ConfigLayers layers;
  layers.flags = {{"node.id", {"vast-1"}, {"flag --node-id", 0, 0}}};
  layers.cluster = &cluster;
  auto effective = resolve(layers, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  return effective;
}

std::vector<std::string> texts(const std::vector<Forward>& forwards) {
  std::vector<std::string> all;
  for (const auto& forward : forwards) all.push_back(forward.to_string());
  return all;
}
using Words = std::vector<std::string>;

TEST(Attach, BothBusSocketsGoByTheNumbersThatOthersAskFor) {
  const auto tunnel = attach_to(config(), "r1");
  ASSERT_TRUE(tunnel.ok());
  EXPECT_EQ(texts(tunnel->reverse),
            (Words{"127.0.0.1:7770:127.0.0.1:9000", "127.0.0.1:7771:127.0.0.1:9001"}));
  EXPECT_TRUE(tunnel->local.empty());
  EXPECT_EQ(tunnel->status_file, "/tmp/vast/tunnel-r1.json");
  EXPECT_EQ(tunnel->key_file, "/tmp/vast/keys/tunnel_ed25519");
}

TEST(Attach, EveryHostOfTheRelayIsAServerWithItsPin) {
  const auto tunnel = attach_to(config(), "r1");
  ASSERT_TRUE(tunnel.ok());
  ASSERT_EQ(tunnel->servers.size(), 3u);
  EXPECT_EQ(tunnel->servers[0].to_string(), "vast-1@192.0.2.1:443#" + kPin);
  EXPECT_EQ(tunnel->servers[1].to_string(), "vast-1@192.0.2.2:443#" + kPin);
}

TEST(Attach, TheLastWayIsTheBusUnlessTheRelaySaysNo) {
  const auto tunnel = attach_to(config(), "r1");
  ASSERT_TRUE(tunnel.ok());
  EXPECT_FALSE(tunnel->servers[1].is_carried());
  const TunnelServer& last = tunnel->servers[2];
  EXPECT_EQ(last.carrier, "/tmp/vast/carry-r1.sock");
  EXPECT_EQ(last.address(), "192.0.2.1:443");
  EXPECT_EQ(last.pins, tunnel->servers[0].pins);
  const auto direct = attach_to(config("relay: {carry: false}\n"), "r1");
  ASSERT_TRUE(direct.ok());
  EXPECT_EQ(direct->servers.size(), 2u);
}

TEST(Attach, OtherForwardsGoAlongUnlessATunnelOfTheirOwnCarriesThem) {
  const auto along = attach_to(config("    tunnel: {reverse: [\"8770:127.0.0.1:8770\"]}\n"), "r1");
  ASSERT_TRUE(along.ok());
  EXPECT_EQ(along->reverse.size(), 3u);
  const auto apart = attach_to(config("    tunnel: {reverse: [\"8770:127.0.0.1:8770\"], servers: "
                                      "[\"mesh@192.0.2.9#" +
                                      kPin + "\"]}\n"),
                               "r1");
  ASSERT_TRUE(apart.ok());
  EXPECT_EQ(apart->reverse.size(), 2u);
  EXPECT_EQ(apart->servers.size(), 3u);
}

TEST(Attach, ADaemonOfOneAddressIsReachedThere) {
  const auto tunnel = attach_to(config("    addresses: [127.0.0.1]\n"), "r1");
  ASSERT_TRUE(tunnel.ok());
  EXPECT_EQ(tunnel->reverse[0].target.host, "127.0.0.1");
}

TEST(Attach, WithoutAPinNothingIsTunnelled) {
  EXPECT_EQ(attach_to(config(), "r2").error().code, 1822);
  EXPECT_EQ(attach_to(config(), "r9").error().code, 1822);
  EXPECT_EQ(attach_to(config(), "no such/name").error().code, 1001);
}

}  // namespace
}  // namespace riftbus::tunnel
