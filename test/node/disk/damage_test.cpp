// A bit flipped anywhere: either the store says so, or it does not matter.
#include <filesystem>
#include <fstream>

#include "test/node/disk/store_stand.h"

namespace riftbus::disk {
namespace {

constexpr const char* kFiles[] = {"log.db", "log.db-wal", "log.mark"};

// The files of a store that is in use, as a crash would leave them; or of one that was closed: then
// everything is in the database, and a copy in the write-ahead log would heal it.
struct Image {
  Model model;
  std::string content[3];
};

Image make_image(std::uint64_t seed, int requests_made, bool is_closed) {
  TempFolder folder;
  Image image;
  Opened opened = reopen(folder.path());
  RandomRequests requests(seed);
  Model attempt;
  for (int i = 0; i < requests_made; ++i) {
    EXPECT_TRUE(requests.step(*opened.store, image.model, attempt));
  }
  if (is_closed) opened.store.reset();
  for (std::size_t i = 0; i < 3; ++i) image.content[i] = read_file(folder.file(kFiles[i]));
  if (is_closed) image.content[1].clear();
  return image;
}

struct Tally {
  int detected = 0;
  int harmless = 0;
};

// The store begins with these files. What it then does is right, or it refuses.
void expect_detected_or_harmless(const Image& image, Tally& tally) {
  TempFolder folder;
  for (std::size_t i = 0; i < 3; ++i) {
    std::ofstream(folder.file(kFiles[i]), std::ios::binary) << image.content[i];
  }
  {
    auto opened = SqliteLogStore::open(folder.path(), kOwner);
    auto loaded = opened.ok() ? (*opened)->load() : Result<Memory>(opened.error());
    if (!loaded.ok()) {
      const Error& error = loaded.error();
      EXPECT_TRUE(error.code >= 1700 && error.code <= 1711) << error.to_string();
      EXPECT_NE(error.where.find("log."), std::string::npos) << error.to_string();
      EXPECT_FALSE(error.next.empty());
      ++tally.detected;
      return;
    }
    ++tally.harmless;
    ASSERT_EQ(difference(image.model.memory, *loaded), "");
    ASSERT_EQ(read_all(**opened), image.model.snapshot);
  }
  // Whatever the bit was for, later writes do not stumble over it.
  Model model = image.model;
  {
    const Opened again = reopen(folder.path());
    ASSERT_TRUE(again.store);
    RandomRequests requests(99);
    Model attempt;
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(requests.step(*again.store, model, attempt));
  }
  expect_model(folder.path(), model);
}

void flip_bits(const Image& image, std::size_t file, int trials, std::uint64_t seed, Tally& tally) {
  Random random(seed);
  const std::size_t bytes = image.content[file].size();
  ASSERT_GT(bytes, 0U);
  for (int i = 0; i < trials; ++i) {
    // Headers hold more meaning per byte than the rest.
    const std::size_t at = static_cast<std::size_t>(
        random.below(i % 4 == 0 ? std::min<std::size_t>(bytes, 128) : bytes));
    const auto bit = static_cast<unsigned>(random.below(8));
    SCOPED_TRACE(std::string(kFiles[file]) + ", byte " + std::to_string(at) + ", bit " +
                 std::to_string(bit));
    Image damaged = image;
    damaged.content[file][at] =
        static_cast<char>(static_cast<unsigned char>(damaged.content[file][at]) ^ (1U << bit));
    ASSERT_NO_FATAL_FAILURE(expect_detected_or_harmless(damaged, tally));
  }
}

TEST(LogStoreDamage, AFlippedBitInTheWriteAheadLogIsDetectedOrHarmless) {
  const Image image = make_image(1, 40, false);
  Tally tally;
  flip_bits(image, 1, 100, 11, tally);
  EXPECT_GT(tally.detected, 40);
}

TEST(LogStoreDamage, AFlippedBitInTheDatabaseIsDetectedOrHarmless) {
  const Image image = make_image(2, 200, true);
  Tally tally;
  flip_bits(image, 0, 100, 12, tally);
  EXPECT_GT(tally.detected, 40);
}

TEST(LogStoreDamage, AFlippedBitInTheMarkIsDetectedOrHarmless) {
  const Image image = make_image(3, 20, false);
  Tally tally;
  flip_bits(image, 2, 24, 13, tally);
}

TEST(LogStoreDamage, AShortenedFileIsDetected) {
  const Image image = make_image(4, 40, false);
  Random random(14);
  for (int i = 0; i < 30; ++i) {
    Image damaged = image;
    const auto file = static_cast<std::size_t>(random.below(2));
    std::string& content = damaged.content[file];
    content.resize(static_cast<std::size_t>(random.below(content.size())));
    SCOPED_TRACE(std::string(kFiles[file]) + " cut to " + std::to_string(content.size()));
    Tally tally;
    ASSERT_NO_FATAL_FAILURE(expect_detected_or_harmless(damaged, tally));
  }
  Image emptied = image;
  emptied.content[1].clear();
  Tally tally;
  ASSERT_NO_FATAL_FAILURE(expect_detected_or_harmless(emptied, tally));
  EXPECT_EQ(tally.detected, 1) << "SQLite takes a missing end for a torn one; the mark does not";
}

TEST(LogStoreDamage, AnOlderCopyOfTheDatabaseIsDetected) {
  TempFolder folder;
  {
    const Opened opened = reopen(folder.path());
    ASSERT_TRUE(write(*opened.store, {WriteSeq(1), make_hard(1, 1), Index(), {}}).ok());
  }
  const std::string database = read_file(folder.file("log.db"));
  const std::string wal = read_file(folder.file("log.db-wal"));
  {
    const Opened opened = reopen(folder.path());
    ASSERT_TRUE(write(*opened.store, {WriteSeq(2), make_hard(2, 2), Index(), {}}).ok());
  }
  std::ofstream(folder.file("log.db"), std::ios::binary) << database;
  std::ofstream(folder.file("log.db-wal"), std::ios::binary) << wal;
  const auto store = open_store(folder.path());
  const auto loaded = store->load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, 1706);
}

}  // namespace
}  // namespace riftbus::disk
