#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "node/work/records.h"
#include "node/work/snapshot.h"

namespace riftbus::work {

namespace {

// `write` appends its body.
template <class Write>
void append_frame_of(std::string& out, Tag tag, Write write) {
  const std::size_t begin = out.size();
  out.append(kFrameHead, '\0');
  write();
  const std::size_t size = out.size() - begin - kFrameHead;
  for (std::size_t i = 0; i < 4; ++i) out[begin + i] = static_cast<char>(size >> (8 * i) & 0xFFU);
  out[begin + 4] = static_cast<char>(tag);
}

template <class Record>
void append_frame(std::string& out, Tag tag, const Record& record) {
  append_frame_of(out, tag, [&] { Writer(out).write(record); });
}

void append_row(std::string& out, const Finished& finished) {
  FinishedRow row;
  row.id = finished.id.value();
  row.fence = finished.fence.value();
  row.finished_ms = finished.finished_ms;
  row.waited_ms = finished.waited_ms;
  row.ran_ms = finished.ran_ms;
  row.kind = finished.kind;
  row.node = finished.node;
  row.state = static_cast<std::uint8_t>(finished.state);
  row.cause = static_cast<std::uint8_t>(finished.cause);
  row.failures = finished.failures;
  row.losses = finished.losses;
  std::array<char, sizeof row> bytes;
  std::memcpy(bytes.data(), &row, sizeof row);
  out.append(bytes.data(), bytes.size());
}

// Of the first of these frames.
std::size_t frame_size(std::string_view frames) {
  std::size_t size = kFrameHead;
  for (std::size_t i = 0; i < 4; ++i) {
    size += std::size_t{static_cast<unsigned char>(frames[i])} << (8 * i);
  }
  return size;
}

void append_names(std::string& out, Tag tag, const Names& names) {
  names.for_each([&](NameNumber number, std::string_view text) {
    append_frame(out, tag, NameRecord{number, std::string(text)});
  });
}

void append_tallies(std::string& out, Tag tag, const std::map<std::uint16_t, Tally>& tallies) {
  for (const auto& [number, tally] : tallies) append_frame(out, tag, TallyRecord{number, tally});
}

}  // namespace

SnapshotWriter::SnapshotWriter(const WorkQueue& queue)
    : ledger_(queue.ledger()),
      items_end_(ledger_.next_id),
      finished_begin_(ledger_.history.forgotten()) {
  finished_.next = finished_begin_;
  finished_.end = finished_begin_ + ledger_.history.size();
  results_.next = ledger_.history.results_forgotten();
  results_.end = results_.next + ledger_.history.results().size();
  adds_.next = ledger_.past_adds.forgotten();
  adds_.end = adds_.next + ledger_.past_adds.size();
  copy_head();
  copy_rest();
  ledger_.watches.add(*this);
}

SnapshotWriter::~SnapshotWriter() { ledger_.watches.remove(*this); }

// ---- what is copied at once --------------------------------------------------------------------

void SnapshotWriter::copy_head() {
  std::string& out = head_.frames;
  append_frame(
      out, Tag::base,
      BaseRecord{kSnapshotFormat, ledger_.applied_index, ledger_.now_ms, ledger_.generation,
                 ledger_.next_id, ledger_.dead_evicted, ledger_.settings});
  append_names(out, Tag::kind, ledger_.kinds);
  append_names(out, Tag::group_name, ledger_.groups);
  append_names(out, Tag::node, ledger_.nodes);
  for (const auto& [number, compiled] : ledger_.terms_of) {
    append_frame(out, Tag::terms, TermsRecord{number, compiled.terms});
  }
  for (const auto& [number, group] : ledger_.group_of) {
    if (group.kept) append_frame(out, Tag::group, GroupRecord{number, group.limit, group.weight});
  }
  for (const auto& [node, worker] : ledger_.workers.all()) {
    append_frame(out, Tag::worker,
                 WorkerRecord{node, worker.instance, worker.seen_ms, worker.away, worker.offer,
                              worker.answers});
  }
  for (const auto& [id, gang] : ledger_.gangs) {
    append_frame(out, Tag::gang,
                 GangRecord{id,
                            {gang.members.begin(), gang.members.end()},
                            gang.size,
                            gang.timeout_ms,
                            gang.until_ms,
                            gang.started});
  }
}

void SnapshotWriter::copy_rest() {
  append_tallies(rest_.frames, Tag::kind_tally, ledger_.kind_tally);
  append_tallies(rest_.frames, Tag::node_tally, ledger_.node_tally);
  for (const Orphan& orphan : ledger_.orphans) append_frame(rest_.frames, Tag::orphan, orphan);
  for (std::size_t i = 0; i < ledger_.past_ends.size(); ++i) {
    append_frame(tail_.frames, Tag::past_end, ledger_.past_ends.at(i));
  }
}

// ---- what is kept before it changes ------------------------------------------------------------

void SnapshotWriter::before_item(const Item& item) {
  if (part_ > Part::items || item.id < next_item_ || item.id >= items_end_) return;
  const auto [at, is_first] = kept_items_.try_emplace(item.id);
  if (is_first) append_frame(at->second, Tag::item, item);
}

void SnapshotWriter::before_key(const std::string& key) {
  if (part_ > Part::keys || (last_key_ && key <= *last_key_)) return;
  const auto [at, is_first] = kept_keys_.try_emplace(key);
  const auto known = ledger_.dedupe.find(key);
  if (!is_first || known == ledger_.dedupe.end() || known->second.until_ms == 0) return;
  append_frame(at->second, Tag::key, KeyRecord{key, known->second.id, known->second.until_ms});
}

void SnapshotWriter::before_finished_goes() {
  if (!finished_.lacks(ledger_.history.forgotten())) return;
  finished_.kept.push_back(ledger_.history.records().front());
}

void SnapshotWriter::before_result_goes() {
  if (!results_.lacks(ledger_.history.results_forgotten())) return;
  results_.kept.push_back(result_frame(ledger_.history.results().front()));
}

void SnapshotWriter::before_add_goes() {
  if (!adds_.lacks(ledger_.past_adds.forgotten())) return;
  append_frame(adds_.kept.emplace_back(), Tag::add, ledger_.past_adds.at(0));
}

// ---- pieces ------------------------------------------------------------------------------------

std::string SnapshotWriter::next_piece(std::size_t bytes) {
  std::string out;
  out.reserve(bytes + 4096);
  for (std::size_t steps = 0; !done() && out.size() < bytes && steps < kStepsMax; ++steps) {
    step(out);
  }
  return out;
}

void SnapshotWriter::step(std::string& out) {
  switch (part_) {
    case Part::head:
      return write_copied(out, head_);
    case Part::items:
      return write_item(out);
    case Part::keys:
      return write_key(out);
    case Part::finished:
      return write_finished(out);
    case Part::results:
      return write_result(out);
    case Part::rest:
      return write_copied(out, rest_);
    case Part::adds:
      return write_add(out);
    case Part::tail:
      return write_copied(out, tail_);
    case Part::none:
      return;
  }
}

void SnapshotWriter::put(std::string& out, std::string_view frame) {
  checksum_ = XXH3_64bits_withSeed(frame.data(), frame.size(), checksum_);
  out += frame;
}

void SnapshotWriter::count_frame(const std::string& out, std::size_t begin) {
  const std::string_view frame = std::string_view(out).substr(begin);
  checksum_ = XXH3_64bits_withSeed(frame.data(), frame.size(), checksum_);
}

void SnapshotWriter::next_part() { part_ = static_cast<Part>(static_cast<int>(part_) + 1); }

void SnapshotWriter::write_copied(std::string& out, Copied& copied) {
  const std::string_view left = std::string_view(copied.frames).substr(copied.written);
  if (left.empty()) {
    copied = {};
    return part_ == Part::tail ? write_end(out) : next_part();
  }
  const std::size_t size = frame_size(left);
  put(out, left.substr(0, size));
  copied.written += size;
}

void SnapshotWriter::write_end(std::string& out) {
  append_frame(out, Tag::end, EndRecord{checksum_});
  next_part();
}

void SnapshotWriter::write_item(std::string& out) {
  const auto at = ledger_.items.lower_bound(next_item_);
  const auto kept = kept_items_.begin();
  const bool is_there = at != ledger_.items.end() && at->first < items_end_;
  if (kept != kept_items_.end() && (!is_there || kept->first <= at->first)) {
    next_item_ = kept->first.next();
    put(out, kept->second);
    kept_items_.erase(kept);
    return;
  }
  if (!is_there) return next_part();
  next_item_ = at->first.next();
  const std::size_t begin = out.size();
  append_frame(out, Tag::item, at->second);
  count_frame(out, begin);
}

void SnapshotWriter::write_key(std::string& out) {
  const auto at = last_key_ ? ledger_.dedupe.upper_bound(*last_key_) : ledger_.dedupe.begin();
  const auto kept = kept_keys_.begin();
  const bool is_there = at != ledger_.dedupe.end();
  if (kept != kept_keys_.end() && (!is_there || kept->first <= at->first)) {
    last_key_ = kept->first;
    if (!kept->second.empty()) put(out, kept->second);
    kept_keys_.erase(kept);
    return;
  }
  if (!is_there) return next_part();
  last_key_ = at->first;
  if (at->second.until_ms == 0) return;  // its item has it
  std::string frame;
  append_frame(frame, Tag::key, KeyRecord{at->first, at->second.id, at->second.until_ms});
  put(out, frame);
}

// A frame of as many as are left, up to kRunMax.
void SnapshotWriter::write_finished(std::string& out) {
  if (finished_.next == finished_.end) return next_part();
  const std::size_t begin = out.size();
  const std::uint64_t run_end = std::min(finished_.end, finished_.next + kRunMax);
  append_frame_of(out, Tag::finished, [&] {
    for (; finished_.next < run_end; ++finished_.next) {
      if (!finished_.kept.empty()) {
        append_row(out, finished_.kept.front());
        finished_.kept.pop_front();
      } else {
        append_row(out, ledger_.history.records()[finished_.next - ledger_.history.forgotten()]);
      }
    }
  });
  count_frame(out, begin);
}

std::string SnapshotWriter::result_frame(const History::Kept& kept) const {
  std::string frame;
  append_frame(frame, Tag::result, ResultRecord{kept.number - finished_begin_, kept.result});
  return frame;
}

void SnapshotWriter::write_result(std::string& out) {
  if (results_.next == results_.end) return next_part();
  if (!results_.kept.empty()) {
    put(out, results_.kept.front());
    results_.kept.pop_front();
  } else {
    const auto place = results_.next - ledger_.history.results_forgotten();
    put(out, result_frame(ledger_.history.results()[place]));
  }
  ++results_.next;
}

void SnapshotWriter::write_add(std::string& out) {
  if (adds_.next == adds_.end) return next_part();
  if (!adds_.kept.empty()) {
    put(out, adds_.kept.front());
    adds_.kept.pop_front();
  } else {
    std::string frame;
    append_frame(frame, Tag::add, ledger_.past_adds.at(adds_.next - ledger_.past_adds.forgotten()));
    put(out, frame);
  }
  ++adds_.next;
}

std::string write_snapshot(const WorkQueue& queue) {
  SnapshotWriter writer(queue);
  std::string all;
  while (!writer.done()) all += writer.next_piece(256 * 1024);
  return all;
}

}  // namespace riftbus::work
