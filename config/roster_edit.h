// Changes to a roster: each takes a roster and returns the next version of it, unsigned.
//
// The operator's machine loads the newest roster, edits, signs and hands the result to any node;
// gossip does the rest. Two operators editing the same version make two documents with one
// version: the second to arrive is refused everywhere, and its author edits again on top.
//
// Pure. A refused change leaves nothing behind; a returned roster passes validate_roster().
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/roster.h"

namespace riftbus {

// Version 0, which is never signed: the first change makes version 1.
[[nodiscard]] Result<Roster> make_empty_roster(const std::string& cluster);

struct Approval {
  NodeId id;
  CurveKey key;
  std::set<Role> roles;
  std::optional<std::int64_t> expires_at_s;  // seconds since the Unix epoch
  std::string note;
};

// `force`: also when nobody with the admin role would be left to command the nodes. The authority
// key can still admit a new admin afterwards.
enum class EditMode { careful, force };

// Admits an id, or, if the id is listed with this very key, replaces its roles, expiry and note:
// so a rented host's key is renewed. Another key for a listed id is rotate_key()'s business.
[[nodiscard]] Result<Roster> approve_key(const Roster& roster, const Approval& approval,
                                         EditMode mode = EditMode::careful);

// Removes the id, its place among voters and relays, and outlaws its keys for ever.
[[nodiscard]] Result<Roster> revoke_id(const Roster& roster, const NodeId& id,
                                       EditMode mode = EditMode::careful);

// Forgets the ids and keys revoked in version `newest` or before it, to make room in a long-lived
// cluster. Their keys are still refused, but as a stranger's, and could be approved again.
[[nodiscard]] Result<Roster> forget_revoked(const Roster& roster, RosterVersion newest);

// The new key is accepted at once, the old one until drop_previous_key() or the next rotation.
[[nodiscard]] Result<Roster> rotate_key(const Roster& roster, const NodeId& id,
                                        const CurveKey& key);
[[nodiscard]] Result<Roster> drop_previous_key(const Roster& roster, const NodeId& id);

// Replace the whole list; every id must hold the role.
[[nodiscard]] Result<Roster> set_voters(const Roster& roster, const std::vector<NodeId>& voters);
[[nodiscard]] Result<Roster> set_relays(const Roster& roster, const std::vector<NodeId>& relays);

}  // namespace riftbus
