// Questions about the queue: what there is, and why something is not running.
//
// Answers are plain data for the API and the command line; they read the ledger and change nothing.
// list_work() costs O(items looked at), bounded by its limit only when the filter is wide: callers
// page with `after`.
//
// `log_ms`: what the log's clock shows now, where that is known. A queue's own time is that of the
// last entry, which may be long ago.
//
// Pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/work/queue.h"

namespace riftbus::work {

struct AttemptView {
  std::string node;
  Ending ending = Ending::none;
  LogMs begun_ms = 0;
  LogMs ended_ms = 0;
  std::int64_t exit_code = 0;
  std::uint8_t signal = 0;
  std::string tail;
};
struct WorkView {
  WorkId id;
  State state = State::delayed;
  std::string kind;
  std::string group;
  std::string node;  // that has it, or had it last
  Fence fence;
  std::uint8_t priority = 0;
  std::uint8_t failures = 0;
  std::uint8_t losses = 0;
  std::uint8_t percent = 0;
  bool cancelling = false;    // its holder is to stop
  Cause cause = Cause::none;  // why it is to be cancelled, or was
  bool preempting = false;
  LogMs age_ms = 0;                   // since it was added; of finished work: since its end
  LogMs ran_ms = 0;                   // of the present or last attempt
  std::size_t payload_bytes = 0;      // of finished work 0: it is not kept
  std::string payload;                // only by find_work()
  std::size_t checkpoint_bytes = 0;   // of what the log has for its next attempt
  std::vector<AttemptView> attempts;  // the last ones; only by find_work()
  std::string result;                 // only by find_work(), while it is kept
};
[[nodiscard]] std::optional<WorkView> find_work(const WorkQueue& queue, WorkId id,
                                                LogMs log_ms = 0);

struct WorkFilter {
  std::optional<State> state;
  std::string kind;  // empty: any
  std::string group;
  std::string node;
};
// Unfinished work with ids above `after`, ascending.
[[nodiscard]] std::vector<WorkView> list_work(const WorkQueue& queue, const WorkFilter& filter,
                                              WorkId after, std::size_t limit, LogMs log_ms = 0);
// Finished work, the latest first.
[[nodiscard]] std::vector<WorkView> list_history(const WorkQueue& queue, const WorkFilter& filter,
                                                 std::size_t limit, LogMs log_ms = 0);

struct Why {
  bool known = false;
  State state = State::done;
  Cause cause = Cause::none;      // it is to be cancelled, or was
  std::string node;               // while leased: where it runs
  LogMs ran_ms = 0;               // likewise: since when
  LogMs lease_ms = 0;             // likewise: how long it is believed without a word
  LogMs wait_ms = 0;              // while delayed by time: how long still
  std::map<WorkId, State> after;  // what it waits for
  std::map<WorkId, State> gang;   // members that are not yet ready or granted
  std::uint32_t group_leased = 0;
  std::uint32_t group_limit = 0;  // 0: none
  std::size_t ahead = 0;          // ready items before it in line
  // Of the workers heard of lately:
  std::size_t workers = 0;
  std::size_t excluded = 0;  // it failed there
  std::size_t other_kinds = 0;
  struct Clause {
    std::string text;
    std::size_t failed = 0;  // workers that do not meet it
  };
  std::vector<Clause> clauses;  // of its needs, and what it reserves
  std::size_t drained = 0;      // could run it, but were told to take no more work
  std::size_t busy = 0;         // could run it, if they had nothing else to do
  std::size_t free = 0;         // could take it now
};
using NodeNames = std::set<std::string, std::less<>>;
// `drained`: nodes that take no more work, which the queue does not know.
[[nodiscard]] Why explain_work(const WorkQueue& queue, WorkId id, const NodeNames& drained = {},
                               LogMs log_ms = 0);
// One sentence per reason; stable text.
[[nodiscard]] std::vector<std::string> describe(const Why& why);

}  // namespace riftbus::work
