// Keys at rest: one key per directory, the secret 0600, created on the machine that uses it.
//
//   node.key       secret    "riftbus-key 1 id=gpu-1 public=<Z85> secret=<Z85>"
//   node.pub       shown     "riftbus-public 1 id=gpu-1 public=<Z85>"
//   authority.key  secret    "riftbus-authority-key 1 cluster=kitchen public=<hex> secret=<hex>"
//   authority.pub  shown     "riftbus-authority 1 cluster=kitchen public=<hex>"
//
// Each file is one such line after comment lines ("#"). The .pub files are what an operator sends
// about: node.pub to whoever approves it, authority.pub to every node. Operators' own keys (admin,
// tap) are node keys with the operator's name as id.
//
// Guarantees: an existing file is never overwritten; a secret that others can reach is not loaded;
// a file whose halves do not belong together is not loaded. Errors are 1107-1115 and name the path.
// Blocking disk work: at start-up and in the CLI only.
#pragma once

#include <string>

#include "bus/keys.h"
#include "config/result.h"
#include "config/roster.h"
#include "config/types.h"

namespace riftbus {

inline constexpr const char* kNodeKeyFile = "node.key";
inline constexpr const char* kNodePublicFile = "node.pub";
inline constexpr const char* kAuthorityKeyFile = "authority.key";
inline constexpr const char* kAuthorityPublicFile = "authority.pub";

struct NodeIdentity {
  NodeId id;
  KeyPair keys;
};
struct PublicIdentity {
  NodeId id;
  CurveKey key;
};
// `riftbus key new`: makes the directory (0700), node.key and node.pub.
[[nodiscard]] Result<PublicIdentity> create_node_key(const std::string& directory,
                                                     const NodeId& id);
[[nodiscard]] Result<NodeIdentity> load_node_key(const std::string& directory);
// Of a node.pub file, given by its own path.
[[nodiscard]] Result<PublicIdentity> load_public_identity(const std::string& path);

struct Authority {
  std::string cluster;
  AuthoritySecret secret;
};
struct PublicAuthority {
  std::string cluster;
  AuthorityKey key;
};
// Makes the directory (0700), authority.key and authority.pub.
[[nodiscard]] Result<PublicAuthority> create_authority(const std::string& directory,
                                                       const std::string& cluster);
[[nodiscard]] Result<Authority> load_authority(const std::string& directory);
[[nodiscard]] Result<PublicAuthority> load_public_authority(const std::string& path);

}  // namespace riftbus
