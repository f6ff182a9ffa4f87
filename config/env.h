// Environment variables and node files: the same names, so the same reader.
//
// A node file is what systemd calls an EnvironmentFile: KEY=VALUE lines, comments with # or ;,
// single and double quotes, backslash continuation. It is read with systemd's own rules (its
// env-file parser is the model), because systemd may have read it first. As there, a later line
// wins over an earlier one, which is reported.
//
// The environment comes in as a map: nothing here calls getenv. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/assignments.h"
#include "config/cluster.h"
#include "config/diagnostic.h"

namespace riftbus {

// Which files to read, not settings of the node.
inline constexpr std::string_view kConfigVariable = "RIFTBUS_CONFIG";
inline constexpr std::string_view kNodeConfVariable = "RIFTBUS_NODE_CONF";

// For `riftbus`, not for a node: they may stand in the environment of both.
inline constexpr std::string_view kOperatorVariables[] = {
    "RIFTBUS_KEY",      // directory with the operator's key, as --key
    "RIFTBUS_NODE",     // the node to ask, as --node
    "RIFTBUS_CLUSTER",  // which of the operator's clusters, as --cluster
};

// RIFTBUS_* and every synonym. An unknown RIFTBUS_* name is a warning; other names are not ours.
[[nodiscard]] std::vector<SettingInput> read_environment(
    const std::map<std::string, std::string>& environment, Diagnostics& diagnostics);

// The settings of a node file. Names of other programs pass silently.
[[nodiscard]] std::vector<SettingInput> read_node_conf(std::string_view text,
                                                       const std::string& file,
                                                       Diagnostics& diagnostics);

// The lines of a node file, uninterpreted; in file order.
[[nodiscard]] std::vector<Assignment> parse_node_conf(std::string_view text,
                                                      const std::string& file,
                                                      Diagnostics& diagnostics);

}  // namespace riftbus
