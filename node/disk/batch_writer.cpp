#include "node/disk/batch_writer.h"

#include "config/check.h"
#include "node/disk/store_error.h"

namespace riftbus::disk {

using consensus::Index;

namespace {

Error damaged_batch(Seq seq, RecordFault fault, const std::string& path) {
  return lost_log(kRecordDamaged,
                  "a record of the log cannot be believed: batch " + std::to_string(seq.value()) +
                      ", " + to_string(fault),
                  path);
}

}  // namespace

void BatchWriter::start(const Recovered& from) {
  last_ = from.last;
  seq_ = from.seq;
  floor_ = from.state.floor;
}

void BatchWriter::restart(Index last) {
  last_ = last;
  floor_ = seq_;
}

Status BatchWriter::cut(Index from) {
  RIFTBUS_CHECK(from <= last_.next());
  while (!gathered_.empty() && gathered_.back()->index >= from) gathered_.pop_back();
  const bool reaches_rows = gathered_.empty() && from <= last_;
  last_ = std::min(last_, from - 1);
  return reaches_rows ? cut_rows(from) : Status(Ok{});
}

Status BatchWriter::cut_rows(Index from) {
  std::vector<Seq> gone;
  std::optional<Error> error;
  const auto visit = [&](Seq seq, std::string_view record) {
    if (seq <= floor_) return false;
    const auto decoded = decode_batch(owner_, record);
    if (const auto* fault = std::get_if<RecordFault>(&decoded)) {
      error = damaged_batch(seq, *fault, path_);
      return false;
    }
    const Batch& batch = std::get<Batch>(decoded);
    if (batch.last() < from) return false;
    gone.push_back(seq);
    if (batch.first() >= from) return true;
    for (const consensus::EntryPtr& entry : batch.entries) {
      if (entry->index < from) gathered_.push_back(entry);
    }
    return false;
  };
  database_.visit_batches_backwards(visit);
  if (error) return *error;
  for (const Seq seq : gone) database_.delete_batch(seq);
  return Ok{};
}

void BatchWriter::append(consensus::EntryPtr entry) {
  RIFTBUS_CHECK(entry->index == last_.next());
  last_ = entry->index;
  gathered_.push_back(std::move(entry));
}

void BatchWriter::flush() {
  Batch batch;
  std::size_t bytes = 0;
  const auto write = [&] {
    if (batch.entries.empty()) return;
    batch.seq = take_seq();
    database_.insert_batch(batch.seq, encode_batch(owner_, batch));
    batch.entries.clear();
    bytes = 0;
  };
  for (consensus::EntryPtr& entry : gathered_) {
    const std::size_t size = entry->payload.size() + consensus::kEntryOverheadBytes;
    if (batch.entries.size() == kBatchEntriesMax || bytes + size > kBatchBytesMax) write();
    bytes += size;
    batch.entries.push_back(std::move(entry));
  }
  write();
  gathered_.clear();
}

Result<bool> BatchWriter::tidy(Seq floor, Seq settled, Index up_to) {
  std::vector<Seq> dead;
  std::size_t entries = 0;
  std::size_t bytes = 0;
  bool is_more = false;
  std::optional<Error> error;
  database_.visit_batches([&](Seq seq, std::string_view record) {
    const auto decoded = decode_batch_span(owner_, record);
    if (const auto* fault = std::get_if<RecordFault>(&decoded)) {
      error = damaged_batch(seq, *fault, path_);
      return false;
    }
    const auto& span = std::get<BatchSpan>(decoded);
    const bool is_dead = seq <= floor || (seq <= settled && span.last() <= up_to);
    if (!is_dead) return false;
    is_more = !dead.empty() &&
              (entries + span.count > kTidyEntriesMax || bytes + record.size() > kTidyBytesMax);
    if (is_more) return false;
    entries += static_cast<std::size_t>(span.count);
    bytes += record.size();
    dead.push_back(seq);
    return true;
  });
  if (error) return *error;
  if (dead.empty()) return false;
  database_.begin(Sync::relaxed);
  for (const Seq seq : dead) database_.delete_batch(seq);
  database_.commit();
  return is_more;
}

}  // namespace riftbus::disk
