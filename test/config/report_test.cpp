#include "config/report.h"

#include <gtest/gtest.h>

#include <string>

#include "test/config/golden.h"

namespace riftbus {
namespace {

// One broken file, its whole report, compared with data/NAME.report.
class BrokenFile : public testing::TestWithParam<const char*> {};

TEST_P(BrokenFile, GetsEveryMistakeReportedAtOnce) {
  const std::string name = GetParam();
  Diagnostics diagnostics;
  static_cast<void>(
      check_config_text(read_source("test/config/data/" + name), name, {}, diagnostics));
  std::string report;
  for (const auto& each : diagnostics.sorted()) report += each.to_string() + "\n";
  EXPECT_FALSE(report.empty());
  expect_golden("test/config/data/" + name + ".report", report);
}

INSTANTIATE_TEST_SUITE_P(Report, BrokenFile,
                         testing::Values("broken_native.yaml", "broken_hosts.yaml",
                                         "broken_node.conf", "broken_syntax.yaml",
                                         "broken_utf8.yaml"));

class Example : public testing::TestWithParam<const char*> {};

TEST_P(Example, LoadsWithoutErrors) {
  const auto report = check_config_files({source_path("config/examples/") + GetParam()}, {});
  EXPECT_EQ(report.exit_code, 0) << report.text;
  EXPECT_EQ(report.json.at("schema"), 1);
  EXPECT_EQ(report.json.at("ok"), true);
  EXPECT_EQ(report.json.at("errors"), 0);
}

INSTANTIATE_TEST_SUITE_P(Report, Example,
                         testing::Values("minimal.yaml", "loopback.yaml", "full.yaml", "jobs.yaml",
                                         "distributed_hosts.yaml", "node.conf"));

TEST(Report, TellsFilesByContentAndNotByName) {
  EXPECT_EQ(detect_file_kind("# hi\nNODE_ID=a\n"), FileKind::node_conf);
  EXPECT_EQ(detect_file_kind("hosts: {}\n"), FileKind::distributed_hosts);
  EXPECT_EQ(detect_file_kind("p2p_voters: [a]\n"), FileKind::distributed_hosts);
  EXPECT_EQ(detect_file_kind("cluster: a\n"), FileKind::cluster_yaml);
  EXPECT_EQ(detect_file_kind("just a sentence\n"), std::nullopt);
  EXPECT_EQ(detect_file_kind(""), std::nullopt);
}

TEST(Report, SaysWhenAFileIsMissingOrNoFile) {
  const auto report = check_config_files({"/nonexistent/cluster.yaml", "/"}, {});
  EXPECT_EQ(report.exit_code, 78);
  EXPECT_EQ(report.json.at("errors"), 2);
  EXPECT_NE(report.text.find("/nonexistent/cluster.yaml: error F-1002"), std::string::npos);
  EXPECT_NE(report.text.find("not a regular file"), std::string::npos);
}

TEST(Report, GivesPlacesAsNumbersToScripts) {
  Diagnostics diagnostics;
  static_cast<void>(check_config_text("cluster: a\nnods: {}\n", "c.yaml", {}, diagnostics));
  const auto report = show_config({}, diagnostics);
  ASSERT_EQ(report.json.at("problems").size(), 1u);
  const auto& problem = report.json.at("problems").at(0);
  EXPECT_EQ(problem.at("file"), "c.yaml");
  EXPECT_EQ(problem.at("line"), 2);
  EXPECT_EQ(problem.at("column"), 1);
  EXPECT_EQ(problem.at("code"), "F-1005");
  EXPECT_EQ(problem.at("hint"), "did you mean \"nodes\"?");
}

TEST(Report, ShowsHostileTextHarmlessly) {
  Diagnostics diagnostics;
  diagnostics.error(1005, {"a\x1b[2J", 1, 1}, "\xff\n", "caf\xc3\xa9");
  EXPECT_EQ(diagnostics.all().front().to_string(),
            "a\\x1b[2J:1:1: error F-1005: \\xff\\x0a; caf\xc3\xa9");
  EXPECT_FALSE(show_config({}, diagnostics).json.dump().empty());
}

TEST(Report, StopsAtItsLimitAndCountsTheRest) {
  Diagnostics diagnostics;
  for (std::size_t i = 0; i < kDiagnosticsMax + 7; ++i) diagnostics.error(1005, {}, "x");
  EXPECT_EQ(diagnostics.all().size(), kDiagnosticsMax);
  EXPECT_EQ(diagnostics.dropped(), 7u);
  EXPECT_EQ(diagnostics.error_count(), kDiagnosticsMax + 7);
}

}  // namespace
}  // namespace riftbus
