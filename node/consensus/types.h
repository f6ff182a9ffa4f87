// The words of the replicated log: who, when, where in it, and under which rule book.
//
// A log is a sequence of entries, numbered from 1 without gaps. A term numbers the attempts to
// lead; each has at most one leader. A generation numbers the clusters that an operator raised from
// the remains of an older one: servers of different generations do not hear each other, but for one
// word: who is of an older one, and hears from a voter that it knows, takes no part any more.
//
// Log time is the only clock that decisions in the log may use. The leader writes it on each entry:
// the last stamp in its log plus its own boot clock's time since it began to lead in earnest. It
// stands still while nobody leads, never goes back, and knows nothing of wall clocks.
//
// Pure values. Entries are shared and never changed, so they may cross to a disk thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "config/types.h"

namespace riftbus::consensus {

// A voter or learner: 64 bits derived from the operators' name for the node. 0: nobody.
using ServerId = Strong<struct ServerTag>;
// Derived from the first configuration; two logs with different ones never mix.
using ClusterKey = Strong<struct ClusterKeyTag>;
using Generation = Strong<struct GenerationTag>;
// Which recovery began a generation, drawn at random; 0: the first voters did, together. Two
// survivors may each begin the same generation: their logs part there, and never mix.
using RecoveryMark = Strong<struct RecoveryMarkTag>;
using Term = Strong<struct TermTag>;
using Index = Strong<struct IndexTag>;
// Numbers what is handed to the disk. Completions carry it, not an index: an index may have been
// overwritten and written again meanwhile.
using WriteSeq = Strong<struct WriteSeqTag>;
// Chosen by the owner; names one linearizable read.
using ReadTicket = Strong<struct ReadTicketTag>;
// Milliseconds since the log began.
using LogTime = Strong<struct LogTimeTag>;

[[nodiscard]] constexpr Index operator+(Index index, std::uint64_t count) {
  return Index(index.value() + count);
}
// Not below 0 (the place before the first entry).
[[nodiscard]] constexpr Index operator-(Index index, std::uint64_t count) {
  return Index(index.value() < count ? 0 : index.value() - count);
}
// How many entries lie behind `low`, up to and with `high`; 0 if none.
[[nodiscard]] constexpr std::uint64_t distance(Index low, Index high) {
  return high > low ? high.value() - low.value() : 0;
}

// ---- bounds ----------------------------------------------------------------------------------

inline constexpr std::size_t kConsensusMessageBytesMax = 256 * 1024;  // encoded
inline constexpr std::size_t kEntryBytesMax = 192 * 1024;             // one command
inline constexpr std::size_t kEntryOverheadBytes = 40;  // at most, around a command in a message
inline constexpr std::size_t kAppendBytesMax = 240 * 1024;  // entries in one message
inline constexpr std::size_t kAppendEntriesMax = 16 * 1024;
inline constexpr std::size_t kChunkBytesMax = 192 * 1024;                       // of a snapshot
inline constexpr std::uint64_t kSnapshotBytesMax = 16ULL * 1024 * 1024 * 1024;  // 16 GiB
inline constexpr std::size_t kServersMax = 64;  // voters and learners of one log
inline constexpr std::size_t kVotersMax = 9;

// ---- entries ---------------------------------------------------------------------------------

enum class EntryKind : std::uint8_t {
  noop = 1,           // a leader's first: by committing it, it commits all before it
  command = 2,        // the state machine's business
  configuration = 3,  // encoded Configuration (configuration.h); in force once appended
};

struct Entry {
  Index index;
  Term term;
  EntryKind kind = EntryKind::command;
  LogTime stamp;
  std::string_view payload;  // not its own
  bool operator==(const Entry&) const = default;
};
// Keeps the payload, too, and whatever else keep() was given with it.
using EntryPtr = std::shared_ptr<const Entry>;
using Entries = std::vector<EntryPtr>;

// Copies entries and their payloads into one piece of memory. What arrives together is forgotten
// together: piece by piece, entries would leave holes all over the heap, between what commands
// leave in the state machine for longer, and the allocator's search for them would cost more than
// the entries themselves.
[[nodiscard]] Entries keep(std::span<const Entry> entries);
[[nodiscard]] EntryPtr keep(const Entry& entry);

// What must survive a crash beside the log itself. All zero: a server that never took part.
struct HardState {
  Term term;
  ServerId vote;  // in `term`
  Generation generation;
  RecoveryMark mark{};     // of that generation
  Generation successor{};  // 0, or: a later generation was heard of, and this log is history
  bool operator==(const HardState&) const = default;
};

}  // namespace riftbus::consensus
