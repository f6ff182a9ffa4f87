// Whole lines, as main() runs them, against real files; those that need a cluster are live tests.
#include "node/ctl/run_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bus/key_files.h"
#include "config/error_catalog.h"
#include "config/report.h"
#include "node/ctl/command.h"
#include "node/ctl/context.h"
#include "node/ctl/json_view.h"

namespace riftbus::ctl {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
};

class RunLine : public ::testing::Test {
 protected:
  RunLine() {
    std::string name = (fs::temp_directory_path() / "riftbus-ctl-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    environment_ = {{"HOME", folder_}, {"PATH", "/nonexistent"}};
  }
  ~RunLine() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  Outcome run(const std::vector<std::string>& line, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const int status = run_line("riftbus", line, environment_, {in, out, err, false});
    return {status, out.str(), err.str()};
  }

  // A fresh cluster of three; returns the options that name its operator directory.
  std::string init() {
    const Outcome made = run({"init", "demo", "--dir", folder_ + "/demo", "--port", "17770"});
    EXPECT_EQ(made.status, 0) << made.err;
    return "--key=" + folder_ + "/demo/operator";
  }

  std::string folder_;
  Environment environment_;
};

// There is no cluster here: whoever asked one would fail.
TEST_F(RunLine, ADryRunOfWhatChangesAClusterAsksNobody) {
  std::size_t tried = 0;
  for (const auto& command : command_table()) {
    if (command.effect != Effect::changes && command.effect != Effect::set_changes) continue;
    std::istringstream words{std::string(command.name)};
    std::vector<std::string> line{std::istream_iterator<std::string>(words), {}};
    if (command.effect == Effect::set_changes) {
      const Option& option = command.options.front();
      line.push_back("--" + std::string(option.name) + (option.choices.empty() ? "=1" : "=raft"));
    }
    for (const auto& argument : command.arguments) {
      if (argument.required) line.emplace_back("17");
    }
    line.emplace_back("--dry-run");
    const Outcome done = run(line);
    EXPECT_EQ(done.status, 0) << command.name << ": " << done.err;
    EXPECT_THAT(done.out, HasSubstr("would do: " + std::string(command.name)));
    ++tried;
  }
  EXPECT_GE(tried, 14U);
  const auto json = Json::parse(run({"voter", "remove", "n3", "--dry-run", "-o", "json"}).out);
  EXPECT_EQ(json["would"], "voter remove n3");
}

TEST_F(RunLine, UsageErrorsExitWith64AndSayWhatNext) {
  const std::vector<std::vector<std::string>> lines{{},
                                                    {"node"},
                                                    {"statsu"},
                                                    {"node", "lst"},
                                                    {"node", "show"},
                                                    {"status", "-o", "xml"},
                                                    {"completion", "csh"},
                                                    {"wait"},
                                                    {"wait", "--standing", "dead"},
                                                    {"help", "nonsense"},
                                                    {"key", "approve", "n1"},
                                                    {"init", "demo", "--nodes", "operator"}};
  for (const auto& line : lines) {
    const Outcome outcome = run(line);
    EXPECT_EQ(outcome.status, kExitUsage) << ::testing::PrintToString(line) << outcome.err;
    EXPECT_TRUE(outcome.out.empty()) << outcome.out;
    EXPECT_FALSE(outcome.err.empty());
  }
}

TEST_F(RunLine, AMisspeltCommandIsAnsweredWithTheNearestOne) {
  EXPECT_THAT(run({"statsu"}).err, HasSubstr("status"));
  EXPECT_THAT(run({"node", "lst"}).err, HasSubstr("list"));
}

TEST_F(RunLine, HelpGoesToStandardOutput) {
  for (const auto& line : std::vector<std::vector<std::string>>{{"--help"},
                                                                {"help"},
                                                                {"node", "--help"},
                                                                {"help", "node"},
                                                                {"node", "list", "-h"},
                                                                {"help", "node", "list"}}) {
    const Outcome outcome = run(line);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_THAT(outcome.out, HasSubstr("usage: riftbus"));
    EXPECT_TRUE(outcome.err.empty());
  }
}

TEST_F(RunLine, UnknownWordsRunOtherPrograms) {
  // Found on PATH, but it cannot be executed: so the test goes on to see it.
  fs::create_directory(folder_ + "/bin");
  std::ofstream(folder_ + "/bin/riftbus-frob") << "\x7f"
                                                  "no program\n";
  fs::permissions(folder_ + "/bin/riftbus-frob", fs::perms::owner_all);
  environment_["PATH"] = folder_ + "/bin";
  const Outcome outcome = run({"frob", "--deep"});
  EXPECT_EQ(outcome.status, kExitUnavailable);
  EXPECT_THAT(outcome.err, HasSubstr("F-1512"));
  EXPECT_THAT(outcome.err, HasSubstr("/bin/riftbus-frob"));
}

TEST_F(RunLine, ExplainKnowsEveryCodeInAnySpelling) {
  for (const char* word : {"F-1521", "f-1521", "F1521", "1521"}) {
    const Outcome outcome = run({"explain", word});
    EXPECT_EQ(outcome.status, 0) << word;
    EXPECT_THAT(outcome.out, HasSubstr("F-1521: member dead"));
  }
  EXPECT_EQ(run({"explain", "F-9999"}).status, kExitFalse);
  EXPECT_EQ(run({"explain", "dead"}).status, kExitFalse);
  const Json all = Json::parse(run({"explain", "-o", "json"}).out);
  EXPECT_EQ(all["schema"], 1);
  EXPECT_EQ(all["errors"].size(), error_catalog().size());
}

TEST_F(RunLine, WithoutAnyKeyTheErrorSaysHowToGetOne) {
  const Outcome outcome = run({"status"});
  EXPECT_EQ(outcome.status, kExitConfig);
  EXPECT_THAT(outcome.err, HasSubstr("F-1508"));
  EXPECT_THAT(outcome.err, HasSubstr("riftbus init"));
}

TEST_F(RunLine, InitMakesAClusterThatItsOwnToolsAccept) {
  const std::string key = init();
  const Outcome checked = run({"config", "check", folder_ + "/demo/cluster.yaml"});
  EXPECT_EQ(checked.status, 0) << checked.out;
  const Outcome verified = run({"roster", "verify", key});
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("version 1 of cluster demo, 4 keys"));
  for (const char* node : {"n1", "n2", "n3"}) {
    const std::string folder = folder_ + "/demo/" + node;
    const auto identity = load_node_key(folder + "/keys");
    ASSERT_TRUE(identity.ok()) << identity.error().to_string();
    EXPECT_EQ(identity->id.value(), node);
    EXPECT_TRUE(fs::exists(folder + "/roster"));
  }
}

