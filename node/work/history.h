// History: what became of finished work, in 50 bytes each; and tallies per kind and per node.
//
// A million finished items are remembered by their outcome, so that late and repeated reports are
// answered truly and dependencies on them are known to be met; the last few thousand also by their
// result. The oldest give way. Records lie in the order in which they ended, as snapshots write
// them: a million are read through in some ms. An index leads to them by id, in blocks of
// neighbouring ids. Both take their memory in large pieces: small ones that stay, among those of
// items that come and go, leave a heap full of holes, and then each item costs a search for room.
//
// Pure; not thread-safe.
#pragma once

#include <array>
#include <boost/container/deque.hpp>
#include <deque>
#include <map>
#include <optional>
#include <string>

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
  Cause cause = Cause::none;  // of what was cancelled
  std::uint8_t failures = 0;
  std::uint8_t losses = 0;
  bool operator==(const Finished&) const = default;
};

class History {
 public:
  // `watches`: told of what goes; outlives this object.
  explicit History(const RecordWatches& watches) : watches_(watches) {}

  // The newest.
  void add(const Finished& record, std::string result = {});
  // Of the record at this place in records(); false: there is none, or one before it or at it has
  // its result already told.
  [[nodiscard]] bool add_result(std::uint64_t place, std::string result);
  // Forgets the oldest beyond these bounds; at most kDueMax of them at a time.
  void trim(std::size_t records_max, std::size_t results_max);

  // nullptr: unknown, or too long ago. Valid until the next change.
  [[nodiscard]] const Finished* find(WorkId id) const;
  [[nodiscard]] const std::string* find_result(WorkId id) const;
  // In the order in which they ended.
  using Records = boost::container::deque<
      Finished, void, boost::container::deque_options_t<boost::container::block_size<1024>>>;
  [[nodiscard]] const Records& records() const { return records_; }
  [[nodiscard]] std::size_t size() const { return records_.size(); }
  // How many have gone since this object was made.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

  // Likewise, of those that have one.
  struct Kept {
    std::uint64_t number = 0;  // of its record; the first one ever here is 0
    std::string result;
  };
  [[nodiscard]] const std::deque<Kept>& results() const { return results_; }
  [[nodiscard]] std::uint64_t results_forgotten() const { return results_forgotten_; }

 private:
  static constexpr unsigned kBlockIds = 64;
  // Of neighbouring ids: which are here, and the lower parts of their records' numbers, for there
  // are never so many at once that these would not do.
  struct Block {
    std::uint64_t present = 0;
    std::array<std::uint32_t, kBlockIds> numbers{};
  };

  void forget_oldest();
  void forget_oldest_result();
  // Its place in records_.
  [[nodiscard]] std::optional<std::size_t> place_of(WorkId id) const;

  const RecordWatches& watches_;
  std::uint64_t forgotten_ = 0;
  Records records_;
  std::map<std::uint64_t, Block> blocks_;
  std::uint64_t results_forgotten_ = 0;
  std::deque<Kept> results_;
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
