#include "node/disk/recovery.h"

#include <algorithm>

#include "node/disk/store_error.h"

namespace riftbus::disk {

namespace {

using consensus::Index;

std::string text(std::uint64_t number) { return std::to_string(number); }

Error record_error(RecordFault fault, const std::string& record, const std::string& path) {
  const std::string what =
      "a record of the log cannot be believed: " + record + ", " + std::string(to_string(fault));
  if (fault == RecordFault::later_version) {
    return Error{kStoreOfLaterVersion, what, path, "start the newer version again"};
  }
  return lost_log(kRecordDamaged, what, path);
}

Result<StateRecord> read_state(LogDatabase& database, const LogOwner& owner,
                               const std::string& path) {
  const auto record = database.read_state();
  if (!record) return lost_log(kLogLostItsEnd, "the state record of the log is missing", path);
  auto state = decode_state(*record);
  if (const auto* fault = std::get_if<RecordFault>(&state)) {
    return record_error(*fault, "the state record", path);
  }
  auto& found = std::get<StateRecord>(state);
  if (found.owner != owner) {
    return foreign_log(path);
  }
  return std::move(found);
}

// Goes through the batches in order and believes only what fits.
class BatchReader {
 public:
  BatchReader(Recovered& out, const LogOwner& owner, const std::string& path)
      : out_(out), owner_(owner), path_(path) {
    out_.seq = out_.state.seq;
  }

  // False: stop, see error().
  bool visit(Seq seq, std::string_view record) {
    if (seq <= out_.state.floor) return true;
    auto batch = decode_batch(owner_, record);
    if (const auto* fault = std::get_if<RecordFault>(&batch)) {
      return fail(record_error(*fault, name(seq), path_));
    }
    auto& found = std::get<Batch>(batch);
    if (found.seq != seq) return fail(record_error(RecordFault::damaged, name(seq), path_));
    if (!follows(found)) return fail(gap("entries are missing before " + name(seq)));
    if (seq <= state().seq) last_before_state_ = found.last();
    last_ = found.last();
    last_seq_ = seq;
    out_.seq = std::max(out_.seq, seq);
    for (consensus::EntryPtr& entry : found.entries) {
      if (entry->index > covered()) out_.entries.push_back(std::move(entry));
    }
    return true;
  }

  // After the last row.
  void finish() {
    if (error_) return;
    // Without a batch, all were covered by the snapshot and deleted.
    const bool ends_well = last_before_state_ ? *last_before_state_ == state().last
                           : last_            ? true
                                              : state().last <= covered();
    if (!ends_well || (last_ && *last_ < covered())) {
      fail(gap("the log ends before entry " + text(std::max(state().last, covered()).value())));
    }
    out_.last = last_.value_or(covered());
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  [[nodiscard]] const StateRecord& state() const { return out_.state; }
  [[nodiscard]] Index covered() const { return state().snapshot.meta.index; }
  [[nodiscard]] std::string name(Seq seq) const {
    return "batch " + text(seq.value()) + " after entry " + text(last_.value_or(covered()).value());
  }
  [[nodiscard]] Error gap(const std::string& what) const {
    return lost_log(kLogHasGap, "the log has a gap: " + what, path_);
  }
  bool fail(Error error) {
    error_ = std::move(error);
    return false;
  }
  [[nodiscard]] bool follows(const Batch& batch) const {
    if (!last_) return batch.first() <= covered().next();
    if (batch.first() != last_->next()) return false;
    return batch.seq <= state().seq || batch.seq == std::max(last_seq_, state().seq).next();
  }

  Recovered& out_;
  const LogOwner& owner_;
  const std::string& path_;
  std::optional<Index> last_;
  std::optional<Index> last_before_state_;
  Seq last_seq_;
  std::optional<Error> error_;
};

}  // namespace

PieceReading read_pieces(LogDatabase& database, const LogOwner& owner,
                         const StoredSnapshot& snapshot, const std::string& path,
                         const std::function<Status(const Piece&)>& take) {
  std::uint64_t offset = 0;
  for (std::uint64_t number = 0; number < snapshot.pieces; ++number) {
    const std::string name =
        "piece " + text(number) + " of the snapshot at entry " + text(snapshot.meta.index.value());
    const auto record = database.read_piece(snapshot.id, number);
    if (!record) return {lost_log(kLogHasGap, name + " is missing", path)};
    const auto piece = decode_piece(owner, *record);
    if (const auto* fault = std::get_if<RecordFault>(&piece)) {
      return {record_error(*fault, name, path)};
    }
    const auto& found = std::get<Piece>(piece);
    if (found.id != snapshot.id || found.number != number || found.offset != offset) {
      return {record_error(RecordFault::damaged, name, path)};
    }
    offset += found.bytes.size();
    if (const Status taken = take(found); !taken.ok()) return {taken.error(), true};
  }
  if (offset == snapshot.total) return {};
  return {lost_log(kLogHasGap, "the snapshot is shorter than it was", path)};
}

Result<Recovered> recover(LogDatabase& database, const LogOwner& owner, Seq mark,
                          const std::string& path) {
  if (const std::string found = database.check(); found != "ok") {
    return lost_log(kDatabaseDamaged, "the database of the log is damaged: " + found, path);
  }
  auto state = read_state(database, owner, path);
  if (!state.ok()) return state.error();
  Recovered out;
  out.state = std::move(*state);
  BatchReader reader(out, owner, path);
  database.visit_batches(
      [&reader](Seq seq, std::string_view record) { return reader.visit(seq, record); });
  reader.finish();
  if (reader.error()) return *reader.error();
  if (out.seq < mark) {
    return lost_log(kLogLostItsEnd,
                    "the log lost acknowledged writes: it knows " + text(out.seq.value()) + " of " +
                        text(mark.value()),
                    path);
  }
  const PieceReading pieces =
      read_pieces(database, owner, out.state.snapshot, path, [&out](const Piece& piece) {
        out.piece_offsets.push_back(piece.offset);
        return Status(Ok{});
      });
  if (!pieces.status.ok()) return pieces.status.error();
  return out;
}

}  // namespace riftbus::disk
