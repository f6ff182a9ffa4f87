// RelayChoice: which relays a node wants to be attached to, in the order in which it wants them.
//
// Every pair of a node and a relay has a weight, a hash of both names, and a node's home is the
// relay with the highest one (rendezvous hashing: Thaler and Ravishankar, "Using Name-Based
// Mappings to Increase Hit Rates", 1998). So homes are spread evenly, everybody computes the same
// ones without asking, and when a relay goes only the nodes that were at home there move. The
// second one is the highest of another failure domain, so that one failure does not take both;
// further ones follow by the same rule and serve while those before them cannot be reached.
//
// A node that names its own relays gets them in the order in which it named them.
//
// Pure.
#pragma once

#include <vector>

#include "config/relay_places.h"

namespace riftbus::node {

[[nodiscard]] std::vector<RelayPlace> rank_relays(const NodeId& node,
                                                  std::vector<RelayPlace> relays, bool is_ordered);

}  // namespace riftbus::node
