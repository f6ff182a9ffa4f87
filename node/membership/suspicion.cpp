#include "node/membership/suspicion.h"

#include <algorithm>
#include <cmath>

namespace riftbus::membership {

Suspicion::Suspicion(NodeId first, unsigned expected, Nanos min, Nanos max, TimePoint now)
    : accusers_{std::move(first)}, expected_(expected), min_(min), max_(max), start_(now) {}

bool Suspicion::confirm(const NodeId& accuser) {
  if (std::find(accusers_.begin(), accusers_.end(), accuser) != accusers_.end()) return false;
  accusers_.push_back(accuser);
  return true;
}

TimePoint Suspicion::due() const {
  const auto confirmations = accusers_.size() - 1;
  if (confirmations >= expected_) return start_ + min_;
  const double part = std::log(static_cast<double>(confirmations) + 1.0) /
                      std::log(static_cast<double>(expected_) + 1.0);
  const double span_ms =
      static_cast<double>(to_ms(max_)) - static_cast<double>(to_ms(max_) - to_ms(min_)) * part;
  return start_ + std::max(min_, Nanos(Millis(static_cast<std::int64_t>(span_ms))));
}

}  // namespace riftbus::membership
