#include "bus/tap/members.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace riftbus::tap {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kAddressesTriedMax = 16;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::vector<bus::Target> targets_of(const NodeId& id, const CurveKey& key, const Json& addresses) {
  std::vector<bus::Target> targets;
  for (const Json& address : addresses) {
    if (!address.is_object() || targets.size() == kAddressesTriedMax) continue;
    const std::string host = text_of(address, "host");
    const auto port = address.find("call_port");
    if (host.empty() || port == address.end() || !port->is_number_unsigned()) continue;
    const auto number = port->get<std::uint64_t>();
    if (number == 0 || number > 65535) continue;
    const bool is_relayed = text_of(address, "kind") == "relay";
    targets.push_back({id, key, host, static_cast<std::uint16_t>(number), is_relayed});
  }
  // Who names relays cannot be dialled by most.
  std::stable_partition(targets.begin(), targets.end(),
                        [](const bus::Target& target) { return target.is_relayed; });
  return targets;
}

}  // namespace

std::optional<NodePage> read_node_page(std::string_view json, const Roster* roster) {
  const Json document = Json::parse(json, nullptr, false);
  if (!document.is_object() || document.value("schema", Json()) != 1) return std::nullopt;
  const auto nodes = document.find("nodes");
  if (nodes == document.end() || !nodes->is_array()) return std::nullopt;
  NodePage page;
  page.after = text_of(document, "after");
  for (const Json& node : *nodes) {
    if (!node.is_object()) return std::nullopt;
    auto id = NodeId::parse(text_of(node, "id"));
    const std::string standing = text_of(node, "standing");
    if (!id.ok() || standing == "dead" || standing == "left") continue;
    const RosterEntry* entry = roster == nullptr ? nullptr : roster->find(*id);
    if (roster != nullptr && entry == nullptr) continue;
    const auto addresses = node.find("addresses");
    if (addresses == node.end() || !addresses->is_array()) continue;
    const CurveKey key = entry == nullptr ? CurveKey{} : entry->key;
    page.nodes.push_back({*id, targets_of(*id, key, *addresses)});
  }
  return page;
}

}  // namespace riftbus::tap
