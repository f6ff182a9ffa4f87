// What this machine has, measured: for the member record. Blocking: measure_resources() asks a file
// system, which a running node does on its disk thread; the rest takes a few system calls.
#pragma once

#include <string>
#include <vector>

#include "bus/wire/message.h"
#include "config/cluster.h"

namespace riftbus::node {

// Processors and memory that this process may use (node/executor/machine.h), free disk below
// `data_dir`. GPUs as declared in the cluster file; the executor measures them.
[[nodiscard]] wire::Resources measure_resources(const std::string& data_dir,
                                                const DeclaredResources& declared);

// Where others can dial this node, best first: what the settings advertise, else the address it
// listens on, else every up interface's address (loopback only if there is nothing else).
[[nodiscard]] std::vector<wire::Address> own_addresses(const NodeSettings& settings);

[[nodiscard]] wire::Address to_wire(const NodeAddress& address);

}  // namespace riftbus::node
