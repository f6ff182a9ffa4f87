// History: what became of finished work, in 50 bytes each; and tallies per kind and per node.
//
// A million finished items are remembered by their outcome, so that late and repeated reports are
// answered truly and dependencies on them are known to be met; the last few thousand also by their
// result. The oldest give way. Records lie in blocks of neighbouring ids, sorted: look-up is one
// search in a map and one in a vector, and there is no node to pay for per record.
//
// Pure; not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "node/work/record_watch.h"

namespace riftbus::work {

struct Finished {
  WorkId id;
  Fence fence;  // that won; 0 if it was never completed
  LogMs finished_ms = 0;
  std::uint32_t waited_ms = 0;  // from arrival to the last grant
  std::uint32_t ran_ms = 0;     // from the last grant
  std::uint16_t kind = 0;
  std::uint16_t node = 0;  // that had it last
  State state = State::done;
  std::uint8_t failures = 0;
  std::uint8_t losses = 0;
  bool operator==(const Finished&) const = default;
};

class History {
 public:
  static constexpr unsigned kBlockBits = 8;

  // `watches`: told of what goes; outlives this object.
  explicit History(const RecordWatches& watches) : watches_(watches) {}

  // The newest; `result` may be empty.
  void add(const Finished& record, std::string result);
  // Forgets the oldest beyond these bounds; at most kDueMax of them at a time.
  void trim(std::size_t records_max, std::size_t results_max);

  // nullptr: unknown, or too long ago. Valid until the next change.
  [[nodiscard]] const Finished* find(WorkId id) const;
  [[nodiscard]] const std::string* find_result(WorkId id) const;
  // In the order in which they ended.
  [[nodiscard]] const std::deque<WorkId>& order() const { return order_; }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  // How many have gone since this object was made.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }
  [[nodiscard]] std::size_t result_count() const { return results_.size(); }

 private:
  void forget_oldest();
  void forget_result(WorkId id);

  const RecordWatches& watches_;
  std::uint64_t forgotten_ = 0;
  std::map<std::uint64_t, std::vector<Finished>> blocks_;
  std::deque<WorkId> order_;
  std::map<WorkId, std::string> results_;
  std::deque<WorkId> results_order_;
};

// What happened to the items of one kind, or on one node. Sums since the queue began.
struct Tally {
  std::uint64_t added = 0;
  std::uint64_t granted = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t lost = 0;
  std::uint64_t released = 0;
  std::uint64_t died = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t waited_ms = 0;  // of completed ones
  std::uint64_t ran_ms = 0;
  bool operator==(const Tally&) const = default;
};

}  // namespace riftbus::work
