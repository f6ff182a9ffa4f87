// SnapshotShelf: snapshots as pieces in the database: the one that counts, and those in the making.
//
// Pieces of an unfinished snapshot are written in relaxed transactions: nobody was promised them,
// and the strict transaction that makes the snapshot count syncs them all. A snapshot that does not
// count, or not any more, is removed piece by piece by tidy().
//
// Blocking; not thread-safe. Throws SQLite::Exception.
#pragma once

#include "node/disk/log_database.h"
#include "node/disk/recovery.h"

namespace riftbus::disk {

class SnapshotShelf {
 public:
  SnapshotShelf(LogDatabase& database, const LogOwner& owner, const std::string& path)
      : database_(database), owner_(owner), path_(path) {}
  void start(Recovered& from);

  // A snapshot in the making. At most two: our own, and a leader's.
  struct Draft {
    StoredSnapshot snapshot;
    std::vector<std::uint64_t> offsets;
  };
  [[nodiscard]] Draft begin(const consensus::SnapshotMeta& meta);
  void add(Draft& draft, std::string_view bytes);
  void discard(std::optional<Draft>& draft);

  // `draft` counts from now on: after the strict transaction that says so.
  void put(Draft draft);
  [[nodiscard]] const StoredSnapshot& current() const { return current_.snapshot; }

  // Every byte of it, verified; then an empty piece.
  [[nodiscard]] PieceReading read(const StoredSnapshot& snapshot, const PieceSink& sink);
  // Of the current one.
  [[nodiscard]] Result<std::string> read_at(std::uint64_t offset, std::size_t bytes_max);

  [[nodiscard]] bool has_dead() const { return has_dead_; }
  // One transaction's worth. True: there is more. `drafts` are spared.
  [[nodiscard]] bool tidy(const std::vector<SnapshotId>& drafts);

 private:
  LogDatabase& database_;
  const LogOwner& owner_;
  const std::string& path_;
  Draft current_;
  SnapshotId newest_;
  bool has_dead_ = false;
};

}  // namespace riftbus::disk
