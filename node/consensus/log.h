// Log: the entries behind the last compaction, and which configuration is in force where.
//
//   base                snapshot()                commit              last()
//    | entries kept for slow followers |  applied  ...  | not yet decided |
//
// Everything after `base` is in memory; the base itself is known by index and term only. A
// configuration is in force from the moment its entry is appended (dissertation, 4.1), so when the
// end of the log is cut off, the one before it returns.
//
// It knows nothing of terms, roles and disks. Bound: the owner takes a snapshot when
// bytes_since_snapshot() asks for it, then compact()s.
//
// Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "node/consensus/configuration.h"
#include "node/consensus/types.h"

namespace riftbus::consensus {

class Log {
 public:
  Log() = default;
  // `entries` follow each other; those the snapshot covers are left out.
  Log(SnapshotMeta snapshot, const Entries& entries);

  [[nodiscard]] Index first() const { return base_index_.next(); }
  [[nodiscard]] Index last() const { return base_index_ + entries_.size(); }
  [[nodiscard]] Term last_term() const;
  [[nodiscard]] LogTime last_stamp() const;
  // Nothing if it is compacted away or not there yet. Index 0 has term 0.
  [[nodiscard]] std::optional<Term> term_at(Index index) const;
  [[nodiscard]] const EntryPtr& at(Index index) const;  // first() <= index <= last() (CHECKed)
  // From `from`, at least one if there is one, then while within the bounds.
  [[nodiscard]] Entries slice(Index from, Index to, std::size_t bytes_max,
                              std::size_t count_max) const;
  // The last place at or before `index` whose term is not above `term`: where two logs may agree.
  [[nodiscard]] Index agreement_before(Index index, Term term) const;
  // Is a log that ends so at least as good as this one? (Raft, 5.4.1)
  [[nodiscard]] bool is_covered_by(Index other_last, Term other_last_term) const;

  // The next entry (CHECKed).
  void append(EntryPtr entry);
  // Cuts off `from` and all behind it.
  void truncate(Index from);
  // The snapshot is durable. Keeps entries before it, within both bounds. Returns the new base.
  // What is dropped is freed by free_dropped().
  Index compact(const SnapshotMeta& snapshot, std::uint64_t entries_max, std::uint64_t bytes_max);
  // At most so many entries: a quarter of a million at once would hold the loop for 50 ms.
  void free_dropped(std::size_t most);
  // Forgets everything; the log continues behind the snapshot.
  void restart(SnapshotMeta snapshot);

  [[nodiscard]] const Configuration& configuration() const;
  // Of the entry that made it, or the snapshot.
  [[nodiscard]] Index configuration_index() const;
  [[nodiscard]] Term configuration_term() const { return milestones_.back().term; }
  [[nodiscard]] const Configuration& configuration_at(Index index) const;
  // By the configuration at `commit` or any later one.
  [[nodiscard]] bool may_be_voter(ServerId id, Index commit) const;
  [[nodiscard]] const SnapshotMeta& snapshot() const { return snapshot_; }

  // Of payloads and their overhead in (low, high].
  [[nodiscard]] std::uint64_t bytes_between(Index low, Index high) const;

 private:
  struct Slot {
    EntryPtr entry;
    std::uint64_t bytes_before = 0;  // of all entries ever appended before this one
  };
  struct Milestone {
    Index index;
    Term term;
    Configuration configuration;
  };
  [[nodiscard]] const Slot& slot(Index index) const {
    return entries_[static_cast<std::size_t>(index.value() - first().value())];
  }
  [[nodiscard]] std::uint64_t bytes_through(Index index) const;

  SnapshotMeta snapshot_;
  Index base_index_;
  Term base_term_;
  std::uint64_t bytes_total_ = 0;
  std::deque<Slot> entries_;
  std::deque<Slot> dropped_;                        // some of them empty
  std::vector<Milestone> milestones_{Milestone{}};  // ordered; the first is the oldest known
};

// Of an entry where it is counted: queue limits, message sizes.
[[nodiscard]] inline std::size_t size_of(const Entry& entry) {
  return entry.payload.size() + kEntryOverheadBytes;
}

}  // namespace riftbus::consensus
