#include "bus/tap/record.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "test/bus/tap/frames.h"

namespace riftbus::tap {
namespace {

namespace fs = std::filesystem;

// A folder of its own, gone afterwards.
class RecordTest : public testing::Test {
 protected:
  RecordTest() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() /
              ("riftbus-record-" + std::string(test->name()) + std::to_string(::getpid()));
    fs::create_directories(folder_);
    path_ = folder_ / "tap.jsonl";
  }
  ~RecordTest() override { fs::remove_all(folder_); }

  void write(std::uint64_t first, std::uint64_t count, const Ring& ring) {
    auto writer = RecordWriter::open(path_, ring);
    ASSERT_TRUE(writer.ok());
    for (std::uint64_t i = 0; i < count; ++i) {
      Seen seen = call_out("n1", "n2", "ping", 1, 1, "");
      seen.frame.seq = first + i;
      ASSERT_TRUE(writer->append(json_line(seen)).ok());
    }
    ASSERT_TRUE(writer->flush().ok());
  }

  // Sequence numbers of all frames in all files, oldest first.
  std::vector<std::uint64_t> read() {
    std::vector<std::uint64_t> seqs;
    const auto files = record_files(path_);
    if (!files.ok()) return seqs;
    for (const auto& file : *files) {
      std::ifstream in(file, std::ios::binary);
      RecordReader reader(in);
      while (const auto entry = reader.next()) {
        if (const auto* seen = std::get_if<Seen>(&*entry)) seqs.push_back(seen->frame.seq);
      }
      stats_ = reader.stats();
    }
    return seqs;
  }

  fs::path folder_;
  std::string path_;
  ReadStats stats_;
};

TEST_F(RecordTest, IsReadBackInOrder) {
  write(1, 50, Ring{});
  const auto seqs = read();
  ASSERT_EQ(seqs.size(), 50U);
  EXPECT_EQ(seqs.front(), 1U);
  EXPECT_EQ(seqs.back(), 50U);
  EXPECT_EQ(stats_.frames, 50U);
  EXPECT_EQ(stats_.bad_lines, 0U);
  EXPECT_FALSE(stats_.torn);
}

TEST_F(RecordTest, ARingKeepsTheNewestWithinItsSize) {
  const Ring ring{3, kRingFileBytesMin};
  write(1, 500, ring);
  const auto files = record_files(path_);
  ASSERT_TRUE(files.ok());
  EXPECT_EQ(*files, (std::vector<std::string>{path_ + ".2", path_ + ".1", path_}));
  for (const auto& file : *files) EXPECT_LE(fs::file_size(file), ring.file_bytes);
  const auto seqs = read();
  EXPECT_EQ(seqs.back(), 500U);
  EXPECT_LT(seqs.size(), 500U);
  for (std::size_t i = 1; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], seqs[i - 1] + 1);
}

TEST_F(RecordTest, ARingOfOneBeginsAnew) {
  write(1, 100, Ring{1, kRingFileBytesMin});
  EXPECT_EQ(record_files(path_)->size(), 1U);
  EXPECT_LE(fs::file_size(path_), kRingFileBytesMin);
  EXPECT_EQ(read().back(), 100U);
}

TEST_F(RecordTest, AnExistingRecordIsContinuedAlsoAfterATornLine) {
  write(1, 2, Ring{});
  std::ofstream(path_, std::ios::app) << R"({"schema":1,"type":"fra)";
  EXPECT_EQ(read().size(), 2U);
  EXPECT_TRUE(stats_.torn);
  EXPECT_EQ(stats_.bad_lines, 0U);
  write(3, 1, Ring{});
  EXPECT_EQ(read(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(stats_.bad_lines, 1U);
  EXPECT_FALSE(stats_.torn);
}

TEST_F(RecordTest, ATruncationAnywhereLosesOnlyTheLastLine) {
  write(1, 3, Ring{});
  std::ifstream file(path_, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  const std::size_t line = whole.size() / 3;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::istringstream in(whole.substr(0, size));
    RecordReader reader(in);
    std::size_t frames = 0;
    while (reader.next()) ++frames;
    EXPECT_GE(frames + 1, (size + line) / line);
    EXPECT_EQ(reader.stats().bad_lines, 0U);
  }
}

TEST_F(RecordTest, LossesAndDamageAreCounted) {
  std::istringstream in(json_line(Loss{id("n1"), 2, 0}) + "\nnonsense\n\n" +
                        json_line(published("n1", "beat", 5, "")) + "\n" +
                        std::string(kLineBytesMax + 10, 'x') + "\n" +
                        json_line(Loss{id("n1"), 1, 4}) + "\n");
  RecordReader reader(in);
  std::size_t entries = 0;
  while (reader.next()) ++entries;
  EXPECT_EQ(entries, 3U);
  EXPECT_EQ(reader.stats().frames, 1U);
  EXPECT_EQ(reader.stats().bad_lines, 3U);
  EXPECT_EQ(reader.stats().lost, (Loss{{}, 3, 4}));
}

TEST_F(RecordTest, AFullDiskIsAnErrorThatNamesTheFile) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  auto writer = RecordWriter::open("/dev/full", Ring{});
  ASSERT_TRUE(writer.ok());
  (void)writer->append("line");
  const auto status = writer->flush();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, 1554);
  EXPECT_EQ(status.error().where, "/dev/full");
  EXPECT_FALSE(writer->append("line").ok());
}

TEST_F(RecordTest, AMissingFolderOrRecordIsAnError) {
  EXPECT_EQ(RecordWriter::open(folder_ / "no" / "tap", Ring{}).error().code, 1554);
  EXPECT_EQ(record_files(path_).error().code, 1555);
}

TEST(Ring, IsWrittenAsFilesTimesSize) {
  EXPECT_EQ(*parse_ring("10x64M"), (Ring{10, 64'000'000}));
  EXPECT_EQ(*parse_ring("1x4Ki"), (Ring{1, 4096}));
  for (const auto* bad : {"", "10", "x", "0x64M", "10x", "10x1", "1001x1M", "10x64MB", "-1x1M"}) {
    EXPECT_FALSE(parse_ring(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace riftbus::tap
