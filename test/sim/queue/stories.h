// The stories of the log and the queue, by name, in the form that the pool runs.
#pragma once

#include "test/sim/queue/world.h"

namespace riftbus::consensus {

[[nodiscard]] const std::vector<sim::Scenario>& all_stories();

// A world drawn from the seed: how many, how far apart, how small the limits.
[[nodiscard]] Scene draw_scene(std::uint64_t seed);

sim::Outcome run_log_chaos(const sim::Args& args);

}  // namespace riftbus::consensus
