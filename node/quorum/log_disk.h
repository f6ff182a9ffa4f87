// LogDisk: the two threads behind a voter: one that writes its log, one that writes its snapshots.
//
// The log thread does what consensus asked for, in that order, on the LogStore. Whatever has
// gathered while a write was under way becomes the next write: one transaction, one fsync, however
// many turns of the loop it took. A failed store ends it: DiskTrouble comes once, and nothing after
// it is done.
//
// The snapshot thread keeps a second work queue. A snapshot of a large queue takes long to write,
// and the loop's own must not stand still for it; equal commands make equal queues, so the second
// one is brought to the same entry and written at leisure, piece by piece through the log thread,
// with at most kPiecesAhead pieces waiting, so that commits are not held up. It costs the memory of
// one more queue, and each command is applied twice.
//
// Contract: everything here is for the loop thread. post() only gathers, commit() hands over what
// was gathered, in order. Poll wake_fd(); then collect(). The destructor finishes what was handed
// over, except snapshots.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
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
  work::WorkQueue queue;   // at memory.snapshot
  work::WorkQueue shadow;  // the same once more
};

// The received snapshot replaced everything; this is what it holds.
struct Installed {
  consensus::Index index;
  work::WorkQueue queue;
};
struct DiskTrouble {
  Error error;
};
using DiskDone = std::variant<consensus::Event, Installed, DiskTrouble>;

class LogDisk {
 public:
  static constexpr std::size_t kPieceBytes = 256 * 1024;
  static constexpr std::size_t kPiecesAhead = 4;

  // Blocking: loads, verifies and, if the store is empty and `first` is given, bootstraps.
  [[nodiscard]] static Result<LogStart> load(disk::LogStore& store, const consensus::Memory* first);

  LogDisk(std::unique_ptr<disk::LogStore> store, work::WorkQueue shadow);
  ~LogDisk();
  LogDisk(const LogDisk&) = delete;
  LogDisk& operator=(const LogDisk&) = delete;

  using Task = std::variant<consensus::Persist, consensus::Compact, consensus::ReadSnapshot,
                            consensus::StoreChunk, consensus::InstallSnapshot>;
  void post(Task task) { gathered_.push_back(std::move(task)); }
  void post(replica::TakeSnapshot snapshot);
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
  // A snapshot's next step, from the snapshot thread.
  struct Piece {
    enum class Kind : std::uint8_t { begin, bytes, finish };
    Kind kind = Kind::begin;
    consensus::SnapshotMeta meta;
    std::string bytes;
  };
  struct Replace {
    work::WorkQueue queue;
  };
  using Order = std::variant<replica::TakeSnapshot, Replace>;

  void run_log();
  void run_snapshots();
  // False: the store has failed.
  bool perform(std::vector<Task>& tasks);
  bool persist(std::vector<Task>& tasks, std::size_t& at);
  Status perform_one(Task& task);
  Status install(const consensus::InstallSnapshot& request);
  bool perform(Piece& piece);
  void tidy();
  void make_snapshot(const replica::TakeSnapshot& order);
  [[nodiscard]] bool hand_over(Piece piece);
  void tell(DiskDone done);
  void fail(const Error& error);

  std::unique_ptr<disk::LogStore> store_;    // the log thread's
  std::unique_ptr<work::WorkQueue> shadow_;  // the snapshot thread's
  std::vector<Task> gathered_;               // the loop thread's

  bus::WakePipe wake_;
  mutable std::mutex mutex_;
  std::condition_variable log_wakes_;
  std::condition_variable snapshot_wakes_;
  std::vector<Task> tasks_;
  std::deque<Piece> pieces_;
  std::deque<Order> orders_;
  std::vector<DiskDone> done_;
  Figures figures_;
  bool stopping_ = false;
  bool failed_ = false;
  bool tidy_more_ = false;  // the log thread's
  std::thread log_thread_;
  std::thread snapshot_thread_;
};

}  // namespace riftbus::node
