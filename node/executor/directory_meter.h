// DirectoryMeter: what a directory holds, measured a piece at a time, so that whoever measures has
// time for other things in between.
//
// Counted are the lengths of regular files, and 4 KiB for each entry, which costs an inode, too. A
// folder that cannot be read counts as an entry, and the measuring goes on. Links are not followed.
// Limit: a tree that is moved about while it is measured may be counted twice or not at all; of
// more than kFoldersMax folders that wait to be read, the rest count as entries only.
//
// Blocking, as the disk is. One thread.
#pragma once

#include <dirent.h>

#include <cstdint>
#include <string>
#include <vector>

namespace riftbus::executor {

class DirectoryMeter {
 public:
  static constexpr std::size_t kFoldersMax = 100'000;

  DirectoryMeter() = default;
  ~DirectoryMeter();
  DirectoryMeter(const DirectoryMeter&) = delete;
  DirectoryMeter& operator=(const DirectoryMeter&) = delete;

  // Forgets what it measured before.
  void begin(std::vector<std::string> folders);
  // Looks at `entries_max` entries more. True: that was all.
  [[nodiscard]] bool advance(std::size_t entries_max);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  [[nodiscard]] bool open_next();
  void count(const std::string& name);
  void close();

  std::vector<std::string> waiting_;
  std::string path_;  // of the one that is read
  DIR* folder_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace riftbus::executor
