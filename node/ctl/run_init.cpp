// init NAME: a whole cluster on loopback, for a first look and for tests.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include "bus/durable_file.h"
#include "bus/key_files.h"
#include "bus/roster_file.h"
#include "config/roster_edit.h"
#include "config/settings.h"
#include "node/ctl/commands.h"
#include "node/ctl/context.h"

namespace riftbus::ctl {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kInitNodesMax = 500;
constexpr std::uint64_t kPortsEach = 10;
constexpr std::uint64_t kVotersMax = 9;  // more of them only make every write slower
constexpr const char* kOperatorId = "operator";

struct Plan {
  NodeId cluster;
  std::vector<NodeId> nodes;
  std::string directory;  // absolute
  std::uint64_t port = 0;
  std::uint64_t voters_max = 5;

  [[nodiscard]] std::string operator_directory() const { return directory + "/operator"; }
  [[nodiscard]] std::string node_directory(const NodeId& id) const {
    return directory + "/" + id.value();
  }
  // An odd number: one voter more would survive no more failures.
  [[nodiscard]] std::vector<NodeId> voters() const {
    const std::size_t count = std::min<std::size_t>(nodes.size(), voters_max);
    return {nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>((count - 1) / 2 * 2 + 1)};
  }
};

// "a,b,c", each a node id. 1001 else.
Result<std::vector<NodeId>> parse_ids(std::string_view text) {
  std::vector<NodeId> ids;
  for (const auto& word : split_list(text)) {
    auto id = NodeId::parse(word);
    if (!id.ok()) return id.error();
    ids.push_back(std::move(*id));
  }
  return ids;
}

Result<Plan> read_plan(const Context& context) {
  const Invocation& invocation = context.invocation;
  Plan plan;
  auto cluster = NodeId::parse(invocation.arguments.front());
  if (!cluster.ok()) return cluster.error();
  plan.cluster = *cluster;
  auto nodes = parse_ids(invocation.find("nodes").value_or("n1,n2,n3"));
  if (!nodes.ok()) return nodes.error();
  plan.nodes = *nodes;
  const bool reserved = std::any_of(nodes->begin(), nodes->end(),
                                    [](const NodeId& id) { return id.value() == kOperatorId; });
  if (nodes->empty() || nodes->size() > kInitNodesMax || reserved) {
    return Error{1501, "--nodes is not usable", "",
                 "give 1 to 500 names other than \"operator\", parted by commas"};
  }
  const std::uint64_t highest = 65'535 - kPortsEach * nodes->size();
  auto port = parse_count(invocation.find("port").value_or("7770"), "--port", 1, highest);
  if (!port.ok()) return port.error();
  plan.port = *port;
  auto voters = parse_count(invocation.find("voters").value_or("5"), "--voters", 1, kVotersMax);
  if (!voters.ok()) return voters.error();
  plan.voters_max = *voters;
  std::error_code failed;
  plan.directory =
      fs::absolute(invocation.find("dir").value_or(plan.cluster.value()), failed).string();
  if (!failed) return plan;
  return Error{1516, "the directory cannot be named: " + failed.message(), "", ""};
}

std::string cluster_yaml(const Plan& plan, const AuthorityKey& authority) {
  std::string text = "# Made by `riftbus init`: " + std::to_string(plan.nodes.size()) +
                     " nodes on this machine's loopback.\ncluster: " + plan.cluster.value() +
                     "\nauthority: " + authority.hex() + "\nvoters: [";
  for (const auto& voter : plan.voters()) {
    text += (text.back() == '[' ? "" : ", ") + voter.value();
  }
  text += "]\nnodes:\n";
  std::uint64_t port = plan.port;
  for (const auto& id : plan.nodes) {
    text += "  " + id.value() + ":\n    addresses: [\"127.0.0.1:" + std::to_string(port) +
            "\"]\n    listen: {http_port: " + std::to_string(port + 2) +
            "}\n    http: {health_port: " + std::to_string(port + 3) +
            "}\n    paths: {data_dir: \"" + plan.node_directory(id) + "\"}\n";
    port += kPortsEach;
  }
  return text;
}

// Admits one key and hands on the roster, all under one version at the end.
Status admit(Roster& roster, const PublicIdentity& identity, std::set<Role> roles) {
  auto next = approve_key(roster, {identity.id, identity.key, std::move(roles), std::nullopt, ""});
  if (!next.ok()) return next.error();
  roster = std::move(*next);
  return Ok{};
}

Result<Roster> make_keys(const Plan& plan) {
  auto roster = make_empty_roster(plan.cluster.value());
  if (!roster.ok()) return roster;
  const auto voters = plan.voters();
  for (const auto& id : plan.nodes) {
    auto made = create_node_key(plan.node_directory(id) + "/keys", id);
    if (!made.ok()) return made.error();
    std::set<Role> roles{Role::node};
    if (std::find(voters.begin(), voters.end(), id) != voters.end()) roles.insert(Role::voter);
    if (auto status = admit(*roster, *made, roles); !status.ok()) return status.error();
  }
  auto own = create_node_key(plan.operator_directory(), *NodeId::parse(kOperatorId));
  if (!own.ok()) return own.error();
  if (auto status = admit(*roster, *own, {Role::admin, Role::tap}); !status.ok()) {
    return status.error();
  }
  auto done = set_voters(*roster, voters);
  if (done.ok()) done->version = RosterVersion(1);
  return done;
}

// Everything but the keys, which are there already.
Status write_files(const Plan& plan, const Roster& roster, const Authority& authority) {
  const SignedRoster signed_roster = sign_roster(roster, authority.secret);
  std::vector<std::string> folders{plan.operator_directory()};
  for (const auto& id : plan.nodes) folders.push_back(plan.node_directory(id));
  for (const auto& folder : folders) {
    auto saved = save_roster_file(folder + "/" + kRosterFile, signed_roster);
    if (!saved.ok()) return saved;
  }
  const std::string yaml = cluster_yaml(plan, authority.secret.public_key());
  auto own = create_file(plan.operator_directory() + "/cluster.yaml", yaml, FilePrivacy::shared);
  if (!own.ok()) return own;
  return create_file(plan.directory + "/cluster.yaml", yaml, FilePrivacy::shared);
}

Status set_up(const Plan& plan) {
  std::error_code ignored;
  if (fs::exists(plan.directory, ignored) && !fs::is_empty(plan.directory, ignored)) {
    return Error{1511, "there is something already", plan.directory,
                 "name an empty directory with --dir"};
  }
  if (auto made = make_private_directory(plan.directory); !made.ok()) return made;
  auto created = create_authority(plan.operator_directory(), plan.cluster.value());
  if (!created.ok()) return created.error();
  auto authority = load_authority(plan.operator_directory());
  if (!authority.ok()) return authority.error();
  auto roster = make_keys(plan);
  if (!roster.ok()) return roster.error();
  return write_files(plan, *roster, *authority);
}

}  // namespace

int run_init(Context& context) {
  auto plan = read_plan(context);
  if (!plan.ok()) return report(context, plan.error());
  if (context.globals().dry_run) {
    context.out << "would set up " << plan->nodes.size() << " nodes in " << plan->directory << "\n";
    return kExitOk;
  }
  if (auto status = set_up(*plan); !status.ok()) return report(context, status.error());
  context.out << "cluster " << plan->cluster.value() << " is set up in " << plan->directory << "\n"
              << "next, for each node:\n";
  for (const auto& id : plan->nodes) {
    context.out << "  riftbus-node --config " << plan->directory << "/cluster.yaml --node-id "
                << id.value() << "\n";
  }
  context.out << "and then:\n  riftbus status --key " << plan->operator_directory() << "\n";
  return kExitOk;
}

}  // namespace riftbus::ctl
