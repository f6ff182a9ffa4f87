// FaultVfs: the disk under SQLite, with failures on demand and a power switch.
//
// It passes everything to the real file system and keeps, for each file, what was written since
// the last sync. After die() nothing reaches the disk any more; cut_power() then makes the files
// what they could be after a power cut: all that was synced, and of the rest any writes, whole or
// torn at a sector's edge, in any combination.
//
// While one exists it is SQLite's default file system. One thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/random.h"

namespace riftbus::disk {

class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // The next sync reports an error, once.
  void fail_next_sync() { failing_syncs_ = 1; }
  // After so many more writes and syncs the machine stops.
  void die_after(std::uint64_t operations) { operations_left_ = operations; }
  [[nodiscard]] bool is_dead() const { return operations_left_ == 0; }
  // All files closed. Alive again afterwards.
  void cut_power(Random& random);

  [[nodiscard]] std::uint64_t writes() const { return writes_; }
  [[nodiscard]] std::uint64_t syncs() const { return syncs_; }

 private:
  struct Change {
    bool is_truncation = false;
    std::int64_t offset = 0;  // of a truncation: the new size
    std::string before;       // what was there; shorter if the file was
    std::string after;
    std::int64_t size_before = 0;
  };
  struct File;
  static FaultVfs*& self();
  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out);
  static int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset);
  static int truncate(sqlite3_file* file, sqlite3_int64 size);
  static int sync(sqlite3_file* file, int flags);
  // False: dead.
  bool spend();
  static Change remember(sqlite3_file* real, std::int64_t offset, std::int64_t count);
  static void undo(int fd, const Change& change);
  static void redo(int fd, const Change& change, Random& random);

  sqlite3_vfs* real_;
  sqlite3_vfs own_;
  std::map<std::string, std::vector<Change>> unsynced_;
  int failing_syncs_ = 0;
  std::uint64_t operations_left_ = UINT64_MAX;
  std::uint64_t writes_ = 0;
  std::uint64_t syncs_ = 0;
};

}  // namespace riftbus::disk
