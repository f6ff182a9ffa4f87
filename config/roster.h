// The roster: the signed list of who may speak on this cluster's bus, and in which role.
//
// One document, versioned, signed with the cluster's Ed25519 authority key. Nodes gossip its
// version, fetch the bytes from one another, adopt them only if the signature is the authority's
// and the version is higher than their own, and keep them on disk. Nothing else grants access:
// a public key that is not in the newest roster is refused in the CURVE handshake.
//
// The authority's secret key never needs to be on a node: `riftbus key new --authority CLUSTER`
// makes it where an operator signs, and a node's configuration names its public half. A roster
// holds only public keys and may be shown to anyone who may speak on the bus.
//
// Voters listed here only bootstrap the replicated log; later changes go through the log.
// Values: immutable once built, safe to share between threads as shared_ptr<const Roster>.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "config/types.h"

namespace riftbus {

// `node`: member of the mesh. `voter`: may keep the log. `relay`: may carry others' traffic.
// `tap`: may watch traffic. `admin`: may query, change the roster and command nodes.
// tap and admin keys are operators' keys: they are not members.
enum class Role : std::uint8_t { node = 1, voter = 2, relay = 3, tap = 4, admin = 5 };
[[nodiscard]] std::string_view to_string(Role role);
[[nodiscard]] Result<Role> parse_role(std::string_view text);

// A CURVE (Curve25519) public key. Text form: ZeroMQ's Z85, 40 characters.
struct CurveKey {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const CurveKey&) const = default;
  [[nodiscard]] std::string z85() const;
  [[nodiscard]] static Result<CurveKey> from_z85(std::string_view text);
};

// An Ed25519 public key. Text form: 64 lower-case hexadecimal digits.
struct AuthorityKey {
  std::array<std::uint8_t, 32> bytes{};
  auto operator<=>(const AuthorityKey&) const = default;
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] static Result<AuthorityKey> from_hex(std::string_view text);
};

struct RosterEntry {
  NodeId id;
  CurveKey key;
  // Key being rotated out: still accepted until the next version drops it.
  std::optional<CurveKey> previous_key;
  std::set<Role> roles;
  // Seconds since the Unix epoch after which the key is refused; empty: no expiry. The only place
  // where wall time decides: a rented host's key must die even if nobody revokes it.
  std::optional<std::int64_t> expires_at_s;
  std::string note;

  [[nodiscard]] bool has(Role role) const { return roles.contains(role); }
  bool operator==(const RosterEntry&) const = default;
};

struct Roster {
  std::string cluster;  // the cluster's name: a roster of another cluster is refused
  RosterVersion version;
  std::map<NodeId, RosterEntry> entries;
  // Ids whose keys were revoked, with the version that did it: shown to operators.
  std::map<NodeId, RosterVersion> revoked;
  // The keys that died with them, never to be accepted again. Lets a node tell "a revoked key is
  // knocking" from "a stranger is knocking". Every owner listed here is in `revoked`; an id may be
  // in both `revoked` and `entries`: revoked once, approved again with a new key.
  std::map<CurveKey, NodeId> revoked_keys;
  std::vector<NodeId> voters;
  std::vector<NodeId> relays;

  [[nodiscard]] const RosterEntry* find(const NodeId& id) const;
  [[nodiscard]] const RosterEntry* find(const CurveKey& key) const;
  bool operator==(const Roster&) const = default;
};

// The signed bytes as they travel and rest on disk: a canonical text document followed by its
// signature; config/ROSTER.md holds the grammar. Pass `bytes` on as they are: they may carry
// attributes of a newer release that `roster` does not show and that the signature covers.
struct SignedRoster {
  std::string bytes;
  Roster roster;
};

// Limits on untrusted rosters.
inline constexpr std::size_t kRosterBytesMax = 900 * 1024;
inline constexpr std::size_t kRosterEntriesMax = 4096;
inline constexpr std::size_t kRosterRevokedMax = 4096;
inline constexpr std::size_t kRosterNoteBytesMax = 120;
inline constexpr std::int64_t kRosterExpiryMax_s = 253'402'300'799;  // the end of the year 9999

// Total: any bytes give a roster or an Error that names the line ("roster:7"). Checks the signature
// against `authority` before it reads anything, then the grammar, then the cluster's name.
[[nodiscard]] Result<SignedRoster> verify_roster(std::string_view bytes,
                                                 const AuthorityKey& authority,
                                                 std::string_view cluster);
// As verify_roster, and refuses (code 1105) a version that is not higher than `held`: the rule by
// which a node adopts what it was gossiped. Two documents with one version are the authority's
// mistake; the one that came first stays, and the node says so (code 1109).
[[nodiscard]] Result<SignedRoster> verify_newer_roster(std::string_view bytes,
                                                       const AuthorityKey& authority,
                                                       std::string_view cluster,
                                                       RosterVersion held);
// Two documents differ if their digests do: the first 8 bytes of BLAKE2b-256, big-endian. Told to
// peers, so that two rosters of one version are noticed without sending either.
[[nodiscard]] std::uint64_t roster_digest(std::string_view bytes);
// As verify_roster, without the signature: for `riftbus roster show` of a file. Never for adoption.
[[nodiscard]] Result<Roster> parse_roster_unverified(std::string_view bytes);

// An Ed25519 secret key (libsodium's 64 bytes). Wiped on destruction.
class AuthoritySecret {
 public:
  explicit AuthoritySecret(const std::array<std::uint8_t, 64>& bytes) : bytes_(bytes) {}
  AuthoritySecret(const AuthoritySecret&) = delete;
  AuthoritySecret& operator=(const AuthoritySecret&) = delete;
  AuthoritySecret(AuthoritySecret&& other) noexcept;
  AuthoritySecret& operator=(AuthoritySecret&&) = delete;
  ~AuthoritySecret();
  [[nodiscard]] static AuthoritySecret generate();
  [[nodiscard]] AuthorityKey public_key() const;
  [[nodiscard]] const std::array<std::uint8_t, 64>& bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, 64> bytes_;
};

// Whether the roster obeys every rule of config/ROSTER.md, so that all nodes will read it back.
[[nodiscard]] Status validate_roster(const Roster& roster);

// CHECKs that validate_roster() holds: ask it first. config/roster_edit.h only makes valid ones.
[[nodiscard]] SignedRoster sign_roster(const Roster& roster, const AuthoritySecret& secret);

}  // namespace riftbus
