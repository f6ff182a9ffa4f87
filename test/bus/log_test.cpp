#include "bus/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "test/bus/vocabulary.h"

namespace riftbus::bus {
namespace {

using test::kStart;

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class LogFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "riftbus-log-" + std::to_string(::getpid());
  }
  void TearDown() override {
    ASSERT_TRUE(set_up_log({}).ok());
    std::remove(path_.c_str());
    std::remove((path_ + ".1").c_str());
  }
  std::string path_;
};

TEST_F(LogFile, ALineHasTimeLevelTextAndFields) {
  ASSERT_TRUE(set_up_log({"info", "text", path_}).ok());
  log_warn("bus: something", {{"peer", "n1"}, {"why", "two words"}});
  log_debug("not shown");
  const std::string text = read_file(path_);
  EXPECT_NE(text.find("Z warn bus: something peer=n1 why=\"two words\"\n"), std::string::npos)
      << text;
  EXPECT_EQ(text.find("not shown"), std::string::npos);
}

TEST_F(LogFile, APeersTextCannotForgeALine) {
  ASSERT_TRUE(set_up_log({"info", "text", path_}).ok());
  log_info("heard", {{"said", "x\n2026 error forged peer=root\x1b[31m"}});
  const std::string text = read_file(path_);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST_F(LogFile, JsonLinesParse) {
  ASSERT_TRUE(set_up_log({"info", "json", path_}).ok());
  log_info("heard", {{"peer", "a\"b\xff"}});
  const auto line = nlohmann::json::parse(read_file(path_));
  EXPECT_EQ(line["message"], "heard");
  EXPECT_EQ(line["level"], "info");
}

TEST_F(LogFile, ReopeningFollowsTheNameAfterRotation) {
  ASSERT_TRUE(set_up_log({"info", "text", path_}).ok());
  log_info("before");
  ASSERT_EQ(std::rename(path_.c_str(), (path_ + ".1").c_str()), 0);
  ASSERT_TRUE(reopen_log().ok());
  log_info("after");
  EXPECT_NE(read_file(path_ + ".1").find("before"), std::string::npos);
  EXPECT_NE(read_file(path_).find("after"), std::string::npos);
}

TEST_F(LogFile, AFileThatCannotBeOpenedIsAnErrorWithACode) {
  const Status status = set_up_log({"info", "text", "/proc/no/such/file"});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, 1399);
}

TEST(RateLimited, SpeaksFirstThenAtDoublings) {
  RateLimited speaker;
  std::vector<std::uint64_t> spoken;
  std::uint64_t kept_total = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    std::uint64_t kept = 0;
    if (!speaker.admit(kStart, kept)) continue;
    spoken.push_back(i);
    kept_total += kept;
  }
  EXPECT_EQ(spoken, (std::vector<std::uint64_t>{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}));
  EXPECT_EQ(kept_total, 512 - spoken.size());
}

TEST(RateLimited, SpeaksAfterTenSecondsOfSilence) {
  RateLimited speaker;
  std::uint64_t kept = 0;
  for (int i = 0; i < 100; ++i) (void)speaker.admit(kStart, kept);
  EXPECT_FALSE(speaker.admit(kStart + Seconds(9), kept));
  EXPECT_TRUE(speaker.admit(kStart + Seconds(10), kept));
  EXPECT_EQ(kept, 37u);
}

}  // namespace
}  // namespace riftbus::bus
