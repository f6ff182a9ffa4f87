// A member as the former orchestrator's NodeInfo.
//
// Whatever a member tells all others about itself is here; what it does not (how busy its
// processors and its disk are, how many jobs it runs) is only known of this node, and of others it
// is left out or, where old clients count on a number, 0.
//
// Loop thread only.
#pragma once

#include <string_view>

#include "node/api/api_json.h"
#include "node/http/glance.h"
#include "node/membership/membership.h"

namespace riftbus::node {

// Suspected members count as alive, as they did there, and so do those whose relays are lost: they
// go on working and say so over connections of their own, as nodes behind a NAT did there.
[[nodiscard]] bool is_online(const membership::Member& member);
// Jobs that run here, of kinds whose name has the word in it.
[[nodiscard]] std::size_t jobs_like(const Glance& seen, std::string_view word);

[[nodiscard]] Json node_info(const membership::Member& member, const NodeView& view,
                             const Glance& seen);
// Of this node, which knows more about itself.
[[nodiscard]] Json self_info(const NodeView& view, const Glance& seen);

}  // namespace riftbus::node
