// Seeds: from what people write to addresses worth dialling.
//
// A seed names a host, maybe with the HTTP port of the former orchestrator, which is no bus port;
// the cluster file knows the node behind it and its real one. Without any seed, the file's own
// nodes are the seeds: voters first, then relays, then the rest, at most kSeedsMax.
//
// Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "config/cluster.h"

namespace riftbus {

// More do not find a living member sooner, and each costs a connection at start.
inline constexpr std::size_t kSeedsMax = 16;

// Fills in ports and nodes; leaves out this node itself and repetitions.
[[nodiscard]] std::vector<Seed> match_seeds(const std::vector<Seed>& written,
                                            const ClusterConfig& cluster, const NodeId& self);
[[nodiscard]] std::vector<Seed> derive_seeds(const ClusterConfig& cluster, const NodeId& self);

}  // namespace riftbus
