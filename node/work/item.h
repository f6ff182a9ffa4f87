// Item: one piece of unfinished work, as the queue holds it.
//
// Small on purpose, there may be 100,000: shared texts are numbers, and what few items have (a
// past, dependencies, a gang) is in Extra, allocated on first use. `key` functions below say what
// the indexes sort by; they depend on the item alone, so indexes can always be built anew.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "config/needs.h"
#include "node/work/names.h"
#include "node/work/types.h"

namespace riftbus::work {

struct Attempt {
  Fence fence;
  std::uint16_t node = 0;  // number of its name
  LogMs begun_ms = 0;
  LogMs ended_ms = 0;
  Ending ending = Ending::none;
  std::int64_t exit_code = 0;
  std::uint8_t signal = 0;
  std::string tail;
  bool operator==(const Attempt&) const = default;
};

struct Extra {
  std::vector<WorkId> after;  // not yet done
  std::vector<std::string> data;
  std::vector<Attempt> attempts;        // the last kAttemptsKept
  std::vector<std::uint16_t> excluded;  // nodes on which it failed, sorted
  std::string dedupe;
  std::uint64_t dedupe_window_ms = 0;
  std::string checkpoint;
  std::uint8_t percent = 0;
  WorkId gang;
  bool operator==(const Extra&) const = default;
};

struct Item {
  WorkId id;
  State state = State::delayed;
  std::uint8_t priority = 0;
  std::uint8_t failures = 0;
  std::uint8_t losses = 0;
  Cause cancelling = Cause::none;  // why it is to go: its holder stops it, or else its alarm
  bool preempting = false;  // while leased: the holder is to write a checkpoint and return it
  Ending ended_how = Ending::none;
  std::uint16_t kind = 0;
  std::uint16_t group = 0;
  std::uint16_t terms = 0;
  std::uint16_t worker = 0;        // while leased
  Fence fence;                     // while leased
  Fence ended_fence;               // of the last grant that ended, and
  std::uint16_t ended_worker = 0;  // its holder: a repeated report is recognised
  LogMs added_ms = 0;
  LogMs since_ms = 0;     // age counts from here
  LogMs due_ms = 0;       // while delayed: not before
  LogMs leased_ms = 0;    // while leased: since
  LogMs expires_ms = 0;   // 0: never
  LogMs deadline_ms = 0;  // 0: never
  std::string payload;
  std::unique_ptr<Extra> extra;

  [[nodiscard]] const Extra& more() const {
    static const Extra kNone;
    return extra ? *extra : kNone;
  }
  Extra& grow() {
    if (!extra) extra = std::make_unique<Extra>();
    return *extra;
  }
};

// Items that any worker may take or must leave alike.
struct ClassKey {
  std::uint16_t terms = 0;
  std::uint16_t kind = 0;
  std::uint16_t group = 0;
  std::vector<std::uint16_t> excluded;
  auto operator<=>(const ClassKey&) const = default;
};
[[nodiscard]] inline ClassKey class_of(const Item& item) {
  return {item.terms, item.kind, item.group, item.more().excluded};
}

// Place in the line: lower comes first. Priority and age are one currency, time, and both lines
// run at the same speed, so the order of two items never changes and an index can hold it.
struct Rank {
  std::int64_t score_ms = 0;
  WorkId id;
  auto operator<=>(const Rank&) const = default;
};
[[nodiscard]] inline Rank rank_of(const Item& item, std::uint32_t aging_ms) {
  return {item.since_ms - std::int64_t{item.priority} * aging_ms, item.id};
}

}  // namespace riftbus::work
