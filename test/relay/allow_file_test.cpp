#include "relay/allow_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

#include "test/bus/temporary_directory.h"

namespace riftbus::relay {
namespace {

std::string line_of(char c, const std::string& node) {
  return "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + std::string(43, c) + " " + node + "\n";
}

class AllowFileTest : public testing::Test {
 protected:
  // As an editor does: beside it, then over it.
  void write(const std::string& text, mode_t mode = 0644) {
    const std::string beside = path_ + ".new";
    std::ofstream(beside) << text;
    ASSERT_EQ(chmod(beside.c_str(), mode), 0);
    ASSERT_EQ(rename(beside.c_str(), path_.c_str()), 0);
  }
  std::string refusal() {
    const auto list = file_.read();
    if (list) return "none";
    EXPECT_EQ(list.error().code, 1831);
    EXPECT_EQ(list.error().where, path_);
    return list.error().what;
  }

  test::TemporaryDirectory folder_;
  std::string path_ = folder_ / "relay_keys";
  AllowFile file_{path_};
};

TEST_F(AllowFileTest, KeysAndMistakesOfTheFileAreRead) {
  write(line_of('a', "n1") + "nonsense\n" + line_of('b', "n2"));
  const auto list = file_.read();
  ASSERT_TRUE(list) << list.error().to_string();
  EXPECT_EQ(list->list.size(), 2U);
  ASSERT_EQ(list->problems.size(), 1U);
  EXPECT_EQ(list->problems[0].where, path_ + ":2");
}

TEST_F(AllowFileTest, HasChangedOnceAnotherVersionIsThereAndNotAfterItWasRead) {
  write("");
  EXPECT_TRUE(file_.has_changed()) << "never read";
  ASSERT_TRUE(file_.read());
  EXPECT_FALSE(file_.has_changed());
  write("");
  EXPECT_TRUE(file_.has_changed()) << "another file, though as large";
  ASSERT_TRUE(file_.read());
  EXPECT_FALSE(file_.has_changed());
  std::ofstream(path_, std::ios::app) << line_of('a', "n1");
  EXPECT_TRUE(file_.has_changed()) << "the same file, longer";
  ASSERT_TRUE(file_.read());
  EXPECT_FALSE(file_.has_changed());
}

TEST_F(AllowFileTest, ThatItIsGoneAndThatItIsBackAreChanges) {
  write(line_of('a', "n1"));
  ASSERT_TRUE(file_.read());
  ASSERT_EQ(std::remove(path_.c_str()), 0);
  EXPECT_TRUE(file_.has_changed());
  EXPECT_NE(refusal(), "none");
  EXPECT_FALSE(file_.has_changed()) << "known to be gone: told once";
  write(line_of('a', "n1"));
  EXPECT_TRUE(file_.has_changed());
  EXPECT_TRUE(file_.read());
}

TEST_F(AllowFileTest, WhoeverElseMayWriteItMakesItWorthless) {
  for (const mode_t mode : {0664U, 0646U, 0666U}) {
    write(line_of('a', "n1"), mode);
    EXPECT_NE(refusal().find("chmod go-w"), std::string::npos) << mode;
  }
  write(line_of('a', "n1"), 0644);
  EXPECT_TRUE(file_.read()) << "reading it is no harm";
}

TEST_F(AllowFileTest, WhatIsNoFileOrTooLargeIsRefused) {
  write(std::string(AllowFile::kBytesMax + 1, '\n'));
  EXPECT_NE(refusal(), "none");
  write(std::string(AllowFile::kBytesMax, '\n'));
  EXPECT_TRUE(file_.read());
  ASSERT_EQ(std::remove(path_.c_str()), 0);
  ASSERT_EQ(mkdir(path_.c_str(), 0755), 0);
  EXPECT_NE(refusal(), "none");
}

}  // namespace
}  // namespace riftbus::relay
