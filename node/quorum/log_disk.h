// LogDisk: the thread behind a voter that writes its log and its snapshots.
//
// It does what consensus asked for, in that order, on the LogStore. Whatever has gathered while a
// write was under way becomes the next write: one transaction, one fsync, however many turns of the
// loop it took. Pieces of a snapshot come behind that: nobody waits for them. A failed store ends
// it: DiskTrouble comes once, and nothing after it is done.
//
// Contract: everything here is for the loop thread. post() only gathers, commit() hands over what
// was gathered, in order. Poll wake_fd(); then collect(). The destructor finishes what was handed
// over.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "bus/wake_pipe.h"
#include "node/disk/log_store.h"
#include "node/replica/replica.h"

namespace riftbus::node {

// What a voter finds on its disk.
struct LogStart {
  consensus::Memory memory;
  work::WorkQueue queue;  // at memory.snapshot
};

// The received snapshot replaced everything; this is what it holds.
struct Installed {
  consensus::Index index;
  work::WorkQueue queue;
};
struct DiskTrouble {
  Error error;
};
struct PieceWritten {};
using DiskDone = std::variant<consensus::Event, Installed, PieceWritten, DiskTrouble>;

class LogDisk {
 public:
  // Blocking: loads, verifies and, if the store is empty and `first` is given, bootstraps.
  [[nodiscard]] static Result<LogStart> load(disk::LogStore& store, const consensus::Memory* first);

  explicit LogDisk(std::unique_ptr<disk::LogStore> store);
  ~LogDisk();
  LogDisk(const LogDisk&) = delete;
  LogDisk& operator=(const LogDisk&) = delete;

  using Task = std::variant<consensus::Persist, consensus::Compact, consensus::ReadSnapshot,
                            consensus::StoreChunk, consensus::InstallSnapshot>;
  void post(Task task) { gathered_.push_back(std::move(task)); }
  void post(replica::SnapshotPiece piece) { gathered_pieces_.push_back(std::move(piece)); }
  void commit();
  [[nodiscard]] int wake_fd() const { return wake_.descriptor(); }
  void collect(std::vector<DiskDone>& out);

  struct Figures {
    std::uint64_t writes = 0;    // transactions
    std::uint64_t persists = 0;  // of the core's, in them
    std::uint64_t write_us = 0;  // spent in them
    std::uint64_t write_us_max = 0;
    std::uint64_t snapshots = 0;
    std::uint64_t snapshot_bytes = 0;  // of the last one
  };
  [[nodiscard]] Figures figures() const;

 private:
  void run_log();
  // False: the store has failed.
  bool perform(std::vector<Task>& tasks);
  bool persist(std::vector<Task>& tasks, std::size_t& at);
  Status perform_one(Task& task);
  Status install(const consensus::InstallSnapshot& request);
  Status perform(const replica::SnapshotPiece& piece);
  void tidy();
  void tell(DiskDone done);
  void fail(const Error& error);

  std::unique_ptr<disk::LogStore> store_;  // the log thread's
  std::uint64_t piece_bytes_ = 0;          // the log thread's: of the snapshot in the making
  std::vector<Task> gathered_;             // the loop thread's
  std::vector<replica::SnapshotPiece> gathered_pieces_;

  bus::WakePipe wake_;
  mutable std::mutex mutex_;
  std::condition_variable log_wakes_;
  std::vector<Task> tasks_;
  std::vector<replica::SnapshotPiece> pieces_;
  std::vector<DiskDone> done_;
  Figures figures_;
  bool stopping_ = false;
  bool failed_ = false;
  bool tidy_more_ = false;  // the log thread's
  std::thread log_thread_;
};

}  // namespace riftbus::node
