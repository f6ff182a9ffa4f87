#include "bus/targets.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "config/relay_places.h"

namespace riftbus::bus {

namespace {

CurveKey key_of(const NodeId& id, const KnownNodes& known) {
  const RosterEntry* entry = known.roster ? known.roster->find(id) : nullptr;
  return entry ? entry->key : CurveKey{};
}

bool is_listed(const NodeId& id, const KnownNodes& known) {
  return known.roster == nullptr || known.roster->find(id) != nullptr;
}

void add(const Target& target, std::vector<Target>& out) {
  if (out.size() == kTargetsMax) return;
  if (std::find(out.begin(), out.end(), target) == out.end()) out.push_back(target);
}

// To an operator elsewhere its own addresses are of no use; beside it they still are.
void add_relays(const NodeConfig& node, const KnownNodes& known, std::vector<Target>& out) {
  for (const auto& relay : relay_places_for(*known.cluster, node.id)) {
    for (const auto& host : relay.hosts) {
      add({node.id, key_of(node.id, known), host, relay.front_port, true}, out);
    }
  }
}

void add_node(const NodeConfig& node, const KnownNodes& known, bool loopback_only,
              std::vector<Target>& out) {
  if (!is_listed(node.id, known)) return;
  if (node.nat_blocked && !loopback_only) add_relays(node, known, out);
  for (const auto& address : node.addresses) {
    if (loopback_only && address.kind != AddressKind::loopback) continue;
    add({node.id, key_of(node.id, known), address.host, address.router_port}, out);
  }
}

Error not_in_roster(const NodeId& id) {
  return Error{1504, "your roster does not name \"" + id.value() + "\"", "",
               "see riftbus key list; a roster that is old is renewed by asking another node"};
}

Result<std::vector<Target>> by_id(const NodeId& id, const KnownNodes& known) {
  if (!is_listed(id, known)) return not_in_roster(id);
  std::vector<Target> out;
  const NodeConfig* node = known.cluster ? known.cluster->find(id) : nullptr;
  if (node != nullptr) add_node(*node, known, false, out);
  // Ids are often host names too.
  if (out.empty()) add({id, key_of(id, known), id.value(), kRouterPort}, out);
  return out;
}

// Whoever the cluster file puts at that address; else every member's key is tried there.
Result<std::vector<Target>> by_address(const Endpoint& endpoint, const KnownNodes& known) {
  const std::uint16_t port = endpoint.port.value_or(kRouterPort);
  std::vector<Target> out;
  if (known.cluster != nullptr) {
    for (const auto& [id, node] : known.cluster->nodes) {
      const bool there = std::any_of(
          node.addresses.begin(), node.addresses.end(), [&](const NodeAddress& address) {
            return address.host == endpoint.host && address.router_port == port;
          });
      if (there && is_listed(id, known)) add({id, key_of(id, known), endpoint.host, port}, out);
    }
  }
  if (!out.empty()) return out;
  if (known.roster == nullptr) {
    add({*NodeId::parse("node"), CurveKey{}, endpoint.host, port}, out);
    return out;
  }
  for (const auto& [id, entry] : known.roster->entries) {
    if (entry.has(Role::node) || entry.has(Role::voter)) {
      add({id, entry.key, endpoint.host, port}, out);
    }
  }
  if (out.empty() || out.size() > kKeysTriedMax) {
    return Error{1506, "which node is at " + endpoint.host + ":" + std::to_string(port) + "?", "",
                 "write --node ID@HOST:PORT: the node's key is looked up by its id"};
  }
  return out;
}

Result<std::vector<Target>> by_id_and_address(std::string_view text, std::size_t at,
                                              const KnownNodes& known) {
  auto id = NodeId::parse(text.substr(0, at));
  if (!id.ok()) return id.error();
  auto endpoint = parse_endpoint(text.substr(at + 1));
  if (!endpoint.ok()) return endpoint.error();
  if (!is_listed(*id, known)) return not_in_roster(*id);
  return std::vector<Target>{
      {*id, key_of(*id, known), endpoint->host, endpoint->port.value_or(kRouterPort)}};
}

// While a key is rotated its node may still run with the one before.
std::vector<Target> with_previous_keys(const std::vector<Target>& targets,
                                       const KnownNodes& known) {
  std::vector<Target> out;
  for (const auto& target : targets) {
    add(target, out);
    const RosterEntry* entry = known.roster ? known.roster->find(target.id) : nullptr;
    if (entry == nullptr || !entry->previous_key) continue;
    Target before = target;
    before.key = *entry->previous_key;
    add(before, out);
  }
  return out;
}

Result<std::vector<Target>> find_named(std::string_view text, const KnownNodes& known) {
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    return by_id_and_address(text, at, known);
  }
  if (auto id = NodeId::parse(text); id.ok()) {
    const bool configured = known.cluster != nullptr && known.cluster->find(*id) != nullptr;
    const bool listed = known.roster != nullptr && known.roster->find(*id) != nullptr;
    // "10.0.0.7" is a valid id as well; what nobody calls so is an address.
    if (configured || listed || !is_ip_literal(text)) return by_id(*id, known);
  }
  auto endpoint = parse_endpoint(text);
  if (!endpoint.ok()) return endpoint.error();
  return by_address(*endpoint, known);
}

}  // namespace

Result<std::vector<Target>> named_targets(std::string_view text, const KnownNodes& known) {
  auto found = find_named(text, known);
  if (!found.ok()) return found;
  return with_previous_keys(*found, known);
}

Result<std::vector<Target>> default_targets(const KnownNodes& known, std::string_view hostname) {
  std::vector<Target> out;
  if (known.cluster != nullptr) {
    for (const auto& [id, node] : known.cluster->nodes) add_node(node, known, true, out);
  }
  if (auto self = NodeId::parse(hostname); self.ok() && known.roster && known.roster->find(*self)) {
    add({*self, key_of(*self, known), "127.0.0.1", kRouterPort}, out);
  }
  if (known.cluster != nullptr) {
    for (const auto& voter : known.cluster->voters) {
      if (const auto* node = known.cluster->find(voter)) add_node(*node, known, false, out);
    }
    for (const auto& [id, node] : known.cluster->nodes) add_node(node, known, false, out);
  }
  if (!out.empty()) return with_previous_keys(out, known);
  return by_address({"127.0.0.1", kRouterPort, false}, known);
}

std::string to_string(const Target& target) {
  const bool is_v6 = target.host.find(':') != std::string::npos;
  const std::string host = is_v6 ? "[" + target.host + "]" : target.host;
  const std::string place = host + ":" + std::to_string(target.port);
  return target.id.value() + (target.is_relayed ? " through the relay at " : " at ") + place;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "";
  const std::string full(name.data());
  return full.substr(0, full.find('.'));
}

}  // namespace riftbus::bus
