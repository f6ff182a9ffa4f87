// Corrections: members that must hear directly what is believed of them.
//
// Who beats under an incarnation that we hold to be over (a restart that lost its number, the
// other side of a healed partition) does not know it: nobody it listens to would repeat an old
// accusation. So whoever notices tells it, and it answers by a higher incarnation. One reminder
// per member and kRestIntervals; at most kPerBurst in each kBurstPause, so that the first contact
// between two halves of a large cluster is no avalanche.
//
// Pure; not thread-safe. Bounded by the number of members.
#pragma once

#include <deque>
#include <map>

#include "node/membership/core.h"

namespace riftbus::membership {

class Corrections {
 public:
  static constexpr int kRestIntervals = 2;
  static constexpr std::size_t kPerBurst = 64;
  static constexpr Nanos kBurstPause = Millis(200);

  explicit Corrections(Core& core) : core_(core) {}

  // Told soon, unless it was told lately. What it is told is what we believe at that moment.
  void add(const NodeId& id, TimePoint now);
  void advance(TimePoint now, Actions& out);
  [[nodiscard]] TimePoint next_deadline() const;

 private:
  Core& core_;
  std::deque<NodeId> waiting_;
  std::map<NodeId, TimePoint> rest_until_;
  TimePoint burst_due_{};
};

}  // namespace riftbus::membership
