// Relayed: whether a node can be reached through relays only.
//
// It names relays and no public address of its own. Its private addresses may serve neighbours, but
// from elsewhere somebody else may answer there, or nobody: they prove nothing.
//
// Pure.
#pragma once

#include <vector>

#include "bus/wire/message.h"

namespace riftbus::wire {

[[nodiscard]] bool is_relayed(const std::vector<Address>& addresses);

}  // namespace riftbus::wire
