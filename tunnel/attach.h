// Attach: what `riftbus-tunnel --attach RELAY` carries, from the cluster file alone.
//
// A node that nobody can dial starts such tunnels itself; whoever would rather have a service
// manager do it sets tunnel.attach to false and starts the same command. Both of the node's bus
// sockets are listened for at the relay, under the numbers that others ask for; what tunnel.reverse
// names goes along, unless tunnel.servers says that another tunnel carries it. The last server is
// the relay by way of the bus, for which the node listens on a socket in its data_dir.
//
// Pure.
#pragma once

#include <string>

#include "config/effective.h"
#include "config/result.h"
#include "config/tunnel_config.h"

namespace riftbus::tunnel {

// 1822: no such relay in the cluster file, or without a pin.
[[nodiscard]] Result<TunnelConfig> attach_to(const EffectiveConfig& config,
                                             const std::string& relay);

}  // namespace riftbus::tunnel
