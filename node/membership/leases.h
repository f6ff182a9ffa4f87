// Leases: who watches us, and what to do when they are too few.
//
// Each watcher registers with its subject. Normally the rings see to it that there are k of them;
// but views differ while the cluster changes, and a watcher may be unable to connect. A member with
// fewer live leases than it should have, for kPatienceIntervals on end, asks its successors to
// watch it: first those the rings name, then the ones behind them.
//
// Pure; not thread-safe. Bounded: kLeasesMax leases.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "node/membership/core.h"

namespace riftbus::membership {

class Leases {
 public:
  static constexpr std::size_t kLeasesMax = 64;
  static constexpr int kPatienceIntervals = 5;

  explicit Leases(Core& core) : core_(core) {}

  // A span of 0 ends it.
  void on_watch(const NodeId& watcher, Nanos lease, TimePoint now);
  void advance(TimePoint now, Actions& out);
  void shift(Nanos by);
  [[nodiscard]] TimePoint next_deadline() const;
  // Live ones, ordered by id, without those that the roster no longer names.
  [[nodiscard]] std::vector<NodeId> watchers() const;

 private:
  void recruit(std::size_t missing, Actions& out);
  [[nodiscard]] std::size_t wanted() const;

  Core& core_;
  std::map<NodeId, TimePoint> leases_;  // until when
  std::optional<TimePoint> short_since_;
  TimePoint look_due_{};
};

}  // namespace riftbus::membership
