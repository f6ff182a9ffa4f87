#include "node/ctl/session.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <zmq.hpp>

namespace riftbus::ctl {

namespace {

// One of several targets gets this long before the next is tried.
constexpr Millis kTryMax{1500};
constexpr std::uint16_t kConnectionLost = 1364;
constexpr std::size_t kPagesMax = 64;

Result<Json> document_of(const Result<wire::Body>& body, const NodeId& node) {
  if (!body.ok()) return body.error();
  if (const auto* answer = std::get_if<wire::Answer>(&*body)) {
    return parse_document(answer->json, node.value());
  }
  return Error{1507, std::string("the answer is a ") + wire::to_string(wire::kind_of(*body)),
               node.value(), "compare `riftbus version` with the node's software"};
}

// Several failures: the first one speaks for all, the others are named.
Error nobody_answered(const std::vector<Error>& errors, const std::vector<bus::Target>& targets) {
  Error error = errors.front();
  if (error.where.empty()) error.where = to_string(targets.front());
  if (targets.size() == 1) return error;
  Error all{1506, "none of " + std::to_string(targets.size()) + " nodes answered", "",
            "is a node running here? start one, or name one with --node"};
  for (std::size_t i = 0; i < targets.size() && i < 4; ++i) {
    all.where += (i == 0 ? "" : "; ") + to_string(targets[i]) + ": " + errors[i].what;
  }
  return all;
}

Result<std::vector<bus::Target>> choose_targets(const Context& context,
                                                const bus::KnownNodes& known) {
  const auto from_environment = context.environment.find("RIFTBUS_NODE");
  if (context.globals().node) return bus::named_targets(*context.globals().node, known);
  if (from_environment != context.environment.end()) {
    return bus::named_targets(from_environment->second, known);
  }
  return bus::default_targets(known, bus::host_name());
}

Error nowhere(const NodeId& node) {
  return {1504, "no address of it is known, or your roster does not name it", node.value(),
          "see riftbus node list"};
}

}  // namespace

bool may_pass(const Error& error) {
  const int status = exit_status_of(error);
  return status == kExitTemporary || status == kExitUnavailable;
}

struct Session::Link {
  Link(const KeyPair* keys, const NodeId& self) : client(context, keys, self) {}
  zmq::context_t context;
  bus::Client client;
};

Session::Session(bus::OperatorHome home, Millis timeout, bool insecure)
    : home_(std::move(home)), timeout_(timeout), insecure_(insecure) {
  link_ = std::make_unique<Link>(keys(), self());
}

Session::~Session() = default;

const KeyPair* Session::keys() const { return insecure_ ? nullptr : &home_.identity->keys; }

NodeId Session::self() const { return insecure_ ? *NodeId::parse("operator") : home_.identity->id; }

Result<std::unique_ptr<Session>> Session::open(const Context& context,
                                               std::optional<Millis> timeout) {
  auto home = bus::load_caller_home(home_options(context.globals()), context.environment);
  if (!home.ok()) return home.error();
  auto targets = choose_targets(context, home->known_nodes());
  if (!targets.ok()) return targets.error();
  std::unique_ptr<Session> session(new Session(
      std::move(*home), timeout.value_or(context.globals().timeout), context.globals().insecure));
  if (auto status = session->connect(*targets); !status.ok()) return status.error();
  return session;
}

Status Session::connect(const std::vector<bus::Target>& targets) {
  std::vector<Error> errors;
  const Millis each = targets.size() == 1 ? timeout_ : std::min(timeout_, kTryMax);
  for (const auto& target : targets) {
    auto greeting = link_->client.connect(target, each);
    if (!greeting.ok()) {
      errors.push_back(greeting.error());
      continue;
    }
    entry_ = target;
    const bool newer = home_.roster && greeting->roster > home_.roster->roster.version;
    // Old keys still reach this node; what the command needs of the new ones fails by itself.
    if (newer) (void)refresh_roster();
    return Ok{};
  }
  return nobody_answered(errors, targets);
}

Status Session::refresh_roster() {
  const RosterVersion have = home_.roster ? home_.roster->roster.version : RosterVersion();
  auto body = call(wire::RosterGet{have});
  if (!body.ok()) return body.error();
  const auto* document = std::get_if<wire::RosterDocument>(&*body);
  if (document == nullptr || document->bytes.empty() || !home_.authority) return Ok{};
  auto roster =
      verify_newer_roster(document->bytes, home_.authority->key, home_.authority->cluster, have);
  if (!roster.ok()) return roster.error();
  home_.roster = std::move(*roster);
  return save_roster_file(home_.roster_path(), *home_.roster);
}

Result<wire::Body> Session::call(wire::Body request) {
  auto answer = link_->client.call(entry_.id, request, timeout_);
  if (answer.ok() || answer.error().code != kConnectionLost) return answer;
  auto greeting = link_->client.connect(entry_, timeout_);
  if (!greeting.ok()) return greeting.error();
  return link_->client.call(entry_.id, std::move(request), timeout_);
}

Result<Json> Session::ask(const std::string& query, const Arguments& arguments) {
  return document_of(call(wire::Query{query, arguments}), entry_.id);
}

Status Session::follow_leader() {
  auto shown = ask("leader.show");
  if (!shown.ok()) return shown.error();
  const auto leader = NodeId::parse(text(*shown, {"leader"}));
  return leader.ok() ? move_to(*leader) : Ok{};
}

Status Session::move_to(const NodeId& node) {
  if (node == entry_.id) return Ok{};
  auto list = ask_list("node.list", "nodes");
  if (!list.ok()) return list.error();
  const auto targets = targets_of(node, *list);
  if (targets.empty()) return nowhere(node);
  return connect(targets);
}

Result<Json> Session::ask_list(const std::string& query, const std::string& list_name) {
  auto whole = ask(query);
  if (!whole.ok()) return whole;
  std::string after = text(*whole, {"after"});
  for (std::size_t page = 1; !after.empty() && page < kPagesMax; ++page) {
    auto next = ask(query, {{"after", after}});
    if (!next.ok()) return next;
    for (const auto& item : get(*next, {list_name})) (*whole)[list_name].push_back(item);
    after = text(*next, {"after"});
  }
  whole->erase("after");
  return whole;
}

std::vector<bus::Target> Session::targets_of(const NodeId& node, const Json& node_list) const {
  const RosterEntry* entry = home_.roster ? home_.roster->roster.find(node) : nullptr;
  const CurveKey key = entry ? entry->key : CurveKey{};
  std::vector<bus::Target> targets;
  if (entry == nullptr && !insecure_) return targets;
  for (const auto& member : get(node_list, {"nodes"})) {
    if (text(member, {"id"}) != node.value()) continue;
    for (const auto& address : get(member, {"addresses"})) {
      const auto port = integer(address, {"call_port"}).value_or(0);
      if (port < 1 || port > 65535) continue;
      targets.push_back({node, key, text(address, {"host"}), static_cast<std::uint16_t>(port),
                         text(address, {"kind"}) == "relay"});
    }
  }
  // Who names relays cannot be dialled by most: its own addresses would cost their whole timeout.
  std::stable_partition(targets.begin(), targets.end(),
                        [](const bus::Target& target) { return target.is_relayed; });
  return targets;
}

Result<Json> Session::ask_directly(const std::vector<bus::Target>& targets,
                                   const wire::Query& query) {
  Error error{1506, "not asked", "", ""};
  bus::Client client(link_->context, keys(), self());
  const Millis each = std::min(timeout_, kTryMax);
  for (const auto& target : targets) {
    auto greeting = client.connect(target, each);
    if (greeting.ok()) {
      return document_of(client.call(target.id, query, timeout_), target.id);
    }
    error = greeting.error();
  }
  return error;
}

std::vector<Said> Session::ask_many(const std::vector<NodeId>& nodes, const Json& node_list,
                                    const std::string& query, const Arguments& arguments) {
  std::vector<Said> said;
  for (const auto& node : nodes) said.push_back({node, Error{1506, "not asked", "", ""}});
  // Dead ones cost their whole timeout, so they are asked side by side; each thread writes elements
  // of its own and shares nothing else but constant data.
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  while (threads.size() < std::min(said.size(), kAskedMax)) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < said.size(); i = next++) {
        const auto targets = targets_of(said[i].node, node_list);
        said[i].answer =
            targets.empty() ? nowhere(said[i].node) : ask_directly(targets, {query, arguments});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return said;
}

}  // namespace riftbus::ctl
