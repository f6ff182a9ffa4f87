// Descriptors: enough of them, and what happens when they run out.
//
// When accept() fails for lack of descriptors, libzmq 4.3 tries again at once, for ever, with a
// full core. So the soft limit is raised to the hard one at start, and the bus watches how many are
// left: below kDescriptorsLow it ends the connections that came in and have not proven a key. To
// stop listening would be no cure: libzmq ends every accepted connection together with its
// listener.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

#include "config/result.h"

namespace riftbus::bus {

inline constexpr std::size_t kDescriptorsLow = 64;
// One connection takes one, one peer that we call or watch four.
inline constexpr std::size_t kDescriptorsAdvised = 4096;

// Raises the soft limit to the hard one; the value is the limit in force. 1354: it is below
// kDescriptorsAdvised (worth a warning, not an end).
[[nodiscard]] Result<std::size_t> raise_descriptor_limit();
// About how many more can be opened: from the lowest free number, so it costs two system calls.
[[nodiscard]] std::size_t descriptors_left();

// Ends every TCP connection of this process that was accepted on one of `ports` and is not in
// `proven`; returns how many. The descriptors stay their owner's, who sees the end and closes them.
std::size_t cut_unproven(const std::set<std::uint16_t>& ports, const std::set<int>& proven);

}  // namespace riftbus::bus
