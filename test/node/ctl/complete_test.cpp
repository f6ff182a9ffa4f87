#include "node/ctl/complete.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace riftbus::ctl {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using Words = std::vector<std::string>;

const Words kIds{"gpu-1", "gpu-2", "hub"};

TEST(Completion, OffersCommandsThenVerbs) {
  EXPECT_THAT(complete_line({"st"}, kIds), ElementsAre("status"));
  EXPECT_THAT(complete_line({"node", ""}, kIds),
              ElementsAre("list", "show", "run", "drain", "resume"));
  EXPECT_THAT(complete_line({""}, kIds), Not(Contains("__complete")));
}

TEST(Completion, OffersNodeIdsWhereAnIdBelongs) {
  EXPECT_THAT(complete_line({"node", "show", ""}, kIds), ElementsAre("gpu-1", "gpu-2", "hub"));
  EXPECT_THAT(complete_line({"why", "node", "g"}, kIds), ElementsAre("gpu-1", "gpu-2"));
  EXPECT_THAT(complete_line({"status", "--node", "h"}, kIds), ElementsAre("hub"));
  EXPECT_THAT(complete_line({"status", "--node=h"}, kIds), ElementsAre("--node=hub"));
  EXPECT_THAT(complete_line({"node", "show", "hub", ""}, kIds), IsEmpty());
}

TEST(Completion, OffersTheChoicesOfAnOption) {
  EXPECT_THAT(complete_line({"status", "-o", "j"}, kIds), ElementsAre("json", "jsonl"));
  EXPECT_THAT(complete_line({"wait", "hub", "--standing", "d"}, kIds), ElementsAre("dead"));
}

TEST(Completion, SkipsOptionsAndTheirValues) {
  EXPECT_THAT(complete_line({"--node", "hub", "node", "-o", "wide", "show", "g"}, kIds),
              ElementsAre("gpu-1", "gpu-2"));
  EXPECT_THAT(complete_line({"node", "show", "--watch", "h"}, kIds), ElementsAre("hub"));
}

TEST(Completion, LeavesFilesToTheShell) {
  EXPECT_THAT(complete_line({"config", "check", "a", ""}, kIds), ElementsAre(":file"));
  EXPECT_THAT(complete_line({"status", "--key", ""}, kIds), ElementsAre(":directory"));
}

TEST(Completion, OffersErrorCodesAndShells) {
  EXPECT_THAT(complete_line({"explain", "F-150"}, kIds), Contains("F-1501"));
  EXPECT_THAT(complete_line({"completion", ""}, kIds), ElementsAre("bash", "zsh", "fish"));
}

TEST(Completion, HasAScriptForEachShellItNames) {
  for (const auto shell : known_shells()) {
    EXPECT_NE(completion_script(shell).find("__complete"), std::string::npos) << shell;
  }
  EXPECT_TRUE(completion_script("csh").empty());
}

TEST(Completion, SurvivesAnyLine) {
  EXPECT_THAT(complete_line({}, kIds), IsEmpty());
  EXPECT_THAT(complete_line({"nonsense", "more", ""}, kIds), IsEmpty());
  EXPECT_THAT(complete_line({"--nonsense=x"}, kIds), IsEmpty());
}

}  // namespace
}  // namespace riftbus::ctl
