// The former orchestrator's distributed_hosts.yaml, read unchanged.
//
// Users keep this file in version control and generate parts of it, so it is read as it is: keys
// that mean nothing here pass silently, a bad value is a warning with its line, and only text that
// is no YAML at all is an error. What it says about hosts becomes nodes:
//
//   ssh_host, p2p_public_host   addresses, classified by their range; tailscale_ip too, if it is
//                               an address (error texts of a failed lookup have been seen in it)
//   status, p2p_enabled         a host with p2p_enabled: false is not a member: offline
//   *_id keys, id prefix        the provider, and with it the failure domain
//   nat_blocked, force_relay_mode, relay_primary .. relay_quaternary, relay_capable, is_ephemeral
//   role, gpu, region, ...      tags and declared resources
//   p2p_voters                  voters; the list wins over per-host p2p_voter flags, which only
//                               count without a list. Hosts that are not ready never vote.
//   protocols.swim              chooses the timing profile that comes nearest
//
// p2p_port is the orchestrator's HTTP port; bus ports are the default ones.
#pragma once

#include <string>

#include "config/cluster.h"
#include "config/diagnostic.h"
#include "config/document.h"

namespace riftbus {

// Tells the file by its own top-level keys (hosts, p2p_voters).
[[nodiscard]] bool is_distributed_hosts(const DocumentNode& root);

// Total; see above.
[[nodiscard]] ClusterConfig read_distributed_hosts(const DocumentNode& root,
                                                   const std::string& file,
                                                   Diagnostics& diagnostics);

}  // namespace riftbus