TEST_F(RunLine, InitGivesEachNodeItsOwnDataFolderAndPorts) {
  init();
  const Outcome shown = run({"config", "show", "--effective", "--config",
                             folder_ + "/demo/cluster.yaml", "--node-id", "n2"});
  EXPECT_EQ(shown.status, 0) << shown.out << shown.err;
  EXPECT_THAT(shown.out, HasSubstr(folder_ + "/demo/n2"));
  EXPECT_THAT(shown.out, HasSubstr("17780"));
}

TEST_F(RunLine, InitMakesAsManyVotersAsIsSaidButAnOddNumber) {
  ASSERT_EQ(run({"init", "demo", "--dir", folder_ + "/demo", "--nodes", "n1,n2,n3,n4,n5",
                 "--voters", "4"})
                .status,
            0);
  const Outcome shown = run({"config", "show", "--effective", "--config",
                             folder_ + "/demo/cluster.yaml", "--node-id", "n2"});
  EXPECT_THAT(shown.out, HasSubstr("n1, n2, n3"));
  EXPECT_THAT(shown.out, Not(HasSubstr("n3, n4")));
  EXPECT_EQ(run({"init", "other", "--dir", folder_ + "/other", "--voters", "0"}).status,
            kExitUsage);
}

TEST_F(RunLine, InitOverwritesNothing) {
  init();
  const Outcome again = run({"init", "demo", "--dir", folder_ + "/demo"});
  EXPECT_EQ(again.status, kExitData);
  EXPECT_THAT(again.err, HasSubstr("F-1511"));
}

