// LogStore: what a voter must not forget: the log, term and vote, and the newest snapshot.
//
// Consensus promises that nothing acknowledged is lost as long as disks keep what they
// acknowledged. This is where that promise meets a disk, and where a disk that breaks it is found
// out. Each call is one request of the core (consensus.h) and is durable when it returns ok.
//
// What holds. A write is whole or absent after a crash: cut, entries and hard state together.
// load() gives exactly what was acknowledged, perhaps with the last, unacknowledged writes, or an
// Error; it never guesses. Every record carries a checksum; a gap, a torn row, a file that is older
// than what it acknowledged, or one of another node or cluster is an Error of 1700 to 1711 which
// names file and record. The cure is always the same: remove this voter and add it anew, empty.
//
// After the first failed write the store is failed: every later call gives that first Error. There
// is no second try, since after a failed fsync the kernel may call clean what never reached the
// disk. What follows for the owner: tell the core DiskFailed, once. A new start reads the disk
// again, and copies and syncs what it finds before it vouches for it.
//
// Work in the background comes in bits: old entries and old snapshots are deleted at most
// kTidyEntriesMax entries and kTidyBytesMax bytes at a time by tidy(), so that a commit never waits
// for a large deletion.
//
// Limits. A whole folder put back from a backup is not noticed: it is a voter that forgets, and
// must be removed and added anew. Damage is looked for at load() and at each read, not in between.
//
// Contract: blocking, not thread-safe; all calls from one thread (the disk thread) in the order in
// which the core asked. Calls outside their order (persist() before load(), an entry that does not
// follow the last one) are CHECKed.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "config/result.h"
#include "node/consensus/consensus.h"

namespace riftbus::disk {

inline constexpr std::size_t kTidyEntriesMax = 5000;
inline constexpr std::size_t kTidyBytesMax = 4 * 1024 * 1024;
// Of a snapshot, in one row and one transaction.
inline constexpr std::size_t kPieceBytesMax = 1024 * 1024;

// Whose log this is. A file made for another one is refused.
struct LogOwner {
  consensus::ClusterKey cluster;
  consensus::ServerId self;
  bool operator==(const LogOwner&) const = default;
};

// Takes a snapshot's bytes piece by piece, in order; an empty piece says that all have come. An
// Error ends the reading and is passed on.
using PieceSink = std::function<Status(std::string_view piece)>;

class LogStore {
 public:
  LogStore() = default;
  virtual ~LogStore() = default;
  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // ---- at start

  // First, once. Verifies everything, then vouches for it. A new store gives an empty Memory.
  [[nodiscard]] virtual Result<consensus::Memory> load() = 0;
  // Of the first voters of a new cluster: `memory` as consensus::bootstrap() makes it, into an
  // empty store (CHECKed), instead of load()'s.
  [[nodiscard]] virtual Status bootstrap(const consensus::Memory& memory) = 0;
  // The state machine's bytes at load()'s snapshot. Only an empty piece if there is none.
  [[nodiscard]] virtual Status read_snapshot(const PieceSink& sink) = 0;

  // ---- the log

  // All of them in one transaction with one fsync; then Persisted{writes.back().seq}. Hand over
  // everything that waits: that is what makes a slow disk bearable.
  [[nodiscard]] virtual Status persist(std::span<const consensus::Persist> writes) = 0;
  // Only remembers it: tidy() deletes.
  virtual void compact(const consensus::Compact& request) = 0;
  // One bounded piece of background work, if there is any; true: there is more. Call it when
  // nothing else waits, and now and then when something always does.
  [[nodiscard]] virtual Result<bool> tidy() = 0;

  // ---- a snapshot of our own state machine (TakeSnapshot)

  // Begin, pieces of 1 to kPieceBytesMax bytes, finish; between them any other call. Durable after
  // finish_snapshot(): SnapshotTaken{meta.index, true}. A new beginning discards an unfinished one;
  // so does, silently, the installation of a snapshot: then finish_snapshot() gives false.
  [[nodiscard]] virtual Status begin_snapshot(const consensus::SnapshotMeta& meta) = 0;
  [[nodiscard]] virtual Status add_to_snapshot(std::string_view piece) = 0;
  [[nodiscard]] virtual Result<bool> finish_snapshot() = 0;

  // ---- a snapshot of a leader's, received or sent

  [[nodiscard]] virtual Status store_chunk(const consensus::StoreChunk& chunk) = 0;
  // Reads the chunks back, verified, into `restore`, which builds the new state machine aside; if
  // it takes all of them, replaces snapshot and log in one step and gives true: SnapshotInstalled
  // {meta.index, true}. False, with everything as it was: chunks are missing, or `restore` gave an
  // Error. Only what is wrong with this disk is an Error here.
  [[nodiscard]] virtual Result<bool> install_snapshot(const consensus::InstallSnapshot& request,
                                                      const PieceSink& restore) = 0;
  // For a follower. `bytes` is empty at or behind the end. Without a snapshot: `total` is 0.
  [[nodiscard]] virtual Result<consensus::SnapshotBytes> read_chunk(
      const consensus::ReadSnapshot& request) = 0;

  // ---- state

  // What ended this store's service; nullptr while it serves.
  [[nodiscard]] virtual const Error* failure() const = 0;
};

}  // namespace riftbus::disk
