#include <xxhash.h>

#include "node/work/records.h"
#include "node/work/snapshot.h"

namespace riftbus::work {

template <class Record>
void SnapshotWriter::write(std::string& out, std::uint8_t tag, const Record& record) {
  const std::size_t begin = out.size();
  out.append(kFrameHead, '\0');
  Writer(out).write(record);
  const std::size_t size = out.size() - begin - kFrameHead;
  for (std::size_t i = 0; i < 4; ++i) out[begin + i] = static_cast<char>(size >> (8 * i) & 0xFFU);
  out[begin + 4] = static_cast<char>(tag);
  checksum_ = XXH3_64bits_withSeed(out.data() + begin, out.size() - begin, checksum_);
}

void SnapshotWriter::next_table() {
  ++tag_;
  cursor_ = 0;
  text_cursor_.clear();
}

// The first entry at or after the cursor: one search per record keeps no iterator alive.
template <class Map, class Make>
void SnapshotWriter::write_table(std::string& out, std::uint8_t tag, const Map& table, Make make) {
  using Key = typename Map::key_type;
  const auto at = table.lower_bound(Key(static_cast<Key>(cursor_)));
  if (at == table.end()) return next_table();
  make(out, tag, at->first, at->second);
  if constexpr (std::is_integral_v<Key>) {
    cursor_ = std::uint64_t{at->first} + 1;
    if (at->first == std::numeric_limits<Key>::max()) next_table();
  } else {
    cursor_ = at->first.value() + 1;
  }
}

void SnapshotWriter::write_names(std::string& out, std::uint8_t tag, const Names& names) {
  names.for_each([&](NameNumber number, std::string_view text) {
    write(out, tag, NameRecord{number, std::string(text)});
  });
  next_table();
}

void SnapshotWriter::write_finished(std::string& out) {
  const History& history = queue_.ledger().history;
  if (cursor_ >= history.size()) return next_table();
  const WorkId id = history.order()[cursor_++];
  const std::string* result = history.find_result(id);
  write(out, tag_, FinishedRecord{*history.find(id), result == nullptr ? std::string() : *result});
}

void SnapshotWriter::step(std::string& out) {
  const Ledger& ledger = queue_.ledger();
  switch (static_cast<Tag>(tag_)) {
    case Tag::base:
      write(out, tag_,
            BaseRecord{kSnapshotFormat, ledger.applied_index, ledger.now_ms, ledger.generation,
                       ledger.next_id, ledger.dead_evicted, ledger.settings});
      return next_table();
    case Tag::kind:
      return write_names(out, tag_, ledger.kinds);
    case Tag::group_name:
      return write_names(out, tag_, ledger.groups);
    case Tag::node:
      return write_names(out, tag_, ledger.nodes);
    case Tag::terms:
      return write_table(out, tag_, ledger.terms_of, [this](auto& to, auto tag, auto key, auto& m) {
        write(to, tag, TermsRecord{key, m.terms});
      });
    case Tag::group:
      return write_table(out, tag_, ledger.group_of, [this](auto& to, auto tag, auto key, auto& m) {
        if (m.kept) write(to, tag, GroupRecord{key, m.limit, m.weight});
      });
    case Tag::worker:
      return write_table(
          out, tag_, ledger.workers.all(), [this](auto& to, auto tag, auto key, auto& m) {
            write(to, tag, WorkerRecord{key, m.instance, m.seen_ms, m.away, m.offer, m.answers});
          });
    case Tag::gang:
      return write_table(out, tag_, ledger.gangs, [this](auto& to, auto tag, auto key, auto& m) {
        write(to, tag,
              GangRecord{key,
                         {m.members.begin(), m.members.end()},
                         m.size,
                         m.timeout_ms,
                         m.until_ms,
                         m.started});
      });
    case Tag::item:
      return write_table(out, tag_, ledger.items,
                         [this](auto& to, auto tag, auto, auto& m) { write(to, tag, m); });
    default:
      return write_rest(out);
  }
}

void SnapshotWriter::write_rest(std::string& out) {
  const Ledger& ledger = queue_.ledger();
  const auto write_tally = [this](auto& to, auto tag, auto key, auto& m) {
    write(to, tag, TallyRecord{key, m});
  };
  switch (static_cast<Tag>(tag_)) {
    case Tag::key: {
      const auto at =
          cursor_ == 0 ? ledger.dedupe.begin() : ledger.dedupe.upper_bound(text_cursor_);
      if (at == ledger.dedupe.end()) return next_table();
      if (at->second.until_ms != 0) {
        write(out, tag_, KeyRecord{at->first, at->second.id, at->second.until_ms});
      }
      cursor_ = 1;
      text_cursor_ = at->first;
      return;
    }
    case Tag::finished:
      return write_finished(out);
    case Tag::kind_tally:
      return write_table(out, tag_, ledger.kind_tally, write_tally);
    case Tag::node_tally:
      return write_table(out, tag_, ledger.node_tally, write_tally);
    case Tag::orphan:
      if (cursor_ >= ledger.orphans.size()) return next_table();
      return write(out, tag_, ledger.orphans[cursor_++]);
    case Tag::add:
      if (cursor_ >= ledger.past_adds.size()) return next_table();
      return write(out, tag_, ledger.past_adds.at(cursor_++));
    case Tag::past_end:
      if (cursor_ >= ledger.past_ends.size()) return next_table();
      return write(out, tag_, ledger.past_ends.at(cursor_++));
    default:
      write(out, tag_, EndRecord{checksum_});
      done_ = true;
  }
}

std::string SnapshotWriter::next_piece(std::size_t bytes) {
  RIFTBUS_CHECK(queue_.applied_index() == index_);
  std::string out;
  out.reserve(bytes + 4096);
  while (!done_ && out.size() < bytes) step(out);
  return out;
}

std::string write_snapshot(const WorkQueue& queue) {
  SnapshotWriter writer(queue);
  std::string all;
  while (!writer.done()) all += writer.next_piece(256 * 1024);
  return all;
}

}  // namespace riftbus::work