TEST_F(RunLine, ADryRunChangesNothing) {
  EXPECT_EQ(run({"init", "demo", "--dir", folder_ + "/demo", "--dry-run"}).status, 0);
  EXPECT_FALSE(fs::exists(folder_ + "/demo"));
  const std::string key = init();
  const Outcome dry = run({"key", "revoke", "n3", key, "--no-push", "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("would sign version 2"));
  EXPECT_THAT(run({"roster", "verify", key}).out, HasSubstr("version 1"));
}

TEST_F(RunLine, AKeyIsMadeApprovedRotatedAndRevoked) {
  const std::string key = init();
  const std::string folder = folder_ + "/gpu-1";
  const Outcome made = run({"key", "new", "gpu-1", "--dir", folder});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("riftbus key approve gpu-1"));
  EXPECT_EQ(run({"key", "new", "gpu-1", "--dir", folder}).status, kExitConfig);

  const Outcome approved = run({"key", "approve", "gpu-1", "-k", folder + "/node.pub", "--expires",
                                "24h", "--roles", "node,relay", "--no-push", key});
  ASSERT_EQ(approved.status, 0) << approved.err;
  Json roster = Json::parse(run({"key", "list", key, "-o", "json"}).out);
  EXPECT_EQ(roster["version"], 2);
  EXPECT_EQ(roster["relays"], Json({"gpu-1"}));
  EXPECT_EQ(roster["entries"][0]["id"], "gpu-1");
  EXPECT_GT(roster["entries"][0]["expires_in_ms"], 23 * 3'600'000);

  ASSERT_EQ(run({"key", "new", "gpu-1", "--dir", folder + "b"}).status, 0);
  const Outcome rotated =
      run({"key", "rotate", "gpu-1", "-k", folder + "b/node.pub", "--no-push", key});
  ASSERT_EQ(rotated.status, 0) << rotated.err;
  roster = Json::parse(run({"key", "list", key, "-o", "json"}).out);
  EXPECT_TRUE(roster["entries"][0]["previous_key"].is_string());
  ASSERT_EQ(run({"key", "rotate", "gpu-1", "--finish", "--no-push", key}).status, 0);

  ASSERT_EQ(run({"key", "revoke", "gpu-1", "--no-push", "--yes", key}).status, 0);
  roster = Json::parse(run({"key", "list", key, "-o", "json"}).out);
  EXPECT_EQ(roster["revoked"][0]["id"], "gpu-1");
  EXPECT_EQ(roster["version"], 5);
}

TEST_F(RunLine, RevokingAsksFirst) {
  const std::string key = init();
  const Outcome refused = run({"key", "revoke", "n3", "--no-push", key});
  EXPECT_EQ(refused.status, kExitRefused);
  EXPECT_THAT(refused.err, HasSubstr("--yes"));
}

TEST_F(RunLine, AKeyFileOfAnotherNodeIsNotApproved) {
  const std::string key = init();
  const Outcome outcome =
      run({"key", "approve", "n9", "-k", folder_ + "/demo/n1/keys/node.pub", "--no-push", key});
  EXPECT_EQ(outcome.status, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("belongs to n1"));
}

TEST_F(RunLine, OnlyTheAuthoritySigns) {
  const std::string key = init();
  fs::remove(folder_ + "/demo/operator/authority.key");
  const Outcome outcome = run({"key", "revoke", "n3", "--no-push", "--yes", key});
  EXPECT_EQ(outcome.status, kExitConfig);
  EXPECT_THAT(outcome.err, HasSubstr("F-1510"));
}

TEST_F(RunLine, AForgedRosterDoesNotVerify) {
  const std::string key = init();
  const std::string path = folder_ + "/forged";
  fs::copy_file(folder_ + "/demo/operator/roster", path);
  std::ofstream(path, std::ios::in | std::ios::out).seekp(30) << "9";
  const Outcome outcome = run({"roster", "verify", path, key});
  EXPECT_EQ(outcome.status, kExitConfig);
  EXPECT_THAT(outcome.err, HasSubstr(path));
  EXPECT_TRUE(outcome.out.empty());
}

TEST_F(RunLine, WithNobodyListeningEachTriedNodeIsNamed) {
  const std::string key = init();
  const Outcome outcome = run({"status", key, "--timeout", "0.3"});
  EXPECT_EQ(outcome.status, kExitUnavailable) << outcome.err;
  EXPECT_TRUE(outcome.out.empty());
  for (const char* place : {"n1 at 127.0.0.1:17770", "n2 at 127.0.0.1:17780"}) {
    EXPECT_THAT(outcome.err, HasSubstr(place));
  }
}

TEST_F(RunLine, WaitingInVainExitsWithOneAndSaysWhatItSaw) {
  const std::string key = init();
  const Outcome outcome = run({"wait", "--nodes-min", "3", "--timeout", "0.3", key});
  EXPECT_EQ(outcome.status, kExitFalse) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("F-1509"));
}

