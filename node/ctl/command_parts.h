// What the parts of the command table (command.h) write alike. Only those include this.
#pragma once

#include <array>

#include "node/ctl/command.h"

namespace riftbus::ctl {

inline constexpr auto kNothing = Completes::nothing;

inline constexpr auto kNodeId = std::to_array<Argument>({{"ID", true, false, Completes::node_id}});
inline constexpr auto kMaybeNodeId =
    std::to_array<Argument>({{"ID", false, false, Completes::node_id}});

inline constexpr bool kAsks = true;  // asks_cluster
inline constexpr bool kLocal = false;

}  // namespace riftbus::ctl
