// Validation: what no single value shows, because it lies between values.
//
// Two passes. The cluster file alone: references to nodes that are not there, two nodes on one
// port, voters that cannot vote. Then what one daemon would run with: listeners that collide,
// encryption off in the open, floors above ceilings. All findings at once; neither pass changes
// anything. In files of the former orchestrator, mistakes that users lived with are warnings.
//
// Pure.
#pragma once

#include "config/cluster.h"
#include "config/diagnostic.h"
#include "config/effective.h"

namespace riftbus {

void validate_cluster(const ClusterConfig& cluster, Diagnostics& diagnostics);

// `effective` as resolve() built it; `explicit_seeds`: somebody named seeds, they were not derived.
void validate_node(const EffectiveConfig& effective, bool explicit_seeds, Diagnostics& diagnostics);

}  // namespace riftbus
