// LogDatabase: the rows of a log in SQLite, and when they are synced. It knows nothing of what the
// rows mean.
//
//   state(id = 1, record)       one row
//   batch(seq, record)          ordered by seq
//   piece(place, record)        place: snapshot id * 2^32 + number
//
// WAL mode with an exclusive lock: one process, no shared-memory file. A strict transaction is
// synced before commit() returns; a relaxed one when the next strict one is, which is enough for
// what nobody was promised (pieces of an unfinished snapshot, deletions). The write-ahead log is
// copied into the database by checkpoint() alone, never in the middle of a commit, until it has
// grown to kWalPagesMax. Voters write the same bytes: each is due at a length that it draws anew
// each time, or all of them would stand still together. What is deleted is not overwritten with
// zeros, which Debian's SQLite would do by default: each page of the log went to the disk twice
// more.
//
// Errors: SQLite::Exception from everything but open(); the store (one layer up) makes them
// Results. Blocking; not thread-safe.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "config/random.h"
#include "config/result.h"
#include "node/disk/log_record.h"

namespace riftbus::disk {

inline constexpr int kWalPagesDue = 512;   // 8 MiB, and up to as much again: worth its syncs
inline constexpr int kWalPagesMax = 2048;  // 32 MiB: then a commit waits for it, some 50 ms

enum class Sync : std::uint8_t { strict, relaxed };

class LogDatabase {
 public:
  // A missing file or table is made, the file private, if `may_create`; else it is an Error.
  [[nodiscard]] static Result<std::unique_ptr<LogDatabase>> open(const std::string& path,
                                                                 bool may_create);

  // SQLite's own check of its structure; "ok" if there is nothing to say.
  [[nodiscard]] std::string check();

  void begin(Sync sync);
  void commit();
  // All that was committed is in the database proper, and synced.
  void checkpoint();
  [[nodiscard]] bool is_checkpoint_due() const { return wal_pages_ >= wal_pages_due_; }

  [[nodiscard]] std::optional<std::string> read_state();
  void write_state(const std::string& record);

  // Until `visit` returns false. The rows must not change meanwhile.
  using BatchVisitor = std::function<bool(Seq seq, std::string_view record)>;
  void visit_batches(const BatchVisitor& visit);
  void visit_batches_backwards(const BatchVisitor& visit);
  void insert_batch(Seq seq, const std::string& record);
  void delete_batch(Seq seq);

  void insert_piece(SnapshotId id, std::uint64_t number, const std::string& record);
  // Nothing if there is none.
  [[nodiscard]] std::optional<std::string> read_piece(SnapshotId id, std::uint64_t number);
  struct PiecePlace {
    SnapshotId id;
    std::uint64_t number = 0;
    std::size_t bytes = 0;
  };
  // The first one at this place or behind it.
  [[nodiscard]] std::optional<PiecePlace> find_piece(SnapshotId id, std::uint64_t number);
  [[nodiscard]] SnapshotId highest_snapshot();
  void delete_piece(SnapshotId id, std::uint64_t number);

 private:
  LogDatabase(const std::string& path, bool may_create);
  void prepare();
  void set_sync(Sync sync);
  static void visit(SQLite::Statement& rows, const BatchVisitor& visitor);

  SQLite::Database database_;  // before its statements: it must outlive them
  std::optional<SQLite::Statement> begin_, commit_, read_state_, write_state_, all_batches_,
      all_batches_backwards_, insert_batch_, delete_batch_, insert_piece_, read_piece_, find_piece_,
      delete_piece_;
  Sync sync_ = Sync::strict;
  int wal_pages_ = 0;
  Random random_{std::random_device()()};
  int wal_pages_due_ = kWalPagesDue;
};

}  // namespace riftbus::disk
