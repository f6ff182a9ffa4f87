#include "node/disk/snapshot_shelf.h"

#include <algorithm>

#include "node/disk/store_error.h"

namespace riftbus::disk {

void SnapshotShelf::start(Recovered& from) {
  current_.snapshot = from.state.snapshot;
  current_.offsets = std::move(from.piece_offsets);
  newest_ = std::max(current().id, database_.highest_snapshot());
  has_dead_ = true;  // whatever a crash left in the making
}

SnapshotShelf::Draft SnapshotShelf::begin(const consensus::SnapshotMeta& meta) {
  newest_ = newest_.next();
  Draft draft;
  draft.snapshot.id = newest_;
  draft.snapshot.meta = meta;
  return draft;
}

void SnapshotShelf::add(Draft& draft, std::string_view bytes) {
  StoredSnapshot& snapshot = draft.snapshot;
  const Piece piece{snapshot.id, snapshot.pieces, snapshot.total, bytes};
  database_.begin(Sync::relaxed);
  database_.insert_piece(snapshot.id, snapshot.pieces, encode_piece(owner_, piece));
  database_.commit();
  draft.offsets.push_back(snapshot.total);
  ++snapshot.pieces;
  snapshot.total += bytes.size();
}

void SnapshotShelf::discard(std::optional<Draft>& draft) {
  if (draft) has_dead_ = true;
  draft.reset();
}

void SnapshotShelf::put(Draft draft) {
  current_ = std::move(draft);
  has_dead_ = true;
}

PieceReading SnapshotShelf::read(const StoredSnapshot& snapshot, const PieceSink& sink) {
  PieceReading reading = read_pieces(database_, owner_, snapshot, path_,
                                     [&sink](const Piece& piece) { return sink(piece.bytes); });
  if (!reading.status.ok()) return reading;
  if (const Status ended = sink({}); !ended.ok()) return {ended.error(), true};
  return reading;
}

Result<std::string> SnapshotShelf::read_at(std::uint64_t offset, std::size_t bytes_max) {
  std::string bytes;
  const auto& offsets = current_.offsets;
  while (bytes.size() < bytes_max && offset < current().total) {
    // The last piece that begins at or before it.
    const auto after = std::upper_bound(offsets.begin(), offsets.end(), offset);
    const auto number = static_cast<std::uint64_t>(after - offsets.begin() - 1);
    const auto record = database_.read_piece(current().id, number);
    const auto piece =
        record ? decode_piece(owner_, *record) : Decoded<Piece>(RecordFault::damaged);
    const auto* found = std::get_if<Piece>(&piece);
    const bool is_right = found != nullptr && found->id == current().id &&
                          found->number == number && found->offset <= offset &&
                          offset - found->offset < found->bytes.size();
    if (!is_right) {
      return lost_log(kRecordDamaged,
                      "piece " + std::to_string(number) + " of the snapshot cannot be believed",
                      path_);
    }
    const auto skipped = static_cast<std::size_t>(offset - found->offset);
    const std::string_view part = found->bytes.substr(skipped, bytes_max - bytes.size());
    bytes += part;
    offset += part.size();
  }
  return bytes;
}

bool SnapshotShelf::tidy(const std::vector<SnapshotId>& drafts) {
  std::vector<LogDatabase::PiecePlace> dead;
  std::size_t bytes = 0;
  SnapshotId id;
  std::uint64_t number = 0;
  has_dead_ = false;
  while (const auto piece = database_.find_piece(id, number)) {
    const bool is_spared = piece->id == current().id ||
                           std::find(drafts.begin(), drafts.end(), piece->id) != drafts.end();
    id = is_spared ? piece->id.next() : piece->id;
    number = is_spared ? 0 : piece->number + 1;
    if (is_spared) continue;
    has_dead_ = !dead.empty() && bytes + piece->bytes > kTidyBytesMax;
    if (has_dead_) break;
    bytes += piece->bytes;
    dead.push_back(*piece);
  }
  if (dead.empty()) return false;
  database_.begin(Sync::relaxed);
  for (const auto& piece : dead) database_.delete_piece(piece.id, piece.number);
  database_.commit();
  return has_dead_;
}

}  // namespace riftbus::disk
