// The figures of the simulator: what a node costs, how soon deaths are known, how far news travel.
#pragma once

#include <string>
#include <vector>

namespace riftbus::sim {

// Prints a table; with `json`, also writes a list of {name, ours, peer, ratio, unit, goal, met}.
// 0: all goals met.
int run_report(const std::vector<std::size_t>& sizes, const std::string& json);

}  // namespace riftbus::sim
