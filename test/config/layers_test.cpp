// Flags, environment, node file: the three layers that hold NAME=VALUE.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/env.h"
#include "config/flags.h"

namespace riftbus {
namespace {

const SettingInput* find(const std::vector<SettingInput>& inputs, const std::string& key) {
  for (const auto& input : inputs) {
    if (input.key == key) return &input;
  }
  return nullptr;
}

std::string value(const std::vector<SettingInput>& inputs, const std::string& key) {
  const auto* input = find(inputs, key);
  if (input == nullptr) return "(none)";
  std::string text;
  for (const auto& each : input->texts) text += (text.empty() ? "" : ",") + each;
  return text;
}

// Name=value of every assignment, separated by '|'.
std::string conf(const std::string& text, Diagnostics& diagnostics) {
  std::string result;
  for (const auto& each : parse_node_conf(text, "f", diagnostics)) {
    result += (result.empty() ? "" : "|") + each.name + "=" + each.value;
  }
  return result;
}

TEST(NodeConf, FollowsSystemdsRules) {
  struct Row {
    const char* text;
    const char* expected;
  };
  const Row rows[] = {
      {"A=1\nB=2", "A=1|B=2"},
      {"# c\n; c\n\n  A=1\n", "A=1"},
      {"A=a b  \n", "A=a b"},
      {"A=\"a b  \"\n", "A=a b  "},
      {"A='it''s $x \\n'\n", "A=its $x \\n"},
      {"A=\"a\\\"b\\\\c\\nd\"\n", "A=a\"b\\c\\nd"},
      {"A=one\\\ntwo\nB=3\n", "A=onetwo|B=3"},
      {"A=\"two\nlines\"\nB=3", "A=two\nlines|B=3"},
      {"A=x#y\n", "A=x#y"},
      {"A=\r\nB=1\r\n", "A=|B=1"},
      {"# continued \\\nA=1\nB=2\n", "B=2"},
      {"A = 1\n", "A=1"},
      {"A=a\\ b\n", "A=a b"},
      {"A=b=c\n", "A=b=c"},
  };
  for (const auto& row : rows) {
    Diagnostics diagnostics;
    EXPECT_EQ(conf(row.text, diagnostics), row.expected) << row.text;
    EXPECT_FALSE(diagnostics.has_errors()) << row.text;
  }
}

TEST(NodeConf, NamesTheLineAfterMultiLineValues) {
  Diagnostics diagnostics;
  const auto all = parse_node_conf("A=\"x\ny\"\nB=1\\\n2\nC=3\n", "f", diagnostics);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].where.to_string(), "f:5:1");
}

TEST(Environment, UnitesSeedsOfEverySynonym) {
  Diagnostics diagnostics;
  const auto inputs = read_environment({{"P2P_SEEDS", "http://192.0.2.1:8770,192.0.2.2"},
                                        {"COORDINATOR_URL", "http://192.0.2.3:8770"},
                                        {"PEER_LIST", "192.0.2.2 192.0.2.4"},
                                        {"PATH", "/bin"}},
                                       diagnostics);
  EXPECT_EQ(value(inputs, "seeds"),
            "http://192.0.2.1:8770,192.0.2.2,192.0.2.4,http://192.0.2.3:8770");
  EXPECT_TRUE(diagnostics.all().empty());
}

TEST(Environment, PrefersTheNativeNameAndSaysSo) {
  Diagnostics diagnostics;
  const auto inputs = read_environment({{"RIFTBUS_NODE_ID", "a"}, {"NODE_ID", "b"}}, diagnostics);
  EXPECT_EQ(value(inputs, "node.id"), "a");
  ASSERT_EQ(diagnostics.warning_count(), 1u);
  EXPECT_EQ(diagnostics.all().front().code, 1019);
}

TEST(Environment, TreatsAnEmptyValueAsNotGiven) {
  Diagnostics diagnostics;
  const auto inputs = read_environment({{"RIFTBUS_NODE_ID", ""}, {"NODE_ID", "b"}}, diagnostics);
  EXPECT_EQ(value(inputs, "node.id"), "b");
}

TEST(Environment, LegacyPortsAreHttpPortsAndNotBusPorts) {
  Diagnostics diagnostics;
  const auto inputs =
      read_environment({{"P2P_PORT", "8779"}, {"RINGRIFT_ADVERTISE_PORT", "31770"}}, diagnostics);
  EXPECT_EQ(value(inputs, "listen.http_port"), "8779");
  EXPECT_EQ(value(inputs, "advertise.http_port"), "31770");
  EXPECT_EQ(value(inputs, "listen.router_port"), "(none)");
}

TEST(Environment, NotesLegacyNamesWithoutEffect) {
  Diagnostics diagnostics;
  const auto inputs = read_environment({{"RINGRIFT_SWIM_ENABLED", "true"},
                                        {"RINGRIFT_SLACK_WEBHOOK_URL", "https://x.example"},
                                        {"RINGRIFT_P2P_PEER_TIMEOUT", "60"},
                                        {"RINGRIFT_ARBITER_URL", "secret"}},
                                       diagnostics);
  EXPECT_TRUE(inputs.empty());
  ASSERT_EQ(diagnostics.all().size(), 4u);
  for (const auto& each : diagnostics.all()) {
    EXPECT_EQ(each.severity, Severity::note);
    EXPECT_EQ(each.to_string().find("secret"), std::string::npos);
  }
}

