// Reports: what a relay's programs print for people, without disturbing the ones that run.
#pragma once

#include "config/cluster.h"
#include "relay/program.h"

namespace riftbus::relay {

// Of the list of keys: how many, or every mistake (on standard error) and the first as the error.
[[nodiscard]] Status check_keys(const NodeSettings& settings);
// Makes the host key if it is missing.
[[nodiscard]] Status show_pin(const NodeSettings& settings);
// From the files that the halves write; true: it runs.
[[nodiscard]] Result<bool> show_ssh_status(const NodeSettings& settings);
[[nodiscard]] Result<bool> show_front_status(const NodeSettings& settings);
// Both.
[[nodiscard]] Result<bool> show_relay_status(const NodeSettings& settings);

}  // namespace riftbus::relay
