// Descriptors: enough of them, and what happens when they run out.
//
// When accept() fails for lack of descriptors, libzmq 4.3 tries again at once, for ever, with a
// full core. So the soft limit is raised to the hard one at start, and the bus watches how many
// are left: below kSuspendBelow it stops listening, and listens again above kResumeAbove. What is
// connected goes on working.
#pragma once

#include <cstddef>

#include "config/result.h"

namespace riftbus::bus {

inline constexpr std::size_t kSuspendBelow = 48;
inline constexpr std::size_t kResumeAbove = 96;
// One connection takes one, one peer that we call or watch four.
inline constexpr std::size_t kDescriptorsAdvised = 4096;

// Raises the soft limit to the hard one; the value is the limit in force. 1354: it is below
// kDescriptorsAdvised (worth a warning, not an end).
[[nodiscard]] Result<std::size_t> raise_descriptor_limit();
// About how many more can be opened: from the lowest free number, so it costs two system calls.
[[nodiscard]] std::size_t descriptors_left();

}  // namespace riftbus::bus
