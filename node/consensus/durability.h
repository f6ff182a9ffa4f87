// Durability: how much of the log, as it is now, is safely on disk.
//
// Writes are handed to the disk in order and complete in order, but between the two the log may
// change: entry 7 of term 2 is written, then replaced by an entry of term 3, then by the first one
// again. A completion that says "7 of term 2" would vouch for bytes that a later write, still on
// its way, is about to remove (the ABA race; etcd-raft, async_storage_writes_append_aba_race).
// So completions carry a write's number, and whatever is cut off the log is taken away from all
// writes still under way: they can only vouch for what no later write touches.
//
// The same numbers tell when a vote or a term is durable, before which nobody may hear of it.
//
// Pure; not thread-safe.
#pragma once

#include <deque>

#include "node/consensus/types.h"

namespace riftbus::consensus {

class Durability {
 public:
  explicit Durability(Index durable = Index()) : durable_(durable) {}

  // The next write was handed over. `last`: of the log with it. `version`: of the hard state.
  WriteSeq issue(Index last, std::uint64_t version);
  // All writes up to `seq` are durable; repeated and unknown numbers are ignored.
  void complete(WriteSeq seq);
  // The log was cut before `from`.
  void truncate(Index from);
  // The log was replaced by a durable snapshot.
  void restart(Index snapshot);

  [[nodiscard]] Index durable() const { return durable_; }
  [[nodiscard]] std::uint64_t hard_version() const { return hard_version_; }
  [[nodiscard]] bool is_busy() const { return !pending_.empty(); }
  [[nodiscard]] WriteSeq issued() const { return issued_; }
  [[nodiscard]] WriteSeq completed() const { return completed_; }

 private:
  struct Write {
    WriteSeq seq;
    Index last;
    std::uint64_t version = 0;
  };
  Index durable_;
  std::uint64_t hard_version_ = 0;
  WriteSeq issued_;
  WriteSeq completed_;
  std::deque<Write> pending_;
};

}  // namespace riftbus::consensus