TEST_F(RunLine, TheOnlyClusterInTheHomeDirectoryIsTheDefault) {
  ASSERT_EQ(run({"key", "new", "--authority", "kitchen"}).status, 0);
  ASSERT_EQ(run({"key", "new", "lena"}).status, 0);
  const std::string home = folder_ + "/.config/riftbus/kitchen";
  EXPECT_TRUE(fs::exists(home + "/node.key"));
  const Outcome first = run(
      {"key", "approve", "lena", "-k", home + "/node.pub", "--roles", "admin,tap", "--no-push"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(run({"key", "list"}).out, HasSubstr("lena"));
  ASSERT_EQ(run({"key", "new", "--authority", "garden"}).status, 0);
  const Outcome two = run({"key", "list"});
  EXPECT_EQ(two.status, kExitConfig);
  EXPECT_THAT(two.err, HasSubstr("garden kitchen"));
  EXPECT_EQ(run({"key", "list", "--cluster", "kitchen"}).status, 0);
}

TEST_F(RunLine, CompletionOffersTheNodesOfTheRoster) {
  const std::string key = init();
  EXPECT_EQ(run({"__complete", key, "node", "show", ""}).out, "n1\nn2\nn3\n");
  EXPECT_EQ(run({"__complete", "node", "show", ""}).out, "");
}

TEST_F(RunLine, EveryManPageThatIsListedCanBePrinted) {
  std::istringstream pages(run({"__man"}).out);
  std::size_t count = 0;
  for (std::string page; std::getline(pages, page); ++count) {
    const Outcome outcome = run({"__man", page});
    EXPECT_EQ(outcome.status, 0) << page;
    EXPECT_TRUE(outcome.out.starts_with(page + "(1)\n")) << page;
  }
  EXPECT_GT(count, 20U);
  EXPECT_EQ(run({"__man", "riftbus-nonsense"}).status, kExitUsage);
}

TEST(ExitStatus, EveryCodeOfTheCatalogueHasOne) {
  for (const auto& entry : error_catalog()) {
    const int status = exit_status_of(Error{entry.code, "", "", ""});
    EXPECT_TRUE(status == kExitFalse || (status >= kExitUsage && status <= kExitConfig))
        << entry.code;
  }
}

}  // namespace
}  // namespace riftbus::ctl
