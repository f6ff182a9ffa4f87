// Suspicion: how long an accused member has before the verdict (Lifeguard's formula).
//
// The first accuser starts a long timer; each further watcher who says, from its own observation,
// that it does not hear the member either brings the end nearer:
//
//   t(n) = max(min, max - (max - min) * ln(n + 1) / ln(expected + 1)),   rounded down to ms
//
// n counts confirmations, the first accuser excluded. With 3 expected, 2 s and 30 s: 30, 16, 7.81,
// 2 s for n = 0, 1, 2, 3. An accuser counts once. With nobody expected, t is `min` at once.
//
// Pure value; not thread-safe.
#pragma once

#include <vector>

#include "config/types.h"

namespace riftbus::membership {

class Suspicion {
 public:
  Suspicion(NodeId first, unsigned expected, Nanos min, Nanos max, TimePoint now);

  // False: this accuser has been counted.
  bool confirm(const NodeId& accuser);
  [[nodiscard]] TimePoint due() const;
  // In order of arrival, the first accuser first.
  [[nodiscard]] const std::vector<NodeId>& accusers() const { return accusers_; }
  void shift(Nanos by) { start_ += by; }

 private:
  std::vector<NodeId> accusers_;
  unsigned expected_;
  Nanos min_;
  Nanos max_;
  TimePoint start_;
};

}  // namespace riftbus::membership
