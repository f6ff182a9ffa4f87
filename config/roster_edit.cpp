#include "config/roster_edit.h"

#include <algorithm>

#include "config/roster_text.h"

namespace riftbus {

namespace {

Error unknown_id(const NodeId& id) {
  return Error{1121, "the roster has no \"" + id.value() + "\"", id.value(),
               "see `riftbus key list` for the ids it has"};
}

Result<Roster> finish(Roster roster) {
  roster.version = roster.version.next();
  const auto status = validate_roster(roster);
  if (!status.ok()) return status.error();
  return roster;
}

// Whether `key` may become a key of `id`.
Status check_key_is_free(const Roster& roster, const NodeId& id, const CurveKey& key) {
  if (key == CurveKey{}) return Error{1107, "the all-zero key is not a key", id.value(), ""};
  if (const RosterEntry* owner = roster.find(key); owner != nullptr) {
    return Error{1122, "this key already belongs to \"" + owner->id.value() + "\"", id.value(),
                 "make a new one on that machine: `riftbus key new`"};
  }
  if (const auto dead = roster.revoked_keys.find(key); dead != roster.revoked_keys.end()) {
    return Error{1123, "this key was revoked with \"" + dead->second.value() + "\"", id.value(),
                 "make a new one on that machine: `riftbus key new`"};
  }
  return Ok{};
}

Status check_approval(const Approval& approval) {
  const std::string& where = approval.id.value();
  if (approval.id.empty()) return Error{1126, "the id is empty", "", "name the node"};
  if (approval.roles.empty()) {
    return Error{1126, "no role is given", where, "give at least one: node, tap or admin"};
  }
  const auto& expires_s = approval.expires_at_s;
  if (expires_s && (*expires_s < 0 || *expires_s > kRosterExpiryMax_s)) {
    return Error{1126, "the expiry is not a time between 1970 and 9999", where,
                 "give seconds since 1970"};
  }
  if (approval.note.size() > kRosterNoteBytesMax || !is_plain_text(approval.note)) {
    return Error{1126, "the note is too long or holds control characters", where,
                 "use at most 120 bytes of plain text"};
  }
  return Ok{};
}

Status keep_an_admin(const Roster& roster, const NodeId& id, EditMode mode) {
  const bool others = std::ranges::any_of(roster.entries, [&](const auto& other) {
    return other.first != id && other.second.has(Role::admin);
  });
  const RosterEntry* listed = roster.find(id);
  const bool is_admin = listed != nullptr && listed->has(Role::admin);
  if (mode == EditMode::force || others || !is_admin) return Ok{};
  return Error{1127, "\"" + id.value() + "\" is the last admin", id.value(),
               "approve another admin first, or repeat with --force"};
}

void outlaw(Roster& roster, const NodeId& id, const CurveKey& key) {
  roster.revoked_keys.insert_or_assign(key, id);
}

// A listed voter must keep the role: shrinking a role set quietly drops the listing as well.
void drop_unfit(const Roster& roster, Role role, std::vector<NodeId>& list) {
  std::erase_if(list, [&](const NodeId& id) {
    const RosterEntry* entry = roster.find(id);
    return entry == nullptr || !entry->has(role);
  });
}

Status check_list(const Roster& roster, Role role, const std::vector<NodeId>& ids) {
  std::set<NodeId> seen;
  for (const auto& id : ids) {
    const RosterEntry* entry = roster.find(id);
    if (entry == nullptr) return unknown_id(id);
    if (!entry->has(role)) {
      return Error{1125,
                   "\"" + id.value() + "\" does not hold the role " + std::string(to_string(role)),
                   id.value(), "approve it with that role first"};
    }
    if (!seen.insert(id).second) {
      return Error{1104, "\"" + id.value() + "\" is listed twice", id.value(), "name it once"};
    }
  }
  return Ok{};
}

}  // namespace

Result<Roster> make_empty_roster(const std::string& cluster) {
  if (!NodeId::is_valid(cluster)) {
    return Error{1126, "not a cluster name: \"" + cluster.substr(0, 64) + "\"", "",
                 "use 1 to 64 characters of A-Z a-z 0-9 . _ - and begin with a letter or digit"};
  }
  Roster roster;
  roster.cluster = cluster;
  return roster;
}

Result<Roster> approve_key(const Roster& roster, const Approval& approval, EditMode mode) {
  if (auto status = check_approval(approval); !status.ok()) return status.error();
  const RosterEntry* listed = roster.find(approval.id);
  if (listed != nullptr && listed->key != approval.key) {
    return Error{1124, "\"" + approval.id.value() + "\" is already listed, with another key",
                 approval.id.value(), "use `riftbus key rotate`, or revoke the id first"};
  }
  if (listed == nullptr) {
    if (roster.entries.size() == kRosterEntriesMax) {
      return Error{1126, "the roster is full", approval.id.value(), "revoke ids no longer used"};
    }
    auto status = check_key_is_free(roster, approval.id, approval.key);
    if (!status.ok()) return status.error();
  }
  if (!approval.roles.contains(Role::admin)) {
    if (auto kept = keep_an_admin(roster, approval.id, mode); !kept.ok()) return kept.error();
  }
  Roster next = roster;
  RosterEntry& entry = next.entries[approval.id];
  entry.id = approval.id;
  entry.key = approval.key;
  entry.roles = approval.roles;
  entry.expires_at_s = approval.expires_at_s;
  entry.note = approval.note;
  drop_unfit(next, Role::voter, next.voters);
  drop_unfit(next, Role::relay, next.relays);
  return finish(std::move(next));
}

Result<Roster> revoke_id(const Roster& roster, const NodeId& id, EditMode mode) {
  const RosterEntry* listed = roster.find(id);
  if (listed == nullptr) return unknown_id(id);
  if (auto kept = keep_an_admin(roster, id, mode); !kept.ok()) return kept.error();
  Roster next = roster;
  outlaw(next, id, listed->key);
  if (listed->previous_key) outlaw(next, id, *listed->previous_key);
  next.entries.erase(id);
  next.revoked.insert_or_assign(id, next.version.next());
  drop_unfit(next, Role::voter, next.voters);
  drop_unfit(next, Role::relay, next.relays);
  return finish(std::move(next));
}

Result<Roster> forget_revoked(const Roster& roster, RosterVersion newest) {
  Roster next = roster;
  std::erase_if(next.revoked, [&](const auto& item) { return item.second <= newest; });
  std::erase_if(next.revoked_keys,
                [&](const auto& item) { return !next.revoked.contains(item.second); });
  return finish(std::move(next));
}

Result<Roster> rotate_key(const Roster& roster, const NodeId& id, const CurveKey& key) {
  const RosterEntry* listed = roster.find(id);
  if (listed == nullptr) return unknown_id(id);
  if (auto status = check_key_is_free(roster, id, key); !status.ok()) return status.error();
  Roster next = roster;
  RosterEntry& entry = next.entries.at(id);
  entry.previous_key = entry.key;
  entry.key = key;
  return finish(std::move(next));
}

Result<Roster> drop_previous_key(const Roster& roster, const NodeId& id) {
  const RosterEntry* listed = roster.find(id);
  if (listed == nullptr) return unknown_id(id);
  if (!listed->previous_key) {
    return Error{1128, "no key of \"" + id.value() + "\" is being rotated out", id.value(),
                 "nothing is left to do"};
  }
  Roster next = roster;
  next.entries.at(id).previous_key.reset();
  return finish(std::move(next));
}

Result<Roster> set_voters(const Roster& roster, const std::vector<NodeId>& voters) {
  if (auto status = check_list(roster, Role::voter, voters); !status.ok()) return status.error();
  Roster next = roster;
  next.voters = voters;
  return finish(std::move(next));
}

Result<Roster> set_relays(const Roster& roster, const std::vector<NodeId>& relays) {
  if (auto status = check_list(roster, Role::relay, relays); !status.ok()) return status.error();
  Roster next = roster;
  next.relays = relays;
  return finish(std::move(next));
}

}  // namespace riftbus
