#include "node/disk/incarnation_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "test/node/temp_folder.h"

namespace riftbus::node {
namespace {

void damage(const std::string& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file.put('\x5a');
}

TEST(IncarnationFile, IsZeroWhileThereIsNoFile) {
  const TempFolder folder;
  IncarnationFile file(folder.file("incarnation"));
  EXPECT_EQ(file.load().value(), Incarnation{0});
}

TEST(IncarnationFile, ANewProcessReadsTheNewestStoredLife) {
  const TempFolder folder;
  const auto path = folder.file("incarnation");
  IncarnationFile writer(path);
  for (std::uint64_t life = 7; life < 12; ++life) {
    ASSERT_TRUE(writer.store(Incarnation{life}).ok());
    EXPECT_EQ(IncarnationFile(path).load().value(), Incarnation{life});
  }
}

TEST(IncarnationFile, AfterALoadItDoesNotOverwriteTheNewestSlot) {
  const TempFolder folder;
  const auto path = folder.file("incarnation");
  ASSERT_TRUE(IncarnationFile(path).store(Incarnation{5}).ok());
  IncarnationFile second(path);
  ASSERT_TRUE(second.load().ok());
  ASSERT_TRUE(second.store(Incarnation{6}).ok());
  damage(path, 512 + 8);  // the slot of 6
  EXPECT_EQ(IncarnationFile(path).load().value(), Incarnation{5});
}

TEST(IncarnationFile, ATornSlotLeavesTheOtherOne) {
  const TempFolder folder;
  const auto path = folder.file("incarnation");
  IncarnationFile writer(path);
  ASSERT_TRUE(writer.store(Incarnation{41}).ok());
  ASSERT_TRUE(writer.store(Incarnation{42}).ok());
  damage(path, 512 + 8);
  EXPECT_EQ(IncarnationFile(path).load().value(), Incarnation{41});
}

TEST(IncarnationFile, TwoDamagedSlotsAreAnErrorThatNamesThePath) {
  const TempFolder folder;
  const auto path = folder.file("incarnation");
  std::ofstream(path) << std::string(1024, 'x');
  const auto loaded = IncarnationFile(path).load();
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, 1402);
  EXPECT_EQ(loaded.error().where, path);
}

TEST(IncarnationFile, AMissingFolderIsAnErrorWithANextStep) {
  const TempFolder folder;
  const auto stored = IncarnationFile(folder.file("gone/incarnation")).store(Incarnation{1});
  ASSERT_FALSE(stored.ok());
  EXPECT_FALSE(stored.error().next.empty());
}

}  // namespace
}  // namespace riftbus::node
