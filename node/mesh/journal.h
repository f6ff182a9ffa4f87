// Journal: what happened lately, as this node saw it: the source of `riftbus event tail`.
//
// A ring of the newest entries in memory. Readers poll with a cursor; whoever reads too slowly is
// told how many entries passed it by, and a cursor of the node's former life starts anew, so a
// reader never mistakes a restart for silence. It is an aid for people, not a log to recover from:
// nothing is kept over a restart, and each node tells its own story.
//
// Pure: the caller passes both clocks. Not thread-safe. Entries are at most kJournalTextMax bytes
// of text each, so the whole is bounded by kJournalEntriesMax entries of about half a KiB.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/types.h"
#include "node/membership/membership.h"

namespace riftbus::node {

inline constexpr std::size_t kJournalEntriesMax = 4096;
inline constexpr std::size_t kJournalTextMax = 240;

// One instant on both clocks: `at` orders and ages, `wall_ms` (since the Unix epoch) is for people.
struct Moment {
  TimePoint at;
  std::int64_t wall_ms = 0;
};

struct JournalEntry {
  Seq seq;  // from 1, without gaps within one instance
  std::string
      kind;        // a Happening's name, or one of node/api/README.md's list ("start", "cut", ...)
  NodeId subject;  // whom it is about; empty: the node itself or nobody
  NodeId accuser;  // may be empty
  Incarnation incarnation;  // 0: not about one life
  wire::Evidence evidence = wire::Evidence::none;
  std::string text;  // for people
  Moment when;
};

struct JournalPage {
  std::vector<const JournalEntry*> entries;  // oldest first; valid until the next add
  std::string cursor;                        // pass it to read(): what comes after this page
  std::uint64_t lost = 0;  // entries between the cursor and the oldest one still held
  bool more = false;       // the limit cut the page short
  bool restarted = false;  // the cursor was of another life of this node
};

class Journal {
 public:
  explicit Journal(Instance instance, std::size_t entries_max = kJournalEntriesMax);

  // Anything the node itself does: "start", "stop", "roster", "cut", "refused", "disk", ...
  void note(std::string_view kind, const NodeId& subject, std::string text, Moment when);
  // What membership announced, word by word.
  void announce(const membership::Announce& announce, Moment when);

  // `cursor`: from an earlier page; empty: from the oldest entry held. Any other text counts as a
  // cursor of another life.
  [[nodiscard]] JournalPage read(std::string_view cursor, std::size_t limit) const;
  // The newest `count` entries.
  [[nodiscard]] JournalPage read_last(std::size_t count) const;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  void append(JournalEntry entry);
  [[nodiscard]] std::string cursor_after(Seq seq) const;
  [[nodiscard]] JournalPage page_from(Seq first, std::size_t limit) const;

  Instance instance_;
  std::size_t entries_max_;
  Seq next_{1};
  std::deque<JournalEntry> entries_;
};

}  // namespace riftbus::node
