// key new|approve|revoke|rotate|list.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include "bus/clock.h"
#include "config/roster_edit.h"
#include "config/settings.h"
#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/roster_change.h"

namespace riftbus::ctl {

namespace {

bool wants_json(const Context& context) {
  return context.globals().format == Format::json || context.globals().format == Format::jsonl;
}

// --dir, else the operator's directory; for a new authority the one named after its cluster.
Result<std::string> key_directory(const Context& context, const std::string& id, bool authority) {
  if (const auto given = context.invocation.find("dir")) return *given;
  const std::string base = bus::home_base(context.environment);
  if (authority && !context.globals().key && !base.empty()) return base + "/" + id;
  auto home = bus::find_home(home_options(context.globals()), context.environment);
  if (home.ok()) return home;
  return Error{1508, "where shall the key go?", "",
               "on a node: --dir /var/lib/riftbus/keys; for an operator: --cluster NAME"};
}

int new_authority(Context& context, const std::string& cluster, const std::string& directory) {
  auto made = create_authority(directory, cluster);
  if (!made.ok()) return report(context, made.error());
  if (wants_json(context)) {
    context.out << compact({{"schema", 1},
                            {"document", "authority"},
                            {"cluster", cluster},
                            {"public_key", made->key.hex()},
                            {"directory", directory}})
                << "\n";
    return kExitOk;
  }
  context.out << "authority " << made->key.hex() << "\n"
              << "in " << directory << "/" << kAuthorityKeyFile << ": keep a copy offline\n"
              << "next: put `authority: " << made->key.hex()
              << "` into cluster.yaml; then riftbus key approve\n";
  return kExitOk;
}

int new_key(Context& context, const std::string& word, const std::string& directory) {
  auto id = NodeId::parse(word);
  if (!id.ok()) return report(context, id.error());
  auto made = create_node_key(directory, *id);
  if (!made.ok()) return report(context, made.error());
  const std::string public_file = directory + "/" + kNodePublicFile;
  if (wants_json(context)) {
    context.out << compact({{"schema", 1},
                            {"document", "key"},
                            {"id", word},
                            {"public_key", made->key.z85()},
                            {"directory", directory}})
                << "\n";
    return kExitOk;
  }
  context.out << word << " " << made->key.z85() << "\n"
              << "in " << directory << "; only " << kNodePublicFile << " may leave this machine\n"
              << "next, where the roster is signed: riftbus key approve " << word << " -k "
              << public_file << "\n";
  return kExitOk;
}

// Z85 text, or the path of a node.pub, whose id must be the one meant.
Result<CurveKey> read_public_key(const Context& context, const NodeId& id) {
  const auto given = context.invocation.find("public-key");
  if (!given) {
    return Error{1501, "whose key? --public-key is missing", "",
                 "give the public key or the node.pub file"};
  }
  std::error_code ignored;
  if (!std::filesystem::exists(*given, ignored)) return CurveKey::from_z85(*given);
  auto identity = load_public_identity(*given);
  if (!identity.ok()) return identity.error();
  if (identity->id == id) return identity->key;
  return Error{1501, "this key belongs to " + identity->id.value() + ", not to " + id.value(),
               *given, "name the right file or the right id"};
}

Result<std::set<Role>> read_roles(const Context& context) {
  std::set<Role> roles;
  for (const auto& word : split_list(context.invocation.find("roles").value_or("node"))) {
    auto role = parse_role(word);
    if (!role.ok()) return role.error();
    roles.insert(*role);
  }
  return roles;
}

Result<Approval> read_approval(const Context& context, const NodeId& id) {
  auto key = read_public_key(context, id);
  if (!key.ok()) return key.error();
  auto roles = read_roles(context);
  if (!roles.ok()) return roles.error();
  Approval approval{id, *key, *roles, std::nullopt, context.invocation.find("note").value_or("")};
  if (const auto text = context.invocation.find("expires")) {
    auto span = parse_duration(*text, "--expires");
    if (!span.ok()) return span.error();
    approval.expires_at_s = (bus::wall_now_ms() + span->count()) / 1000;
  }
  return approval;
}

// Whoever gets the role stands on the list that bootstraps voting or carries relays.
Result<Roster> approve(const Roster& roster, const Approval& approval, EditMode mode) {
  auto next = approve_key(roster, approval, mode);
  if (!next.ok()) return next;
  const auto listed = [&](const std::vector<NodeId>& ids) {
    return std::find(ids.begin(), ids.end(), approval.id) != ids.end();
  };
  // One change, one version: the later edits count theirs up again.
  const RosterVersion version = next->version;
  if (approval.roles.contains(Role::voter) && !listed(next->voters)) {
    auto voters = next->voters;
    voters.push_back(approval.id);
    next = set_voters(*next, voters);
    if (!next.ok()) return next;
  }
  if (approval.roles.contains(Role::relay) && !listed(next->relays)) {
    auto relays = next->relays;
    relays.push_back(approval.id);
    next = set_relays(*next, relays);
    if (!next.ok()) return next;
  }
  next->version = version;
  return next;
}

Result<NodeId> read_node_id(const Context& context) {
  return NodeId::parse(context.invocation.arguments.front());
}

EditMode edit_mode(const Context& context) {
  return context.invocation.has("force") ? EditMode::force : EditMode::careful;
}

bool wants_push(const Context& context) { return !context.invocation.has("no-push"); }

}  // namespace

int run_key_new(Context& context) {
  const std::string& word = context.invocation.arguments.front();
  const bool authority = context.invocation.has("authority");
  auto directory = key_directory(context, word, authority);
  if (!directory.ok()) return report(context, directory.error());
  if (context.globals().dry_run) {
    context.out << "would make a key for " << word << " in " << *directory << "\n";
    return kExitOk;
  }
  return authority ? new_authority(context, word, *directory) : new_key(context, word, *directory);
}

int run_key_approve(Context& context) {
  auto id = read_node_id(context);
  if (!id.ok()) return report(context, id.error());
  auto approval = read_approval(context, *id);
  if (!approval.ok()) return report(context, approval.error());
  RosterChange change;
  change.edit = [&](const Roster& roster) {
    return approve(roster, *approval, edit_mode(context));
  };
  change.done = id->value() + " is approved";
  change.push = wants_push(context);
  return apply_change(context, change);
}

int run_key_revoke(Context& context) {
  auto id = read_node_id(context);
  if (!id.ok()) return report(context, id.error());
  if (!context.globals().dry_run) {
    auto sure = confirm(context, "shut " + id->value() + "'s key out for ever?");
    if (!sure.ok()) return report(context, sure.error());
  }
  RosterChange change;
  change.edit = [&](const Roster& roster) { return revoke_id(roster, *id, edit_mode(context)); };
  change.done = id->value() + " is revoked";
  change.push = wants_push(context);
  change.await_all = true;
  return apply_change(context, change);
}

int run_key_rotate(Context& context) {
  auto id = read_node_id(context);
  if (!id.ok()) return report(context, id.error());
  RosterChange change;
  change.push = wants_push(context);
  if (context.invocation.has("finish")) {
    change.edit = [&](const Roster& roster) { return drop_previous_key(roster, *id); };
    change.done = "the old key of " + id->value() + " is refused from now on";
    return apply_change(context, change);
  }
  auto key = read_public_key(context, *id);
  if (!key.ok()) return report(context, key.error());
  change.edit = [&](const Roster& roster) { return rotate_key(roster, *id, *key); };
  change.done = id->value() + " has a new key; end the rotation with --finish";
  return apply_change(context, change);
}

int run_key_list(Context& context) {
  auto home = bus::load_home(home_options(context.globals()), context.environment, false);
  if (!home.ok()) return report(context, home.error());
  if (!home->roster) {
    return report(context, Error{1517, "there is no roster", home->roster_path(),
                                 "approve a first key, or copy the cluster's roster there"});
  }
  return print_roster(context, home->roster->roster);
}

}  // namespace riftbus::ctl
