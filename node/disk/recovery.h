// Recovery: what a log's rows say after a start, or why they cannot be believed.
//
// Numbers make every loss visible. Batches written after the state record have consecutive
// numbers, the last one before it ends where the state record says the log ended, entries follow
// each other, the first is no later than the snapshot's successor, and the highest number of all is
// at least the mark's. Pieces of the newest snapshot are read and verified one by one. SQLite's own
// check of its structure comes first, so that no later write can trample on a live page.
//
// Blocking: reads everything once.
#pragma once

#include <vector>

#include "node/disk/log_database.h"

namespace riftbus::disk {

struct Recovered {
  StateRecord state;
  consensus::Entries entries;                // behind the snapshot
  consensus::Index last;                     // of the log; the snapshot's if there is no entry
  Seq seq;                                   // the highest
  std::vector<std::uint64_t> piece_offsets;  // of the newest snapshot
};

// `path`: for its errors. Throws SQLite::Exception.
[[nodiscard]] Result<Recovered> recover(LogDatabase& database, const LogOwner& owner, Seq mark,
                                        const std::string& path);

// The pieces of a snapshot in order, each verified; `take` may refuse by an Error, passed on with
// `is_refused` set.
struct PieceReading {
  Status status = Ok{};
  bool is_refused = false;
};
[[nodiscard]] PieceReading read_pieces(LogDatabase& database, const LogOwner& owner,
                                       const StoredSnapshot& snapshot, const std::string& path,
                                       const std::function<Status(const Piece&)>& take);

}  // namespace riftbus::disk
