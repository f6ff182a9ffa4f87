#include "config/yaml.h"

#include <algorithm>
#include <array>

#include "config/document_reader.h"
#include "config/legacy.h"
#include "config/settings.h"

namespace riftbus {

namespace {

constexpr std::array<std::string_view, 12> kSections{
    "listen",     "advertise", "paths",      "log",      "http",   "timing",
    "leadership", "limits",    "peer_cache", "executor", "tunnel", "relay"};
constexpr std::array<std::string_view, 7> kTopKeys{"cluster", "authority", "voters", "relays",
                                                   "seeds",   "nodes",     "jobs"};
constexpr std::array<std::string_view, 11> kNodeKeys{
    "status", "addresses",   "roles",     "failure_domain", "provider", "region",
    "tags",   "nat_blocked", "ephemeral", "relays",         "resources"};

template <class List>
bool contains(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

class ClusterReader {
 public:
  ClusterReader(const std::string& file, Diagnostics& diagnostics)
      : reader_(file, diagnostics, false) {
    cluster_.where = {file, 0, 0};
  }

  ClusterConfig read(const DocumentNode& root) {
    if (!reader_.is_map_or_null(root, "the file")) return std::move(cluster_);
    if (root.is_null()) {
      reader_.problem(1021, cluster_.where, "the file is empty",
                      "begin with \"cluster: NAME\" and \"nodes:\"");
    }
    for (const auto& entry : root.entries) read_top(entry);
    return std::move(cluster_);
  }

 private:
  void read_top(const DocumentNode::Entry& entry) {
    if (entry.key == "nodes") {
      read_nodes(entry.value);
    } else if (entry.key == "jobs") {
      cluster_.jobs = read_jobs(entry.value, reader_);
    } else if (entry.key == "relays") {
      cluster_.relays = reader_.node_ids(entry.value, "relays", &cluster_.relay_places);
    } else if (contains(kSections, entry.key)) {
      read_section(entry, false, cluster_.settings);
    } else if (contains(kTopKeys, entry.key)) {
      read_top_setting(entry);
    } else {
      std::vector<std::string_view> known(kTopKeys.begin(), kTopKeys.end());
      known.insert(known.end(), kSections.begin(), kSections.end());
      reader_.unknown_key(entry, "", known);
    }
  }

  void read_top_setting(const DocumentNode::Entry& entry) {
    if (entry.key == "voters") {
      cluster_.voters = reader_.node_ids(entry.value, "voters", &cluster_.voter_places);
      cluster_.voters_where = reader_.place(entry);
    }
    add_setting(entry.key, entry, cluster_.settings);
    if (entry.key == "cluster" && entry.value.is_scalar()) cluster_.cluster = entry.value.text;
    if (entry.key == "authority" && entry.value.is_scalar()) {
      const auto key = AuthorityKey::from_hex(entry.value.text);
      if (key) cluster_.authority = *key;
    }
  }

  void add_setting(std::string_view key, const DocumentNode::Entry& entry,
                   std::vector<SettingInput>& out) {
    const auto* spec = find_setting(key);
    RIFTBUS_CHECK(spec != nullptr);
    auto texts = reader_.setting_texts(*spec, entry.value);
    if (!texts.empty()) out.push_back({std::string(key), std::move(texts), reader_.place(entry)});
  }

  // `limits:` and its like; every key is a row of the settings table.
  void read_section(const DocumentNode::Entry& section, bool is_node,
                    std::vector<SettingInput>& out) {
    if (!reader_.is_map_or_null(section.value, section.key)) return;
    for (const auto& entry : section.value.entries) {
      const auto* spec = find_setting(section.key + "." + entry.key);
      if (spec == nullptr) {
        report_unknown_setting(section.key, entry);
      } else if (spec->scope == SettingScope::per_node && !is_node) {
        reader_.problem(1005, reader_.place(entry),
                        section.key + "." + entry.key + " differs for every node",
                        "write it under nodes, in that node's section");
      } else {
        add_setting(spec->key, entry, out);
      }
    }
  }

  void report_unknown_setting(const std::string& section, const DocumentNode::Entry& entry) {
    std::vector<std::string_view> known;
    for (const auto& spec : setting_specs()) {
      if (spec.key.starts_with(section + ".")) known.push_back(spec.key.substr(section.size() + 1));
    }
    reader_.unknown_key(entry, section, known);
  }

  void read_nodes(const DocumentNode& nodes) {
    if (!reader_.is_map_or_null(nodes, "nodes")) return;
    for (const auto& entry : nodes.entries) {
      auto id = NodeId::parse(entry.key);
      if (!id) {
        reader_.problem(1001, reader_.place(entry), id.error().what, id.error().next);
        continue;
      }
      if (!reader_.is_map_or_null(entry.value, "node " + entry.key)) continue;
      NodeConfig node;
      node.id = *id;
      node.where = reader_.place(entry);
      for (const auto& each : entry.value.entries) read_node_key(each, node);
      cluster_.nodes.emplace(*id, std::move(node));
    }
  }

  void read_node_key(const DocumentNode::Entry& entry, NodeConfig& node) {
    if (contains(kSections, entry.key)) {
      read_section(entry, true, node.settings);
    } else if (!contains(kNodeKeys, entry.key)) {
      std::vector<std::string_view> known(kNodeKeys.begin(), kNodeKeys.end());
      known.insert(known.end(), kSections.begin(), kSections.end());
      reader_.unknown_key(entry, "node " + node.id.value(), known);
    } else if (entry.key == "addresses") {
      for (const auto* item : reader_.list(entry.value, "addresses")) read_address(*item, node);
    } else if (entry.key == "roles") {
      read_roles(entry.value, node);
    } else if (entry.key == "status") {
      read_status(entry.value, node);
    } else if (entry.key == "resources") {
      read_resources(entry.value, node);
    } else {
      read_node_value(entry, node);
    }
  }

  void read_node_value(const DocumentNode::Entry& entry, NodeConfig& node) {
    const auto& value = entry.value;
    if (entry.key == "provider") node.provider = reader_.word(value, entry.key).value_or("");
    if (entry.key == "region") node.region = reader_.word(value, entry.key).value_or("");
    if (entry.key == "ephemeral") {
      node.is_ephemeral = reader_.boolean(value, entry.key).value_or(false);
    }
    if (entry.key == "nat_blocked") {
      // A wrong value is reported once, when the setting of that name is checked.
      node.nat_blocked = value.is_scalar() && parse_boolean(value.text).value_or(false);
    }
    if (entry.key == "failure_domain") {
      node.failure_domain = reader_.word(value, entry.key).value_or("");
    }
    if (entry.key == "relays") node.relays = reader_.node_ids(value, entry.key);
    if (entry.key == "tags" && value.is_map()) {
      for (const auto& tag : value.entries) {
        node.tags[tag.key] = reader_.word(tag.value, "tag").value_or("");
      }
    }
    const bool is_setting = entry.key == "failure_domain" || entry.key == "tags" ||
                            entry.key == "nat_blocked" || entry.key == "relays";
    if (is_setting) add_setting("node." + entry.key, entry, node.settings);
  }

  // A word ("192.0.2.7" or "192.0.2.7:7770") or a mapping.
  void read_address(const DocumentNode& item, NodeConfig& node) {
    NodeAddress address;
    if (item.is_scalar()) {
      const auto endpoint = parse_endpoint(item.text);
      if (!endpoint || endpoint->is_http) {
        reader_.problem(1009, reader_.place(item),
                        "not an address: \"" + item.text.substr(0, 80) + "\"",
                        "write host, host:port or {host: H, router_port: P, pub_port: Q}");
        return;
      }
      address.host = endpoint->host;
      address.kind = classify_host(address.host);
      address.router_port = endpoint->port.value_or(kRouterPort);
      // One written port means the pair: PUB is the next one, as in the default pair.
      if (endpoint->port) {
        address.pub_port =
            static_cast<std::uint16_t>(*endpoint->port == 65535 ? 65534 : *endpoint->port + 1);
      }
    } else if (!read_address_map(item, address)) {
      return;
    }
    node.addresses.push_back(std::move(address));
  }

  bool read_address_map(const DocumentNode& item, NodeAddress& address) {
    constexpr std::array<std::string_view, 4> kKeys{"kind", "host", "router_port", "pub_port"};
    if (!item.is_map()) {
      reader_.problem(1007, reader_.place(item), "an address is " + std::string(item.kind_text()),
                      "write host, host:port or {host: H, router_port: P, pub_port: Q}");
      return false;
    }
    for (const auto& entry : item.entries) {
      if (!contains(kKeys, entry.key)) reader_.unknown_key(entry, "an address", kKeys);
    }
    const auto* host = item.find("host");
    if (host == nullptr || !host->is_scalar() || !is_valid_host(host->text)) {
      reader_.problem(1009, reader_.place(host != nullptr ? *host : item),
                      "the address has no usable host", "write host: NAME or host: IP");
      return false;
    }
    address.host = host->text;
    address.kind = classify_host(host->text);
    if (const auto* kind = item.find("kind")) read_kind(*kind, address);
    read_port(item, "router_port", address.router_port);
    read_port(item, "pub_port", address.pub_port);
    return true;
  }

  void read_kind(const DocumentNode& node, NodeAddress& address) {
    const auto text = reader_.word(node, "kind");
    if (!text) return;
    const auto kind = parse_address_kind(*text);
    if (kind) {
      address.kind = *kind;
    } else {
      reader_.problem(1008, reader_.place(node), "unknown kind \"" + text->substr(0, 40) + "\"",
                      "choose public, lan, tailscale or loopback, or leave it out");
    }
  }

  void read_port(const DocumentNode& item, std::string_view key, std::uint16_t& port) {
    const auto* node = item.find(key);
    if (node == nullptr) return;
    const auto value = reader_.integer(*node, key, 1, 65535);
    if (value) port = static_cast<std::uint16_t>(*value);
  }

  void read_roles(const DocumentNode& value, NodeConfig& node) {
    for (const auto* item : reader_.list(value, "roles")) {
      const auto text = reader_.word(*item, "roles");
      if (!text) continue;
      const auto role = parse_role(*text);
      if (role && (*role == Role::node || *role == Role::voter || *role == Role::relay)) {
        node.roles.insert(*role);
      } else {
        reader_.problem(1008, reader_.place(*item),
                        "\"" + text->substr(0, 40) + "\" is not a node's role",
                        "choose node, voter or relay");
      }
    }
  }

  void read_status(const DocumentNode& value, NodeConfig& node) {
    const auto text = reader_.word(value, "status");
    if (!text) return;
    const auto status = parse_node_status(*text);
    if (status) {
      node.status = *status;
    } else {
      reader_.problem(1008, reader_.place(value), "unknown status \"" + text->substr(0, 40) + "\"",
                      "choose ready, setup, offline, proxy_only or retired");
    }
  }

  void read_resources(const DocumentNode& value, NodeConfig& node) {
    constexpr std::array<std::string_view, 4> kKeys{"cpus", "memory_gb", "gpu", "gpu_vram_gb"};
    if (!reader_.is_map_or_null(value, "resources")) return;
    for (const auto& entry : value.entries) {
      const auto number = [&](std::int64_t& target) {
        const auto read = reader_.integer(entry.value, entry.key, 0, 1'000'000);
        if (read) target = *read;
      };
      if (entry.key == "cpus") {
        number(node.resources.cpus);
      } else if (entry.key == "memory_gb") {
        number(node.resources.memory_gb);
      } else if (entry.key == "gpu_vram_gb") {
        number(node.resources.gpu_vram_gb);
      } else if (entry.key == "gpu") {
        node.resources.gpu = reader_.word(entry.value, "gpu").value_or("");
      } else {
        reader_.unknown_key(entry, "resources", kKeys);
      }
    }
  }

  DocumentReader reader_;
  ClusterConfig cluster_;
};

}  // namespace

ClusterConfig read_cluster_yaml(const DocumentNode& root, const std::string& file,
                                Diagnostics& diagnostics) {
  return ClusterReader(file, diagnostics).read(root);
}

ClusterConfig parse_cluster_file(std::string_view text, const std::string& file,
                                 Diagnostics& diagnostics) {
  const auto root = parse_document(text, file, diagnostics);
  if (!root) {
    ClusterConfig nothing;
    nothing.where = {file, 0, 0};
    return nothing;
  }
  return is_distributed_hosts(*root) ? read_distributed_hosts(*root, file, diagnostics)
                                     : read_cluster_yaml(*root, file, diagnostics);
}

}  // namespace riftbus
