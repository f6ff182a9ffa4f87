// The words of the work queue: identities, states, outcomes, and every bound on its state.
//
// An item is one piece of work. It is `delayed` (until a time, until others are done), `ready`,
// `leased` to one worker, and ends `done` or `cancelled`; `dead` waits for an operator. A grant is
// named by its fence: the index of the log entry that granted it, with the cluster's generation
// above it. Fences only grow, so who holds an old one is recognised for ever.
//
// Time here is log time, in milliseconds: the leader stamps it on entries, it never goes back, it
// stands still while nobody leads and knows no wall clock. Spans in commands count from the stamp
// of the entry that carries them. Amounts (resources) are in thousandths: 12.1 is 12100, so that
// no replica ever rounds differently.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/offer.h"
#include "config/types.h"

namespace riftbus::work {

using WorkId = Strong<struct WorkIdTag>;  // 1, 2, 3, ... in order of arrival; 0: none
using Fence = Strong<struct FenceTag>;    // 0: none
using LogMs = std::int64_t;

inline constexpr unsigned kFenceIndexBits = 48;  // of a log index; the generation stands above
inline constexpr std::uint64_t kGenerationMax = 0xFFFF;

// Where a command stands in the log.
struct Stamp {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  LogMs now_ms = 0;
};

enum class State : std::uint8_t { delayed, ready, leased, dead, done, cancelled };
inline constexpr State kLastState = State::cancelled;
[[nodiscard]] const char* to_string(State state);

// What came of a request, or of one element of it.
enum class Outcome : std::uint8_t {
  ok,
  repeated,        // ok, and it was so already: the first reply was lost
  stale,           // the fence is not the item's, or no longer
  unknown,         // no such work; perhaps finished longer ago than the history reaches
  wrong_state,     // for example: kicking what is not dead
  again,           // the queue is full: keep it and ask later
  superseded,      // the worker has a newer instance, or this one must attach first
  old_request,     // a request number below those that are remembered
  oversize,        // payload, result or text above its bound
  bad_needs,       // the expression does not parse, or a reservation is negative
  bad_value,       // a number out of range, a name too long or twice
  cycle,           // items of the batch wait for each other
  bad_dependency,  // it does not exist or can never be done
  too_many,        // different kinds, groups, terms or nodes
};
inline constexpr Outcome kLastOutcome = Outcome::too_many;
[[nodiscard]] const char* to_string(Outcome outcome);

// How an attempt ended.
enum class Ending : std::uint8_t {
  none,
  completed,
  failed,     // the work itself: counts as an attempt
  buried,     // the worker says: never again
  released,   // given back in order: counts as nothing
  lost,       // the lease lapsed: counts as a loss
  cancelled,  // asked to stop, and did
};
inline constexpr Ending kLastEnding = Ending::cancelled;
[[nodiscard]] const char* to_string(Ending ending);

// Why work is to be cancelled, or was.
enum class Cause : std::uint8_t {
  none,
  asked,       // an operator cancelled it
  expired,     // it was not running in time
  deadline,    // it was not done in time
  dependency,  // what it waited for will never be done
  gang,        // a member of its gang will never be done
};
inline constexpr Cause kLastCause = Cause::gang;
[[nodiscard]] const char* to_string(Cause cause);

// What a worker does with running work when it cannot renew.
enum class OnDisconnect : std::uint8_t { kill, finish };

// Why a lease ends without its holder. Only silence may be guessed; the others are evidence.
enum class Lapse : std::uint8_t {
  silence,      // not renewed for a whole lease
  superseded,   // the holder was started anew
  left,         // the holder said goodbye
  not_running,  // the holder says that it does not run it
  dead,         // membership buried the holder: only for work that may overlap
};

// Bounds on one command, and so on an item.
inline constexpr std::size_t kPayloadBytesMax = 64 * 1024;
inline constexpr std::size_t kResultBytesMax = 16 * 1024;
inline constexpr std::size_t kCheckpointBytesMax = 4 * 1024;
inline constexpr std::size_t kTailBytesMax = 2 * 1024;  // of stderr, per attempt
inline constexpr std::size_t kNameBytesMax = 64;        // kind, group, resource, tag
inline constexpr std::size_t kBatchMax = 1024;          // items in one command
// Whoever gathers elements into a command stops here, encoded: the log takes a little more.
inline constexpr std::size_t kCommandBytesAim = 160 * 1024;
inline constexpr std::size_t kElementOverheadBytes = 64;  // at most, around an element's texts
inline constexpr std::size_t kClaimMax = 256;             // items in one grant
inline constexpr std::size_t kAfterMax = 64;
inline constexpr std::size_t kDataMax = 16;         // names of data per item
inline constexpr std::size_t kOfferDataMax = 1024;  // names of data that a worker holds
inline constexpr std::size_t kAmountsMax = 64;
inline constexpr std::size_t kAttemptsMax = 100;  // what `attempts_max` may ask for
inline constexpr std::uint64_t kSpanMsMax = 1000ULL * 3600 * 24 * 366;

// Bounds on the state that are the same in every cluster; the others are Settings.
inline constexpr std::size_t kAttemptsKept = 8;
inline constexpr std::size_t kKindsMax = 1024;
inline constexpr std::size_t kGroupsMax = 1024;
inline constexpr std::size_t kTermsMax = 4096;
inline constexpr std::size_t kNodesMax = 65535;  // names ever seen, 100 bytes each
inline constexpr std::size_t kWorkersMax = 4096;
inline constexpr std::size_t kAnswersKept = 8;   // claims of one worker that may be repeated
inline constexpr std::size_t kOrphansMax = 64;   // results that came too late
inline constexpr std::size_t kAddsKept = 16384;  // adds that may be repeated
inline constexpr std::size_t kEndsKept = 16384;  // ends of grants, likewise (past_ends.h)
inline constexpr std::size_t kDueMax = 512;      // timers that one entry fires: no long stalls

}  // namespace riftbus::work
