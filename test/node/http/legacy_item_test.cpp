#include <gtest/gtest.h>

#include "node/http/http_front.h"
#include "node/http/legacy_work.h"

namespace riftbus::node {
namespace {

NodeSettings with_kind(const std::string& name) {
  NodeSettings settings;
  JobKind kind;
  kind.name = name;
  kind.lease_s = 60;
  kind.timeout_s = 120;
  settings.jobs[name] = kind;
  return settings;
}

TEST(LegacyItem, AFormerKindIsLeasedForItsWholeTime) {
  const auto spec = read_legacy_item(
      {{"work_type", "selfplay"}, {"timeout_seconds", 900}, {"config", {{"board", "hex8"}}}}, {});
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->terms.lease_ms, 900'000U);
  EXPECT_EQ(spec->terms.timeout_ms, 900'000U);
  EXPECT_EQ(config_in(spec->payload), (Json{{"board", "hex8"}}));
}

TEST(LegacyItem, AKindOfTheClusterFileHasItsOwnTerms) {
  const auto spec = read_legacy_item({{"job_type", "render"}}, with_kind("render"));
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->terms.lease_ms, 60'000U);
  EXPECT_EQ(spec->terms.timeout_ms, 120'000U);
}

TEST(LegacyItem, WhatCannotBeReadIsRefused) {
  EXPECT_EQ(read_legacy_item(Json::object(), {}).error().code, 1503);
  EXPECT_EQ(read_legacy_item({{"work_type", "unheard-of"}}, {}).error().code, 1561);
  for (const Json& wrong : std::vector<Json>{{{"priority", 256}},
                                             {{"priority", "high"}},
                                             {{"timeout_seconds", 0}},
                                             {{"config", 17}},
                                             {{"depends_on", {"x"}}},
                                             {{"max_attempts", 0}}}) {
    Json body = wrong;
    body["work_type"] = "selfplay";
    EXPECT_FALSE(read_legacy_item(body, {}).ok()) << body;
  }
}

TEST(LegacyItem, AWorkerOverHttpIsNotTheNodesExecutor) {
  const auto worker = http_worker("n1");
  ASSERT_TRUE(worker);
  EXPECT_EQ(worker->value(), "n1.http");
  EXPECT_TRUE(is_http_worker("n1.http"));
  EXPECT_FALSE(is_http_worker("n1"));
  EXPECT_FALSE(is_http_worker(".http"));
  EXPECT_EQ(node_of_worker("n1.http"), "n1");
  EXPECT_FALSE(http_worker(""));
  EXPECT_FALSE(http_worker("no/id"));
}

TEST(LegacyItem, StatesHaveTheirFormerNames) {
  EXPECT_EQ(legacy_state({{"state", "ready"}}), "pending");
  EXPECT_EQ(legacy_state({{"state", "delayed"}}), "pending");
  EXPECT_EQ(legacy_state({{"state", "leased"}, {"node", "n1.http"}}), "claimed");
  EXPECT_EQ(legacy_state({{"state", "leased"}, {"node", "n1"}}), "running");
  EXPECT_EQ(legacy_state({{"state", "done"}}), "completed");
  EXPECT_EQ(legacy_state({{"state", "dead"}}), "failed");
}

TEST(HttpBody, IsAnObjectOfFewLevels) {
  EXPECT_TRUE(read_body("")->empty());
  EXPECT_EQ((*read_body(R"({"a":"]}]}\"["})"))["a"], "]}]}\"[");
  EXPECT_FALSE(read_body("[]"));
  EXPECT_FALSE(read_body("{"));
  EXPECT_FALSE(read_body("{\"a\":\"\xff\"}"));
  const std::string deep(40, '[');
  EXPECT_FALSE(read_body("{\"a\":" + deep + std::string(40, ']') + "}"));
}

}  // namespace
}  // namespace riftbus::node
