// OperatorHome: the directory in which an operator keeps what a cluster gave them.
//
//   ~/.config/riftbus/CLUSTER/     or --key DIR, RIFTBUS_KEY
//     node.key node.pub            the operator's own key pair; its id is the operator's name
//     authority.pub                whose signature makes a roster valid
//     roster                       the newest one seen: it has every node's public key
//     cluster.yaml                 the nodes' addresses (or --config, /etc/riftbus/cluster.yaml)
//     authority.key                only where rosters are signed; a copy belongs offline
//
// Everything is optional until a command needs it; what needs it says what is missing. Reading
// blocks on small files. A file that is there and wrong is an Error at once, not a surprise later.
#pragma once

#include <optional>
#include <string>

#include "bus/key_files.h"
#include "bus/roster_file.h"
#include "bus/targets.h"
#include "config/cluster.h"
#include "config/effective.h"
#include "config/result.h"

namespace riftbus::bus {

// Where the operator said things are; empty: not said.
struct HomeOptions {
  std::string key;      // --key: a directory, or a file in it
  std::string cluster;  // --cluster: which of ~/.config/riftbus/*
  std::string config;   // --config: the cluster file
  bool insecure = false;
};

// This operator's directory. 1508: there is none, or several and none was chosen.
[[nodiscard]] Result<std::string> find_home(const HomeOptions& options,
                                            const Environment& environment);
// ~/.config/riftbus, by XDG_CONFIG_HOME or HOME; empty: neither is set.
[[nodiscard]] std::string home_base(const Environment& environment);

struct OperatorHome {
  std::string directory;
  std::optional<ClusterConfig> cluster;  // addresses
  std::optional<PublicAuthority> authority;
  std::optional<SignedRoster> roster;
  std::optional<NodeIdentity> identity;

  [[nodiscard]] std::string roster_path() const;
  [[nodiscard]] const Roster* find_roster() const { return roster ? &roster->roster : nullptr; }
  // What can be said about where nodes are; points into this object.
  [[nodiscard]] KnownNodes known_nodes() const {
    return {find_roster(), cluster ? &*cluster : nullptr};
  }
};

// Reads what is there. The operator's secret only if `with_identity`. With `insecure` there are no
// keys: the cluster file alone.
[[nodiscard]] Result<OperatorHome> load_home(const HomeOptions& options,
                                             const Environment& environment, bool with_identity);
// As load_home() with the secret, and a roster must be there too (1517): all that connecting takes.
[[nodiscard]] Result<OperatorHome> load_caller_home(const HomeOptions& options,
                                                    const Environment& environment);

}  // namespace riftbus::bus
