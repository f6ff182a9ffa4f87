// HostClock: one host's boot clock, seen from virtual time. It starts anywhere, runs a little fast
// or slow, and stands still while a hypervisor holds its machine. It never goes backwards.
#pragma once

#include <cstdint>

#include "config/types.h"

namespace riftbus::sim {

class HostClock {
 public:
  HostClock() = default;
  HostClock(Nanos offset, std::int64_t drift_ppm) : offset_(offset), drift_ppm_(drift_ppm) {}

  [[nodiscard]] TimePoint local(TimePoint virtual_now) const {
    const Nanos span = virtual_now.time_since_epoch();
    // In two steps, as the product of all would overflow; and to the nanosecond, or a slow clock
    // would go back at each full millisecond.
    const Nanos drift =
        span / 1'000'000 * drift_ppm_ + span % Nanos(1'000'000) * drift_ppm_ / 1'000'000;
    return TimePoint(offset_ + span + drift);
  }
  // When this clock shows `local`; never too early.
  [[nodiscard]] TimePoint to_virtual(TimePoint local) const {
    const Nanos shown = local.time_since_epoch() - offset_;
    if (shown <= Nanos{}) return TimePoint{};
    const Nanos guess = shown - shown / (1'000'000 + drift_ppm_) * drift_ppm_;
    return TimePoint(guess + Nanos(30'000));
  }
  // Stood still between these two points of virtual time.
  void stand_still(TimePoint from, TimePoint to) { offset_ -= local(to) - local(from); }

 private:
  Nanos offset_{};
  std::int64_t drift_ppm_ = 0;
};

}  // namespace riftbus::sim
