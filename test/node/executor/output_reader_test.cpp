#include "node/executor/output_reader.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "node/executor/job_files.h"
#include "node/executor/output_file.h"
#include "test/node/temp_folder.h"

namespace riftbus::executor {
namespace {

namespace fs = std::filesystem;
using node::TempFolder;

constexpr std::uint64_t kBytesMax = 1000;  // so a file has 500

class OutputReader : public ::testing::Test {
 protected:
  OutputReader() {
    fs::create_directories(temp_.file("finished"));
    fs::create_directories(path());
  }

  [[nodiscard]] std::string path(std::uint64_t fence = 5) const {
    return temp_.path() + "/" + folder_name({work::WorkId(3), work::Fence(fence)});
  }
  [[nodiscard]] OutputPart read(std::optional<std::uint64_t> offset, std::size_t bytes) const {
    auto part = read_output_part(temp_.path(), work::WorkId(3), false, offset, bytes);
    return part ? *part : OutputPart{"<" + part.error().what + ">", 0, 0, 0, 0};
  }
  // Bytes that say where they are: 0000 0004 0008 ...
  static std::string stream(std::uint64_t from, std::uint64_t to) {
    std::string text;
    for (std::uint64_t at = 0; at < to; at += 4) {
      std::string word = std::to_string(at);
      text += std::string(4 - std::min<std::size_t>(4, word.size()), '0') + word;
    }
    return text.substr(from, to - from);
  }

  TempFolder temp_;
};

TEST_F(OutputReader, ReadsOnFromWhereItWasWhileTheFilesAreExchanged) {
  OutputFile file(path() + "/stdout.log", kBytesMax);
  const std::string whole = stream(0, 4000);
  std::string read_so_far;
  std::uint64_t next = 0;
  for (std::size_t at = 0; at < whole.size(); at += 80) {
    file.write(std::string_view(whole).substr(at, 80));
    const auto part = read(next, 1000);
    EXPECT_EQ(part.offset, next);
    EXPECT_EQ(part.end, at + 80);
    EXPECT_EQ(part.fence, 5U);
    read_so_far += part.text;
    next = part.offset + part.text.size();
  }
  EXPECT_EQ(read_so_far, whole);
}

TEST_F(OutputReader, WhatIsKeptNoLongerIsLeftOutAndTheRestStaysInItsPlace) {
  OutputFile file(path() + "/stdout.log", kBytesMax);
  file.write(stream(0, 2700));
  const auto part = read(0, 1000);
  EXPECT_EQ(part.begin, 2000U);  // five files of 500 were full; the last of them is kept
  EXPECT_EQ(part.offset, 2000U);
  EXPECT_EQ(part.end, 2700U);
  EXPECT_EQ(part.text, stream(2000, 2700));
  EXPECT_EQ(read(2490, 20).text, stream(2490, 2510));
  EXPECT_EQ(read(2600, 20).text, stream(2600, 2620));
  EXPECT_EQ(read(9000, 20).text, "");
  EXPECT_EQ(read(std::nullopt, 12).text, stream(2688, 2700));
}

TEST_F(OutputReader, WithoutTheNoteWhatIsKeptCountsAsAll) {
  {
    OutputFile file(path() + "/stdout.log", kBytesMax);
    file.write(stream(0, 1200));
  }
  fs::remove(path() + "/stdout.log.begin");
  const auto part = read(0, 2000);
  EXPECT_EQ(part.begin, 0U);
  EXPECT_EQ(part.text, stream(500, 1200));
}

TEST_F(OutputReader, TheNewestAttemptIsReadAlsoWhenItIsOver) {
  OutputFile(path() + "/stdout.log", kBytesMax).write("old");
  fs::create_directories(path(9));
  OutputFile(path(9) + "/stdout.log", kBytesMax).write("new");
  fs::rename(path(9), temp_.path() + "/finished/" + fs::path(path(9)).filename().string());
  EXPECT_EQ(read(std::nullopt, 10).text, "new");
  EXPECT_EQ(read(std::nullopt, 10).fence, 9U);
}

}  // namespace
}  // namespace riftbus::executor
