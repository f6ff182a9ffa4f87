#include "config/effective.h"

#include <gtest/gtest.h>

#include <string>

#include "config/env.h"
#include "config/flags.h"
#include "config/yaml.h"
#include "test/config/golden.h"

namespace riftbus {
namespace {

// Layers as texts: what an operator would write.
struct Inputs {
  std::vector<std::string> flags;
  Environment environment;
  std::string node_conf;
  std::string cluster;
};

struct Outcome {
  EffectiveConfig effective;
  Diagnostics diagnostics;

  [[nodiscard]] std::string source(const std::string& key) const {
    for (const auto& value : effective.values) {
      if (value.key == key) return value.source.to_string();
    }
    return "(none)";
  }
  [[nodiscard]] bool reports(int code) const {
    for (const auto& each : diagnostics.all()) {
      if (each.code == code) return true;
    }
    return false;
  }
};

Outcome run(const Inputs& setup) {
  Outcome outcome;
  ConfigLayers layers;
  layers.flags = parse_flags(setup.flags, outcome.diagnostics).settings;
  layers.environment = read_environment(setup.environment, outcome.diagnostics);
  layers.node_file = read_node_conf(setup.node_conf, "node.conf", outcome.diagnostics);
  layers.hostname = "host-1";
  ClusterConfig cluster;
  if (!setup.cluster.empty()) {
    cluster = parse_cluster_file(setup.cluster, "c.yaml", outcome.diagnostics);
    layers.cluster = &cluster;
  }
  outcome.effective = resolve(layers, outcome.diagnostics);
  return outcome;
}

constexpr const char* kThreeNodes =
    "cluster: prod\n"
    "voters: [a, b, c]\n"
    "listen: {http_port: 8001}\n"
    "nodes:\n"
    "  a: {addresses: [192.0.2.1], listen: {http_port: 8002}, provider: p1}\n"
    "  b: {addresses: ['192.0.2.2:7800'], failure_domain: rack-2}\n"
    "  c: {addresses: [192.0.2.3], nat_blocked: true, relays: [b]}\n";

TEST(Effective, EachLayerBeatsTheNext) {
  Inputs setup{{"--node-id", "b"}, {}, "", ""};
  auto outcome = run(setup);
  EXPECT_EQ(outcome.effective.node.listen.http_port, 8770);
  EXPECT_EQ(outcome.source("listen.http_port"), "default");

  setup.cluster = kThreeNodes;
  outcome = run(setup);
  EXPECT_EQ(outcome.effective.node.listen.http_port, 8001);
  EXPECT_EQ(outcome.source("listen.http_port"), "c.yaml:3:10");

  setup.flags = {"--node-id", "a"};
  outcome = run(setup);
  EXPECT_EQ(outcome.effective.node.listen.http_port, 8002);
  EXPECT_EQ(outcome.source("listen.http_port"), "c.yaml:5:40");

  setup.node_conf = "# port\nP2P_PORT=8003\n";
  outcome = run(setup);
  EXPECT_EQ(outcome.effective.node.listen.http_port, 8003);
  EXPECT_EQ(outcome.source("listen.http_port"), "node.conf:2:1");

  setup.environment = {{"RIFTBUS_HTTP_PORT", "8004"}};
  outcome = run(setup);
  EXPECT_EQ(outcome.effective.node.listen.http_port, 8004);
  EXPECT_EQ(outcome.source("listen.http_port"), "env RIFTBUS_HTTP_PORT");

  setup.flags = {"--node-id", "a", "--port", "8005"};
  outcome = run(setup);
  EXPECT_EQ(outcome.effective.node.listen.http_port, 8005);
  EXPECT_EQ(outcome.source("listen.http_port"), "flag --port");
  EXPECT_FALSE(outcome.diagnostics.has_errors());
}

TEST(Effective, AWrongValueIsAnErrorAndNeverFallsThrough) {
  const auto outcome = run({{"--node-id", "a", "--http-port", "70000"}, {}, "", kThreeNodes});
  EXPECT_TRUE(outcome.diagnostics.has_errors());
  EXPECT_EQ(outcome.source("listen.http_port"), "flag --http-port");
}

TEST(Effective, TheHostNameIsTheLastResortForAnId) {
  const auto outcome = run({});
  EXPECT_EQ(outcome.effective.node.node_id.value(), "host-1");
  EXPECT_EQ(outcome.source("node.id"), "default (host name)");
}

TEST(Effective, SeedsFollowFromTheClusterFile) {
  const auto outcome = run({{"--node-id", "a"}, {}, "", kThreeNodes});
  const std::vector<Seed> expected{{"192.0.2.2", 7800, *NodeId::parse("b")}};
  EXPECT_EQ(outcome.effective.node.seeds, expected);
  EXPECT_EQ(outcome.source("seeds"), "c.yaml (nodes)");
}

TEST(Effective, LegacySeedUrlsFindTheNodesBusPort) {
  const auto outcome = run({{"--node-id", "c"},
                            {{"P2P_SEEDS", "http://192.0.2.1:8770,http://192.0.2.2:8770"}},
                            "",
                            kThreeNodes});
  const std::vector<Seed> expected{{"192.0.2.1", 7770, *NodeId::parse("a")},
                                   {"192.0.2.2", 7800, *NodeId::parse("b")}};
  EXPECT_EQ(outcome.effective.node.seeds, expected);
  EXPECT_FALSE(outcome.reports(1014));
}

TEST(Effective, UnknownSeedsAreTriedWithAWarning) {
  const auto outcome =
      run({{"--node-id", "a", "--seeds", "192.0.2.99,192.0.2.2:7801"}, {}, "", kThreeNodes});
  ASSERT_EQ(outcome.effective.node.seeds.size(), 2u);
  EXPECT_EQ(outcome.effective.node.seeds[0].router_port, 7770);
  EXPECT_EQ(outcome.effective.node.seeds[1].router_port, 7801);
  EXPECT_TRUE(outcome.reports(1014));
  EXPECT_FALSE(outcome.diagnostics.has_errors());
}

TEST(Effective, ANodeIsNeverItsOwnSeed) {
  const auto outcome =
      run({{"--node-id", "a", "--seeds", "192.0.2.1,192.0.2.2"}, {}, "", kThreeNodes});
  ASSERT_EQ(outcome.effective.node.seeds.size(), 1u);
  EXPECT_EQ(outcome.effective.node.seeds[0].host, "192.0.2.2");
}

TEST(Effective, ListensWhereItsAddressSays) {
  const auto outcome = run({{"--node-id", "b"}, {}, "", kThreeNodes});
  EXPECT_EQ(outcome.effective.node.listen.router_port, 7800);
  EXPECT_EQ(outcome.effective.node.listen.pub_port, 7801);
  EXPECT_EQ(outcome.effective.node.failure_domain, "rack-2");
}

TEST(Effective, AdvertisedHostComesFirstWithItsMappedPorts) {
  const auto outcome = run(
      {{"--node-id", "a", "--advertise-host", "198.51.100.9", "--advertise-router-port", "31770"},
       {},
       "",
       kThreeNodes});
  const auto& addresses = outcome.effective.node.addresses;
  ASSERT_EQ(addresses.size(), 2u);
  EXPECT_EQ(addresses[0].to_string(), "public 198.51.100.9:31770/7771");
  EXPECT_EQ(addresses[1].to_string(), "public 192.0.2.1:7770/7771");
}

TEST(Effective, ALocalVoterListThatDiffersIsReported) {
  const auto same = run({{"--node-id", "a"}, {{"RINGRIFT_P2P_VOTERS", "c,b,a"}}, "", kThreeNodes});
  EXPECT_FALSE(same.reports(1025));
  const auto other = run({{"--node-id", "a"}, {{"RINGRIFT_P2P_VOTERS", "a"}}, "", kThreeNodes});
  EXPECT_TRUE(other.reports(1025));
}

TEST(Effective, TheOperatorsVariablesAreNoMistakeInANodesEnvironment) {
  for (const char* name : {"RIFTBUS_KEY", "RIFTBUS_NODE", "RIFTBUS_CLUSTER"}) {
    EXPECT_FALSE(run({{"--node-id", "a"}, {{name, "x"}}, "", ""}).reports(1005)) << name;
  }
  EXPECT_TRUE(run({{"--node-id", "a"}, {{"RIFTBUS_KEYS", "x"}}, "", ""}).reports(1005));
}

TEST(Effective, InsecureStaysOnLoopback) {
  const auto local =
      run({{"--node-id", "a", "--insecure", "--seeds", "127.0.0.1:7780"}, {}, "", ""});
  EXPECT_FALSE(local.diagnostics.has_errors());
  EXPECT_EQ(local.effective.node.listen.host, "127.0.0.1");
  for (const auto& flags : {std::vector<std::string>{"--insecure", "--listen-host", "0.0.0.0"},
                            {"--insecure", "--seeds", "192.0.2.1"},
                            {"--insecure", "--advertise-host", "192.0.2.1"},
                            {"--insecure", "--listen-host", "192.0.2.1"}}) {
    EXPECT_TRUE(run({flags, {}, "", ""}).reports(1016)) << flags.back();
  }
  // A shared file must not be able to turn encryption off.
  EXPECT_TRUE(run({{}, {}, "", "cluster: a\ninsecure: true\n"}).reports(1005));
}

TEST(Effective, CollidingPortsAndCrossedBoundsAreErrors) {
  EXPECT_TRUE(run({{"--pub-port", "7770"}, {}, "", ""}).reports(1010));
  EXPECT_TRUE(run({{"--limits-reconnect-min-ms", "60000"}, {}, "", ""}).reports(1008));
  EXPECT_TRUE(
      run({{"--timing-silence-min-ms", "900", "--timing-silence-max-ms", "800"}, {}, "", ""})
          .reports(1008));
}

TEST(Effective, AMisspeltNodeIdGetsAHint) {
  const auto outcome = run({{"--node-id", "hetzner-cpu-1"},
                            {},
                            "",
                            read_source("config/examples/distributed_hosts.yaml")});
  ASSERT_TRUE(outcome.reports(1024));
  for (const auto& each : outcome.diagnostics.all()) {
    if (each.code == 1024) {
      EXPECT_EQ(each.hint, "did you mean \"hetzner-cpu1\"?");
    }
  }
}

TEST(Effective, LoadsTheFilesThatFlagsName) {
  const auto loaded = load_node_config({"--config", source_path("config/examples/loopback.yaml"),
                                        "--node-conf", source_path("config/examples/node.conf"),
                                        "--node-id", "node-b", "--seeds", "127.0.0.1:17770"},
                                       {});
  EXPECT_FALSE(loaded.diagnostics.has_errors()) << loaded.diagnostics.to_error().to_string();
  const auto& node = loaded.effective.node;
  EXPECT_EQ(node.listen.host, "127.0.0.1");
  EXPECT_EQ(node.listen.router_port, 17780);
  EXPECT_EQ(node.listen.pub_port, 17781);
  EXPECT_EQ(node.paths.keys_dir, "/var/lib/riftbus/keys");
  ASSERT_EQ(node.seeds.size(), 1u);
  EXPECT_EQ(node.seeds[0].node->value(), "node-a");
}

TEST(Effective, AMissingNamedFileIsAnError) {
  const auto loaded = load_node_config({"--config", "/nonexistent/c.yaml", "--node-id", "a"}, {});
  ASSERT_TRUE(loaded.diagnostics.has_errors());
  EXPECT_EQ(loaded.diagnostics.to_error().code, 1002);
}

}  // namespace
}  // namespace riftbus
