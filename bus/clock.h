// The clocks. The only place in bus/ and node/ that reads one.
//
// boot_now() counts from boot, through suspension, untouched by NTP and by hands: everything that
// decides uses it. wall_now_ms() is for people and for expiry dates of keys, and decides nothing
// about liveness.
#pragma once

#include <cstdint>
#include <string>

#include "config/types.h"

namespace riftbus::bus {

// Never decreases. CLOCK_BOOTTIME; elsewhere the nearest monotonic clock.
[[nodiscard]] TimePoint boot_now();
// Milliseconds since the Unix epoch.
[[nodiscard]] std::int64_t wall_now_ms();
// "2026-01-31T23:59:59.123Z"
[[nodiscard]] std::string format_wall(std::int64_t wall_ms);

}  // namespace riftbus::bus
