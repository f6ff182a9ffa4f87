// Disk: a voter's storage: ordered writes, group commit, and everything that goes wrong with them.
//
// What is submitted waits; an fsync takes all that waited when it began, and takes its time. Only
// what an fsync has finished with is durable. A crash keeps a random prefix of the rest, as kernels
// do: whole transactions, because a torn one does not pass its checksum and is cut off at start. A
// disk may be slow, hang, or refuse (full, an error): then the process is told once that it failed.
//
// `image` is what a process would find at start. Not thread-safe; lives on one Schedule.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "node/consensus/consensus.h"
#include "test/sim/schedule.h"

namespace riftbus::consensus {

using consensus::Action;
using consensus::Index;
using consensus::Role;
using consensus::ServerId;
using consensus::Status;
using consensus::Term;

// A log with its snapshot: on a disk, or as its owner believes it to be.
struct LogImage {
  consensus::HardState hard;
  consensus::SnapshotMeta snapshot;
  std::deque<consensus::EntryPtr> entries;
  std::string state;     // bytes of the snapshot
  std::string incoming;  // of one that arrives in pieces
  std::string problem;   // a write that cannot follow what is there

  // `state` of TakeSnapshot is passed beside it.
  void write(const Action& action, const std::string& snapshot_state);
  [[nodiscard]] Index last() const;
  // Nothing if it is not there, or covered by the snapshot.
  [[nodiscard]] const consensus::Entry* find(Index index) const;
  // The entry itself, or a snapshot that includes it.
  [[nodiscard]] bool holds(Index index, Term term) const;
  [[nodiscard]] consensus::Memory load() const;
};

struct DiskPace {
  Nanos fsync_min = Nanos(100'000);
  Nanos fsync_max = Millis(3);
};

class Disk {
 public:
  // `done`: of each write, once durable, in order; of all Persists of one fsync only the last, if
  // `lumps`. `failed`: nothing more will be written for this process.
  Disk(sim::Schedule& schedule, std::uint64_t seed) : schedule_(schedule), random_(seed) {}
  std::function<void(const Action&)> done;
  std::function<void()> failed;

  void submit(Action action, std::string snapshot_state);
  // The process died. `kept_max`: at most so many of the writes under way survive.
  void crash(std::size_t kept_max);
  void wipe() { image_ = LogImage(); }

  void set_pace(const DiskPace& pace) { pace_ = pace; }
  void set_hanging(bool hangs);
  // Writes fail from now on: a full disk, an I/O error.
  void set_refusing(bool refuses) { refuses_ = refuses; }

  [[nodiscard]] LogImage& image() { return image_; }
  [[nodiscard]] const LogImage& image() const { return image_; }
  [[nodiscard]] std::size_t waiting() const { return pending_.size(); }
  // By hand (scripts): finishes the first `count` writes now; returns how many there were.
  std::size_t finish(std::size_t count);
  void set_manual(bool manual) { manual_ = manual; }

 private:
  struct Write {
    Action action;
    std::string state;
  };
  void begin_fsync();
  void end_fsync(std::uint64_t life);
  void fail();

  sim::Schedule& schedule_;
  Random random_;
  DiskPace pace_;
  LogImage image_;
  std::deque<Write> pending_;
  std::size_t batch_ = 0;  // of the fsync under way
  std::uint64_t life_ = 0;
  bool hangs_ = false;
  bool overdue_ = false;  // an fsync would have ended, but the disk hangs
  bool refuses_ = false;
  bool has_failed_ = false;  // until the process is another
  bool manual_ = false;
};

}  // namespace riftbus::consensus
