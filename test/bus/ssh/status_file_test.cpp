#include "bus/ssh/status_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "test/bus/temporary_directory.h"

namespace riftbus::ssh {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Millis kLong{20'000};

class StatusFile : public ::testing::Test {
 protected:
  int number() const {
    const auto json = nlohmann::json::parse(std::ifstream(path_), nullptr, false);
    return json.is_object() && json.contains("number") ? json["number"].get<int>() : -1;
  }
  // As a disk that hangs: opening it for writing waits for a reader.
  void hang() const {
    ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
    ASSERT_EQ(::link((folder_ / "fifo").c_str(), (path_ + ".new").c_str()), 0);
  }
  void go_on() {
    ASSERT_EQ(::unlink((path_ + ".new").c_str()), 0);
    reader_ = ::open((folder_ / "fifo").c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader_, 0);  // stays open: a pipe that nobody reads would end this program
  }

  test::TemporaryDirectory folder_;
  std::string path_ = folder_ / "status.json";
  int reader_ = -1;
};

TEST_F(StatusFile, IsReplacedAsAWhole) {
  StatusWriter writer(path_);
  EXPECT_FALSE(writer.take_outcome().has_value());
  for (int i = 1; i <= 3; ++i) {
    writer.write({{"number", i}});
    ASSERT_TRUE(writer.finish(kLong));
    EXPECT_EQ(number(), i);
    const auto outcome = writer.take_outcome();
    ASSERT_TRUE(outcome.has_value());
    EXPECT_TRUE(outcome->ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(StatusFile, ADiskThatHangsHoldsUpNobodyAndTheNewestIsWrittenAfterwards) {
  StatusWriter writer(path_);
  hang();
  const auto begun = Clock::now();
  writer.write({{"number", 0}});
  EXPECT_FALSE(writer.finish(Millis{50}));
  for (int i = 1; i <= 1000; ++i) writer.write({{"number", i}});
  EXPECT_FALSE(writer.finish(Millis{50}));
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(5));
  EXPECT_FALSE(writer.take_outcome().has_value());
  EXPECT_EQ(number(), -1);
  go_on();
  ASSERT_TRUE(writer.finish(kLong));
  EXPECT_EQ(number(), 1000);
}

TEST_F(StatusFile, ItsEndDoesNotWaitForTheDisk) {
  hang();
  const auto begun = Clock::now();
  {
    StatusWriter writer(path_);
    writer.write({{"number", 1}});
    EXPECT_FALSE(writer.finish(Millis{50}));
  }
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(5));
  go_on();  // its thread ends
}

TEST_F(StatusFile, AFolderThatIsNotThereIsAnError) {
  StatusWriter writer(folder_ / "nowhere/status.json");
  writer.write({{"number", 1}});
  ASSERT_TRUE(writer.finish(kLong));
  const auto outcome = writer.take_outcome();
  ASSERT_TRUE(outcome.has_value());
  ASSERT_FALSE(outcome->ok());
  EXPECT_EQ(outcome->error().code, 1805);
}

}  // namespace
}  // namespace riftbus::ssh
