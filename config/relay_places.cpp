#include "config/relay_places.h"

#include <algorithm>

#include "config/settings.h"

namespace riftbus {

namespace {

// A value that is wrong was reported when the file was checked; the default stands for it.
void apply_relay_settings(const std::vector<SettingInput>& inputs, NodeSettings& node) {
  for (const auto& input : inputs) {
    if (!input.key.starts_with("relay.") || input.texts.empty()) continue;
    const auto* spec = find_setting(input.key);
    if (spec != nullptr) static_cast<void>(spec->assign(node, input.texts));
  }
}

}  // namespace

std::vector<RelayPlace> relay_places(const ClusterConfig& cluster, const std::vector<NodeId>& ids) {
  std::vector<RelayPlace> places;
  for (const auto& id : ids) {
    const auto* node = cluster.find(id);
    if (node == nullptr || node->status == NodeStatus::retired || node->nat_blocked) continue;
    NodeSettings settings;
    apply_relay_settings(cluster.settings, settings);
    apply_relay_settings(node->settings, settings);
    RelayPlace place{id,
                     node->domain(),
                     {},
                     settings.relay.ssh_port,
                     settings.relay.front_port,
                     settings.relay.pins,
                     settings.relay.carry};
    for (const auto& address : node->addresses) {
      const auto& known = place.hosts;
      if (std::find(known.begin(), known.end(), address.host) == known.end()) {
        place.hosts.push_back(address.host);
      }
    }
    if (!place.hosts.empty()) places.push_back(std::move(place));
  }
  return places;
}

std::vector<RelayPlace> relay_places_for(const ClusterConfig& cluster, const NodeId& node) {
  const auto* own = cluster.find(node);
  const bool has_own = own != nullptr && !own->relays.empty();
  return relay_places(cluster, has_own ? own->relays : cluster.relays);
}

std::string tunnel_file_of(const NodeId& relay) { return "tunnel-" + relay.value() + ".json"; }

std::optional<std::string> carry_socket_of(const std::string& data_dir, const NodeId& relay) {
  std::string path = data_dir + "/carry-" + relay.value() + ".sock";
  return path.size() <= kSocketPathBytesMax ? std::optional(std::move(path)) : std::nullopt;
}

}  // namespace riftbus