TEST(Environment, AFormerClustersTokenBecomesTheTokenOfHttp) {
  Diagnostics diagnostics;
  const auto inputs = read_environment({{"RINGRIFT_CLUSTER_AUTH_TOKEN", "open-sesame"},
                                        {"RINGRIFT_CLUSTER_AUTH_TOKEN_FILE", "/etc/token"}},
                                       diagnostics);
  EXPECT_EQ(value(inputs, "http.token"), "open-sesame");
  EXPECT_EQ(value(inputs, "http.token_file"), "/etc/token");
  EXPECT_TRUE(diagnostics.all().empty());
}

TEST(HttpToken, IsNeverShownAndNeverShort) {
  NodeSettings node;
  const auto* spec = find_setting("http.token");
  ASSERT_NE(spec, nullptr);
  EXPECT_FALSE(spec->assign(node, {"short"}));
  EXPECT_FALSE(spec->assign(node, {"with a blank in it"}));
  ASSERT_TRUE(spec->assign(node, {"open-sesame"}));
  EXPECT_EQ(node.http.token, "open-sesame");
  EXPECT_EQ(spec->read(node), std::vector<std::string>{"(set)"});
}

TEST(Environment, AFormerClustersWordAboutRaftDecidesThePolicy) {
  struct Row {
    std::map<std::string, std::string> environment;
    const char* policy;
  };
  for (const auto& row : std::vector<Row>{
           {{{"RAFT_ENABLED", "false"}}, "bully"},
           {{{"RINGRIFT_RAFT_ENABLED", "1"}}, "raft"},
           {{{"CONSENSUS_MODE", "hybrid"}}, "hybrid"},
           {{{"RINGRIFT_CONSENSUS_MODE", "bully"}}, "bully"},
           {{{"RIFTBUS_LEADERSHIP_POLICY", "hybrid"}, {"RAFT_ENABLED", "false"}}, "hybrid"},
           {{}, "raft"}}) {
    Diagnostics diagnostics;
    NodeSettings node;
    for (const auto& input : read_environment(row.environment, diagnostics)) {
      ASSERT_TRUE(find_setting(input.key)->assign(node, input.texts)) << input.key;
    }
    EXPECT_EQ(node.leadership.policy, row.policy);
    EXPECT_FALSE(diagnostics.has_errors());
  }
}

TEST(Environment, AFormerClustersMembershipModeHolds) {
  for (const char* mode : {"http", "swim", "hybrid"}) {
    Diagnostics diagnostics;
    const auto inputs = read_environment({{"RINGRIFT_MEMBERSHIP_MODE", mode}}, diagnostics);
    EXPECT_EQ(value(inputs, "http.membership"), mode);
    EXPECT_FALSE(diagnostics.has_errors());
  }
}

TEST(Flags, LegacyCommandLineIsUnderstood) {
  Diagnostics diagnostics;
  const auto flags = parse_flags({"--node-id",
                                  "cpu-a",
                                  "--host",
                                  "0.0.0.0",
                                  "--port=8770",
                                  "--advertise-host",
                                  "192.0.2.7",
                                  "--advertise-port",
                                  "31770",
                                  "--peers",
                                  "http://192.0.2.1:8770,http://192.0.2.2:8770",
                                  "--relay-peers",
                                  "http://192.0.2.3:8770",
                                  "--ringrift-path",
                                  "/opt/r",
                                  "--auth-token",
                                  "t",
                                  "--require-auth",
                                  "--storage-type",
                                  "ramdrive",
                                  "--sync-to-disk-interval",
                                  "300",
                                  "--kill-duplicates",
                                  "--supervised"},
                                 diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  EXPECT_EQ(diagnostics.all().size(), 6u);
  EXPECT_EQ(value(flags.settings, "node.id"), "cpu-a");
  EXPECT_EQ(value(flags.settings, "listen.host"), "0.0.0.0");
  EXPECT_EQ(value(flags.settings, "listen.http_port"), "8770");
  EXPECT_EQ(value(flags.settings, "advertise.http_port"), "31770");
  EXPECT_EQ(value(flags.settings, "seeds"),
            "http://192.0.2.1:8770,http://192.0.2.2:8770,http://192.0.2.3:8770");
  EXPECT_EQ(find(flags.settings, "node.id")->where.to_string(), "flag --node-id");
}

TEST(Flags, AreNeverAbbreviated) {
  Diagnostics diagnostics;
  static_cast<void>(parse_flags({"--node-i", "a", "--router-prot", "1"}, diagnostics));
  ASSERT_EQ(diagnostics.error_count(), 2u);
  EXPECT_EQ(diagnostics.all()[0].hint, "did you mean --node-id?");
  EXPECT_EQ(diagnostics.all()[1].hint, "did you mean --router-port?");
}

TEST(Flags, SayWhatIsWrongWithThem) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--node-id"},
                                                    {"stray"},
                                                    {"--router-port", "1", "--router-port", "2"},
                                                    {"-x"},
                                                    {"--=3"}}) {
    Diagnostics diagnostics;
    static_cast<void>(parse_flags(arguments, diagnostics));
    EXPECT_TRUE(diagnostics.has_errors()) << arguments.front();
  }
}

TEST(Flags, SwitchesNeedNoValue) {
  Diagnostics diagnostics;
  const auto flags = parse_flags({"--insecure", "--nat-blocked=false", "--help"}, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  EXPECT_EQ(value(flags.settings, "insecure"), "true");
  EXPECT_EQ(value(flags.settings, "node.nat_blocked"), "false");
  EXPECT_TRUE(flags.wants_help);
}

TEST(Flags, ListsGrowWhenRepeated) {
  Diagnostics diagnostics;
  const auto flags = parse_flags({"--seeds", "a", "--seeds", "b,c"}, diagnostics);
  EXPECT_EQ(value(flags.settings, "seeds"), "a,b,c");
}

}  // namespace
}  // namespace riftbus
