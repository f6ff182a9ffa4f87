#include "config/job_kind.h"

#include <gtest/gtest.h>

#include "config/document.h"
#include "config/effective.h"
#include "config/needs.h"
#include "config/report.h"
#include "config/yaml.h"
#include "test/config/golden.h"

namespace riftbus {
namespace {

std::string report_of(const Diagnostics& diagnostics) {
  std::string text;
  for (const auto& each : diagnostics.sorted()) text += each.to_string() + "\n";
  return text;
}

std::map<std::string, JobKind> parse_jobs(const std::string& jobs, std::string* report = nullptr) {
  Diagnostics diagnostics;
  const auto cluster = parse_cluster_file("cluster: a\njobs:\n" + jobs, "c.yaml", diagnostics);
  if (report != nullptr) {
    *report = report_of(diagnostics);
  } else {
    EXPECT_EQ(report_of(diagnostics), "");
  }
  return cluster.jobs;
}

TEST(JobKind, OnlyACommandIsNeeded) {
  const auto kinds = parse_jobs("  hash: {command: [sha256sum]}\n");
  ASSERT_EQ(kinds.size(), 1U);
  JobKind wanted;
  wanted.name = "hash";
  wanted.command = {"sha256sum"};
  wanted.where = {"c.yaml", 3, 3};
  EXPECT_EQ(kinds.at("hash"), wanted);
}

TEST(JobKind, EveryMistakeIsToldAtOnceWithItsPlace) {
  std::string report;
  const auto kinds = parse_jobs(
      "  bare: {}\n"
      "  shell: {command: ls -l}\n"
      "  greedy: {command: [x], needs: gpus>=, lease_s: 1, prioritty: 3}\n"
      "  slow: {command: [x], lease_s: 20, kill_grace_s: 6, working_dir: here}\n"
      "  torn: {command: [x], on_disconnect: maybe, environment: {RIFTBUS_X: 1, \"a b\": 2}}\n"
      "  \"no name\": {command: [x]}\n",
      &report);
  EXPECT_EQ(kinds.size(), 5U);
  EXPECT_EQ(report,
            "c.yaml:3:3: error F-1026: job kind bare has no command; write the program and its "
            "arguments: command: [program, argument]\n"
            "c.yaml:4:20: error F-1026: command of job kind shell is not a list of words; write "
            "command: [program, argument]; a shell line is [sh, -c, \"line\"]\n"
            "c.yaml:5:33: error F-1740: needs do not parse: expected a number (column 7); write "
            "clauses like: gpus>=1 && cuda>=12.1 && !tag.spot\n"
            "c.yaml:5:50: error F-1008: lease_s \"1\" is not a number from 5 to 86400; write "
            "digits only\n"
            "c.yaml:5:53: error F-1005: unknown key \"prioritty\" in job kind greedy; did you mean "
            "\"priority\"?\n"
            "c.yaml:6:51: error F-1026: kill_grace_s of job kind slow is more than a quarter of "
            "its lease_s; lengthen lease_s or shorten kill_grace_s\n"
            "c.yaml:6:67: error F-1008: working_dir of job kind slow is not absolute; begin with "
            "/, or leave it out: each attempt gets a fresh directory\n"
            "c.yaml:7:39: error F-1008: on_disconnect \"maybe\" is neither kill nor finish; choose "
            "kill, unless two of it at once do no harm\n"
            "c.yaml:7:60: error F-1008: \"RIFTBUS_X\" cannot be a variable of a job; names that "
            "begin with RIFTBUS_ are given by the node\n"
            "c.yaml:7:74: error F-1008: \"a b\" cannot be a variable of a job; use at most 256 "
            "names of letters, digits and _\n"
            "c.yaml:8:3: error F-1026: \"no name\" cannot name a kind of job; use 1 to 64 "
            "characters of A-Z a-z 0-9 . _ -, and at most 256 kinds\n");
}

TEST(JobKind, TheFormerOrchestratorsTypesCanAllBeExpressed) {
  Diagnostics diagnostics;
  const auto cluster =
      parse_cluster_file(read_source("config/examples/jobs.yaml"), "jobs.yaml", diagnostics);
  EXPECT_EQ(report_of(diagnostics), "");
  for (const auto* name :
       {"selfplay", "training", "gpu_cmaes", "cpu_cmaes", "tournament", "gauntlet", "data_merge",
        "data_sync", "validation", "hyperparam_sweep"}) {
    EXPECT_TRUE(cluster.jobs.contains(name)) << name;
  }
  EXPECT_EQ(cluster.jobs.size(), 10U);
}

// The documentation cannot drift: full.yaml shows every knob with its default.
TEST(JobKind, FullExampleShowsEveryKnobWithItsDefault) {
  Diagnostics diagnostics;
  const auto root =
      parse_document(read_source("config/examples/full.yaml"), "full.yaml", diagnostics);
  ASSERT_TRUE(root);
  const auto* kind = root->find("jobs")->find("selfplay");
  ASSERT_NE(kind, nullptr);
  for (const auto key : job_keys()) EXPECT_NE(kind->find(key), nullptr) << key;
  const JobKind defaults;
  for (const auto& knob : job_knobs()) {
    EXPECT_EQ(kind->find(knob.name)->text, std::to_string(defaults.*knob.value)) << knob.name;
  }
  EXPECT_EQ(kind->find("on_disconnect")->text, defaults.on_disconnect);
}

TEST(JobKind, ReachesTheNodeAndTheReportWithItsUnits) {
  Diagnostics diagnostics;
  const auto cluster = parse_cluster_file(
      "cluster: a\nexecutor: {slots: 3}\njobs:\n  hash: {command: [sh, -c, sha256sum -b]}\n",
      "c.yaml", diagnostics);
  ConfigLayers layers;
  layers.cluster = &cluster;
  layers.hostname = "here";
  const auto effective = resolve(layers, diagnostics);
  EXPECT_EQ(effective.node.executor.slots, 3);
  EXPECT_TRUE(effective.node.jobs.contains("hash"));
  const auto text = show_config(effective, diagnostics).text;
  EXPECT_NE(text.find("sh -c 'sha256sum -b'"), std::string::npos) << text;
  EXPECT_NE(text.find("jobs.hash.timeout_s"), std::string::npos);
  EXPECT_NE(text.find("3600 s"), std::string::npos);
}

}  // namespace
}  // namespace riftbus
