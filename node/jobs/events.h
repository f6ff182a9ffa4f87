// What the executor's core is told, and what it asks of the world.
//
// Tickets number the questions to the leader. Each is answered at most once: Answered, or
// Unanswered when nobody knows what became of it; a late answer to a forgotten ticket is harmless.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "node/work/command.h"
#include "node/work/lease_book.h"

namespace riftbus::jobs {

using Ticket = std::uint64_t;
using work::Hold;

// Who ended a job, or asked for its end. Stored in files by number: append only.
enum class Cause : std::uint8_t {
  itself,         // it exited, or died of a signal of its own
  cancel,         // it is no longer wanted
  preempt,        // something more urgent needs the place
  evict,          // this node is emptied
  lease,          // it could not be renewed in time
  stale,          // it is somebody else's by now
  timeout,        // one attempt took too long
  disk,           // its working directory grew beyond its bound
  runner_failed,  // the process that watched over it was killed, or could not start it
  no_gpu,         // the GPUs that it was promised are still in use here
  node_trouble,   // nothing of it began, for want of something that this node should have
};
inline constexpr Cause kLastCause = Cause::node_trouble;
[[nodiscard]] const char* to_string(Cause cause);

struct Exit {
  Cause cause = Cause::itself;
  bool started = true;  // false: the program could not be started at all
  std::int64_t code = 0;
  std::uint8_t signal = 0;  // 0: it exited with `code`
  std::string tail;         // the end of standard error, or a reason
  std::string result;       // what it wrote as its result
  std::string checkpoint;   // empty: as before
  std::uint8_t percent = 0;
  bool operator==(const Exit&) const = default;
};

// ---- events ----------------------------------------------------------------------------------

// A job of this node's former life, whose process or result is still there.
struct FoundJob {
  Hold hold;
  std::string kind;
  work::Terms terms;
  std::uint16_t attempt = 1;
  Nanos kill_grace{};
  TimePoint stop_at;  // by which its lease made it stop, as last written down
  bool ended = false;
  Exit exit;  // if it ended
};
// Once, before anything else: possibly nothing.
struct Found {
  std::vector<FoundJob> jobs;
};
// Totals of what this machine offers now; slots and kinds are added by the core.
struct Measured {
  work::Offer offer;
};
struct Answered {
  Ticket ticket = 0;
  std::variant<work::Reply, std::vector<work::RenewedAnswer>> answer;
};
struct Unanswered {
  Ticket ticket = 0;
};
struct Started {
  Hold hold;
};
struct Progressed {
  Hold hold;
  std::uint8_t percent = 0;
  std::string checkpoint;  // empty: none yet
};
// No process of the job is left. Exactly one for each Start and each FoundJob that had not ended.
struct Ended {
  Hold hold;
  Exit exit;
};
// No new work; with `evict` the running jobs are stopped and given back, too.
struct Drain {
  bool on = true;
  bool evict = false;
};
struct Tick {};
using Event =
    std::variant<Found, Measured, Answered, Unanswered, Started, Progressed, Ended, Drain, Tick>;

// ---- actions ---------------------------------------------------------------------------------

struct Ask {
  Ticket ticket = 0;
  work::Command command;
};
struct Renew {
  Ticket ticket = 0;
  work::Renewal renewal;
};
// Make its directory, write its record, run it. `stop_at` max: runs without a lease, if need be.
struct Start {
  Hold hold;
  work::Grant grant;
  Nanos kill_grace{};
  TimePoint stop_at;
};
struct Extend {
  Hold hold;
  TimePoint stop_at;
};
// TERM to all of it, KILL after its grace. Ended follows. Repeating is harmless.
struct Stop {
  Hold hold;
  Cause cause = Cause::cancel;
};
// The queue knows how it ended, or does not care: the record may go, the output is kept a while.
struct Discard {
  Hold hold;
};
// For the journal.
struct Say {
  Hold hold;
  std::string text;
};
using Action = std::variant<Ask, Renew, Start, Extend, Stop, Discard, Say>;
using Actions = std::vector<Action>;

}  // namespace riftbus::jobs
