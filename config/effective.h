// The effective configuration: what one daemon really runs with, and where each value came from.
//
// One precedence, for every setting: flag, environment, node file, cluster file (this node's
// section, then the shared one), default. Nothing is merged across layers except that a list given
// under several synonyms in one layer is united. Each value keeps its source, because "which of
// five files set this?" was the costliest question of the system this one replaces.
//
// resolve() is pure; load_node_config() reads the files that flags and environment name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "config/diagnostic.h"
#include "config/result.h"

namespace riftbus {

// One resolved setting, for `riftbus config show --effective`.
struct EffectiveValue {
  std::string key;     // "listen.router_port"
  std::string text;    // "7770"; lists joined with ", "; "" when unset
  std::string unit;    // "ms", "bytes", ""
  SourcePlace source;  // "cluster.yaml:12:5", "env NODE_ID", "default"
};

struct EffectiveConfig {
  ClusterConfig cluster;
  NodeSettings node;
  std::vector<EffectiveValue> values;  // in the order of the settings table
};

// Layers, strongest first. `cluster` may be null: a node can run from flags alone.
struct ConfigLayers {
  std::vector<SettingInput> flags;
  std::vector<SettingInput> environment;
  std::vector<SettingInput> node_file;
  const ClusterConfig* cluster = nullptr;
  std::string hostname;  // the node id if nothing else gives one; may be empty
};

// Total: always gives an EffectiveConfig; run with it only if `diagnostics` has no errors.
[[nodiscard]] EffectiveConfig resolve(const ConfigLayers& layers, Diagnostics& diagnostics);

using Environment = std::map<std::string, std::string>;

// A copy of this process's environment; the only place that reads it.
[[nodiscard]] Environment copy_environment();

struct LoadedConfig {
  EffectiveConfig effective;
  Diagnostics diagnostics;  // warnings and notes to log; errors: do not run
  bool wants_help = false;
  bool wants_version = false;
};

// Everything a daemon does about configuration at start: parses `arguments` (without argv[0]),
// reads the node file (--node-conf, RIFTBUS_NODE_CONF, else /etc/riftbus/node.conf, else
// /etc/ringrift/node.conf, if there) and the cluster file (--config, RIFTBUS_CONFIG, else
// /etc/riftbus/cluster.yaml, if there), and resolves. All problems are in `diagnostics`.
// Blocks on files of at most 1 MiB each.
[[nodiscard]] LoadedConfig load_node_config(const std::vector<std::string>& arguments,
                                            const Environment& environment);

}  // namespace riftbus
