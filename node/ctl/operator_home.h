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
#include <vector>

#include "bus/key_files.h"
#include "bus/roster_file.h"
#include "config/cluster.h"
#include "config/effective.h"
#include "config/result.h"
#include "node/ctl/invocation.h"

namespace riftbus::ctl {

// Where this line's operator directory is. 1508: there is none, or several and none was chosen.
[[nodiscard]] Result<std::string> find_home(const Globals& globals, const Environment& environment);
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
};

// Reads what is there. The operator's secret only if `with_identity`.
[[nodiscard]] Result<OperatorHome> load_home(const Globals& globals, const Environment& environment,
                                             bool with_identity);

// The cluster file alone: with --insecure there is nothing else to know.
[[nodiscard]] Result<std::optional<ClusterConfig>> load_addresses(const Globals& globals,
                                                                  const std::string& directory);

// "a,b,c", each a node id. 1001 else.
[[nodiscard]] Result<std::vector<NodeId>> parse_ids(std::string_view text);

}  // namespace riftbus::ctl
