#include "config/legacy.h"

#include <gtest/gtest.h>

#include <string>

#include "config/yaml.h"
#include "test/config/golden.h"
#include "test/config/identities.h"

namespace riftbus {
namespace {

ClusterConfig parse_hosts(const std::string& text, Diagnostics& diagnostics) {
  return parse_cluster_file(text, "hosts.yaml", diagnostics);
}

TEST(DistributedHosts, ARealFileOfFortyTwoHostsLoads) {
  Diagnostics diagnostics;
  const auto cluster =
      parse_hosts(read_source("config/examples/distributed_hosts.yaml"), diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  EXPECT_EQ(cluster.nodes.size(), 42u);
  EXPECT_TRUE(cluster.is_legacy);
  // runpod-h100 is listed, but offline.
  EXPECT_EQ(cluster.voters.size(), 8u);

  const auto* vast = cluster.find(id_of("vast-1013"));
  ASSERT_NE(vast, nullptr);
  EXPECT_EQ(vast->provider, "vast");
  EXPECT_TRUE(vast->nat_blocked);
  EXPECT_TRUE(vast->is_ephemeral);

  const auto* gpu = cluster.find(id_of("lambda-gh200-1"));
  ASSERT_NE(gpu, nullptr);
  EXPECT_EQ(gpu->provider, "lambda");
  EXPECT_EQ(gpu->resources.gpu_vram_gb, 96);
  EXPECT_EQ(gpu->resources.memory_gb, 432);
  ASSERT_EQ(gpu->addresses.size(), 2u);
  EXPECT_EQ(gpu->addresses[0].kind, AddressKind::internet);
  EXPECT_EQ(gpu->addresses[1].kind, AddressKind::tailscale);

  EXPECT_EQ(cluster.find(id_of("nebius-h100-2"))->status, NodeStatus::retired);
  EXPECT_EQ(cluster.find(id_of("aws-proxy"))->status, NodeStatus::proxy_only);
  EXPECT_EQ(cluster.find(id_of("local-mac"))->addresses[0].kind, AddressKind::loopback);
  EXPECT_TRUE(cluster.find(id_of("local-mac"))->resources.gpu.empty());
}

TEST(DistributedHosts, AnErrorTextInTailscaleIpIsAWarningWithItsLine) {
  Diagnostics diagnostics;
  const auto cluster = parse_hosts(
      "hosts:\n  a:\n    ssh_host: 192.0.2.1\n    tailscale_ip: 'Error: not logged in'\n",
      diagnostics);
  ASSERT_EQ(cluster.nodes.size(), 1u);
  EXPECT_EQ(cluster.find(id_of("a"))->addresses.size(), 1u);
  ASSERT_EQ(diagnostics.all().size(), 1u);
  EXPECT_EQ(diagnostics.all()[0].severity, Severity::warning);
  EXPECT_EQ(diagnostics.all()[0].where.to_string(), "hosts.yaml:4:19");
}

TEST(DistributedHosts, PerHostVoterFlagsCountOnlyWithoutAList) {
  constexpr const char* kHosts =
      "hosts:\n"
      "  a: {ssh_host: 192.0.2.1, status: ready, p2p_voter: true}\n"
      "  b: {ssh_host: 192.0.2.2, status: ready, voter: true}\n"
      "  c: {ssh_host: 192.0.2.3, status: offline, voter: true}\n";
  Diagnostics diagnostics;
  const auto flagged = parse_hosts(kHosts, diagnostics);
  EXPECT_EQ(flagged.voters, (std::vector<NodeId>{id_of("a"), id_of("b")}));
  Diagnostics more;
  const auto listed = parse_hosts(std::string("p2p_voters: [b]\n") + kHosts, more);
  EXPECT_EQ(listed.voters, (std::vector<NodeId>{id_of("b")}));
  EXPECT_EQ(more.warning_count(), 2u);
}

TEST(DistributedHosts, RelaysKeepTheirOrder) {
  Diagnostics diagnostics;
  const auto cluster = parse_hosts(
      "hosts:\n"
      "  r1: {ssh_host: 192.0.2.1, status: ready, relay_capable: true}\n"
      "  r2: {ssh_host: 192.0.2.2, status: ready, relay_capable: true}\n"
      "  n: {ssh_host: 192.0.2.3, force_relay_mode: true, relay_secondary: r1,"
      " relay_primary: r2}\n",
      diagnostics);
  EXPECT_EQ(cluster.find(id_of("n"))->relays, (std::vector<NodeId>{id_of("r2"), id_of("r1")}));
  EXPECT_TRUE(cluster.find(id_of("n"))->nat_blocked);
  EXPECT_EQ(cluster.relays, (std::vector<NodeId>{id_of("r1"), id_of("r2")}));
}

TEST(DistributedHosts, DisabledHostsAreNoMembers) {
  Diagnostics diagnostics;
  const auto cluster = parse_hosts(
      "hosts:\n  a: {ssh_host: 192.0.2.1, status: ready, p2p_enabled: false}\n", diagnostics);
  EXPECT_EQ(cluster.find(id_of("a"))->status, NodeStatus::offline);
}

TEST(DistributedHosts, TheOldDetectorsPaceChoosesTheProfile) {
  struct Row {
    const char* swim;
    const char* profile;
  };
  const Row rows[] = {{"{failure_timeout: 10.0, ping_interval: 1.0}", "wan"},
                      {"{failure_timeout: 20.0, ping_interval: 1.0}", "flaky"},
                      {"{failure_timeout: 3.0, ping_interval: 0.5}", "lan"}};
  for (const auto& row : rows) {
    Diagnostics diagnostics;
    const auto cluster =
        parse_hosts(std::string("hosts: {}\nprotocols: {swim: ") + row.swim + "}\n", diagnostics);
    ASSERT_EQ(cluster.settings.size(), 1u) << row.swim;
    EXPECT_EQ(cluster.settings[0].key, "timing.profile");
    EXPECT_EQ(cluster.settings[0].texts.front(), row.profile) << row.swim;
  }
}

TEST(DistributedHosts, TheOldConsensusModeBecomesThePolicy) {
  const std::pair<const char*, const char*> rows[] = {
      {"{consensus_mode: hybrid, raft: {enabled: false}}", "hybrid"},
      {"{consensus_mode: bully}", "bully"},
      {"{raft: {enabled: true}}", "raft"},
      {"{raft: {enabled: false}}", "bully"}};
  for (const auto& [protocols, policy] : rows) {
    Diagnostics diagnostics;
    const auto cluster =
        parse_hosts(std::string("hosts: {}\nprotocols: ") + protocols + "\n", diagnostics);
    ASSERT_EQ(cluster.settings.size(), 1u) << protocols;
    EXPECT_EQ(cluster.settings[0].key, "leadership.policy");
    EXPECT_EQ(cluster.settings[0].texts.front(), policy) << protocols;
  }
}

TEST(DistributedHosts, TheOldMembershipModeCarriesOver) {
  Diagnostics diagnostics;
  const auto cluster =
      parse_hosts("hosts: {}\nprotocols: {membership_mode: hybrid}\n", diagnostics);
  ASSERT_EQ(cluster.settings.size(), 1u);
  EXPECT_EQ(cluster.settings[0].key, "http.membership");
  EXPECT_EQ(cluster.settings[0].texts.front(), "hybrid");
}

TEST(ClusterYaml, UnknownSectionsAreErrorsOnlyInNativeFiles) {
  Diagnostics native;
  static_cast<void>(parse_hosts("cluster: a\nauto_sync: {}\n", native));
  EXPECT_TRUE(native.has_errors());
  Diagnostics legacy;
  static_cast<void>(parse_hosts("hosts: {}\nauto_sync: {}\nanything: [1]\n", legacy));
  EXPECT_TRUE(legacy.all().empty());
}

TEST(ClusterYaml, AddressesMayBeWordsOrMappings) {
  Diagnostics diagnostics;
  const auto cluster = parse_hosts(
      "cluster: a\nnodes:\n  n:\n    addresses:\n      - 192.0.2.1\n      - 192.0.2.1:9000\n"
      "      - {host: 10.0.0.1, kind: public, router_port: 1, pub_port: 2}\n",
      diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  const auto& addresses = cluster.find(id_of("n"))->addresses;
  ASSERT_EQ(addresses.size(), 3u);
  EXPECT_EQ(addresses[0].to_string(), "public 192.0.2.1:7770/7771");
  EXPECT_EQ(addresses[1].to_string(), "public 192.0.2.1:9000/9001");
  EXPECT_EQ(addresses[2].to_string(), "public 10.0.0.1:1/2");
}

}  // namespace
}  // namespace riftbus
