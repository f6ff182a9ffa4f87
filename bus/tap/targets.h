// Targets: which nodes to tap, and what is needed to speak to them.
//
// CURVE wants a node's public key before the first byte, so a target is always an id of the roster
// with its key, at an address. The operator's directory holds the key, authority.pub and the
// roster; addresses come from the command line, the cluster file, or from a node that knows the
// others.
//
// load_home() reads files; the rest is pure. Errors: 1558 naming, those of key files, roster and
// cluster file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/key_files.h"
#include "config/cluster.h"
#include "config/effective.h"
#include "config/result.h"
#include "config/roster.h"

namespace riftbus::tap {

// Where the operator said things are; empty: not said.
struct HomeOptions {
  std::string key_directory;  // --key; else RIFTBUS_KEY, else below ~/.config/riftbus
  std::string cluster_name;   // --cluster; else RIFTBUS_CLUSTER, else the only one there
  std::string cluster_file;   // --config; else cluster.yaml in that directory, else /etc/riftbus
  bool insecure = false;      // no keys at all
};

struct Home {
  std::optional<NodeIdentity> identity;  // none with `insecure`
  std::optional<PublicAuthority> authority;
  std::optional<Roster> roster;
  std::optional<ClusterConfig> cluster;
};
[[nodiscard]] Result<Home> load_home(const HomeOptions& options, const Environment& environment);

struct Target {
  NodeId id;
  CurveKey key;  // zero with `insecure`
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Target&) const = default;
};

// At one address at most this many members' keys are tried.
inline constexpr std::size_t kKeysTriedMax = 16;

// For --node ID@HOST[:PORT], ID, or HOST[:PORT]: candidates in the order in which to try them.
[[nodiscard]] Result<std::vector<Target>> find_targets(std::string_view text, const Home& home);
// Without --node: this machine.
[[nodiscard]] Result<std::vector<Target>> find_local_targets(const Home& home);

// The members in a node.list document with their addresses, best first; those that are dead or
// left are not in it, nor those whose key the roster does not know. Nothing: not such a document.
struct Listed {
  NodeId id;
  std::vector<Target> targets;
};
struct NodePage {
  std::vector<Listed> nodes;
  std::string after;  // cursor of the next page; empty: that was all
};
[[nodiscard]] std::optional<NodePage> read_node_page(std::string_view json, const Home& home);

}  // namespace riftbus::tap
