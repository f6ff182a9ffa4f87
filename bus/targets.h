// Targets: which nodes an operator's program may speak to, and where they are.
//
// CURVE wants the server's public key before the first byte, so a target is always an id of the
// roster with its key, at an address. Addresses come from the cluster file, and one that nobody can
// dial is looked for behind its relays first; a node named only by
// HOST:PORT is looked up there, and failing that each member's key is tried at that address. A node
// whose key is being rotated is tried with the new and then with the previous one.
//
// Pure but for host_name(). Errors: 1504 not in the roster, 1506 no telling which node is at an
// address, 1001 and 1009.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/cluster.h"
#include "config/result.h"
#include "config/roster.h"

namespace riftbus::bus {

struct Target {
  NodeId id;
  CurveKey key;  // zero with --insecure
  std::string host;
  std::uint16_t port = 0;
  bool is_relayed = false;  // host and port are a relay's front, which is asked for the node
  bool operator==(const Target&) const = default;
};

// At one address at most this many keys are tried.
inline constexpr std::size_t kKeysTriedMax = 16;
inline constexpr std::size_t kTargetsMax = 64;

// What is known: null where the operator has no such file. Without a roster, keys are zero.
struct KnownNodes {
  const Roster* roster = nullptr;
  const ClusterConfig* cluster = nullptr;
};

// For --node ID, HOST[:PORT] or ID@HOST[:PORT], in the order in which to try them.
[[nodiscard]] Result<std::vector<Target>> named_targets(std::string_view text,
                                                        const KnownNodes& known);
// Without --node: nodes on this machine first (loopback addresses, then `hostname` at the default
// port), then voters, then everybody.
[[nodiscard]] Result<std::vector<Target>> default_targets(const KnownNodes& known,
                                                          std::string_view hostname);

// This machine's name up to the first dot; empty: it has none.
[[nodiscard]] std::string host_name();
// "n3 at 192.0.2.7:7770", "n4 through the relay at 192.0.2.24:7723": for people.
[[nodiscard]] std::string to_string(const Target& target);

}  // namespace riftbus::bus
