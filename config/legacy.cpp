#include "config/legacy.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "config/document_reader.h"

namespace riftbus {

namespace {

struct ProviderKey {
  std::string_view key;
  std::string_view provider;
};
constexpr std::array<ProviderKey, 7> kProviderKeys{{{"vast_instance_id", "vast"},
                                                    {"runpod_id", "runpod"},
                                                    {"nebius_id", "nebius"},
                                                    {"hetzner_id", "hetzner"},
                                                    {"vultr_id", "vultr"},
                                                    {"aws_instance_id", "aws"},
                                                    {"lambda_id", "lambda"}}};
constexpr std::array<std::string_view, 4> kRelayKeys{"relay_primary", "relay_secondary",
                                                     "relay_tertiary", "relay_quaternary"};

std::string guess_provider(const NodeId& id, const DocumentNode& host) {
  for (const auto& [key, provider] : kProviderKeys) {
    const auto* value = host.find(key);
    if (value != nullptr && value->is_scalar()) return std::string(provider);
  }
  for (const auto& [key, provider] : kProviderKeys) {
    if (id.value().starts_with(std::string(provider) + "-")) return std::string(provider);
  }
  return "";
}

class HostsReader {
 public:
  HostsReader(const std::string& file, Diagnostics& diagnostics)
      : reader_(file, diagnostics, true) {
    cluster_.where = {file, 0, 0};
    cluster_.is_legacy = true;
  }

  ClusterConfig read(const DocumentNode& root) {
    if (const auto* hosts = root.find("hosts")) read_hosts(*hosts);
    if (const auto* protocols = root.find("protocols")) read_protocols(*protocols);
    read_voters(root.find("p2p_voters"));
    return std::move(cluster_);
  }

 private:
  void read_hosts(const DocumentNode& hosts) {
    if (!reader_.is_map_or_null(hosts, "hosts")) return;
    for (const auto& entry : hosts.entries) {
      const auto id = NodeId::parse(entry.key);
      if (!id) {
        reader_.problem(1001, reader_.place(entry), "host " + id.error().what, id.error().next);
      } else if (reader_.is_map_or_null(entry.value, "host " + entry.key)) {
        read_host(*id, entry);
      }
    }
  }

  void read_host(const NodeId& id, const DocumentNode::Entry& entry) {
    const DocumentNode& host = entry.value;
    NodeConfig node;
    node.id = id;
    node.where = reader_.place(entry);
    node.provider = guess_provider(id, host);
    node.region = text_of(host, "region");
    node.is_ephemeral = is_true(host, "is_ephemeral");
    node.nat_blocked = is_true(host, "nat_blocked") || is_true(host, "force_relay_mode");
    if (node.nat_blocked) add_flag_setting(host, node);
    read_status(host, node);
    read_addresses(host, node);
    read_relays(host, node);
    read_resources(host, node);
    const auto role = text_of(host, "role");
    if (!role.empty()) node.tags["role"] = role;
    if (!node.region.empty()) node.tags["region"] = node.region;
    if (is_true(host, "is_container")) node.tags["container"] = "true";
    if (is_true(host, "p2p_voter") || is_true(host, "voter")) flagged_voters_.push_back(id);
    add_tag_setting(entry, node);
    cluster_.nodes.emplace(id, std::move(node));
  }

  // nat_blocked and force_relay_mode both mean: others cannot dial it.
  void add_flag_setting(const DocumentNode& host, NodeConfig& node) {
    const auto* key = is_true(host, "nat_blocked") ? "nat_blocked" : "force_relay_mode";
    node.settings.push_back({"node.nat_blocked", {"true"}, reader_.place(*host.find(key))});
  }

  void add_tag_setting(const DocumentNode::Entry& entry, NodeConfig& node) {
    SettingInput input{"node.tags", {}, reader_.place(entry)};
    for (const auto& [key, value] : node.tags) input.texts.push_back(key + "=" + value);
    if (!input.texts.empty()) node.settings.push_back(std::move(input));
  }

  std::string text_of(const DocumentNode& host, std::string_view key) {
    const auto* value = host.find(key);
    return value == nullptr ? "" : reader_.word(*value, key).value_or("");
  }

  bool is_true(const DocumentNode& host, std::string_view key) {
    const auto* value = host.find(key);
    return value != nullptr && reader_.boolean(*value, key).value_or(false);
  }

  void read_status(const DocumentNode& host, NodeConfig& node) {
    const auto* value = host.find("status");
    const auto text = text_of(host, "status");
    const auto status = parse_node_status(text);
    if (status) {
      node.status = *status;
    } else if (!text.empty()) {
      node.status = NodeStatus::offline;
      reader_.problem(1008, reader_.place(*value), "unknown status \"" + text.substr(0, 40) + "\"",
                      "the host counts as offline; choose ready, setup, offline, proxy_only or "
                      "retired");
    }
    const auto* enabled = host.find("p2p_enabled");
    const bool is_member =
        enabled == nullptr || reader_.boolean(*enabled, "p2p_enabled").value_or(true);
    if (!is_member && node.status == NodeStatus::ready) node.status = NodeStatus::offline;
  }

  void read_addresses(const DocumentNode& host, NodeConfig& node) {
    add_address(host, "p2p_public_host", node, false);
    add_address(host, "ssh_host", node, false);
    add_address(host, "tailscale_ip", node, true);
  }

  void add_address(const DocumentNode& host, std::string_view key, NodeConfig& node,
                   bool must_be_tailscale) {
    const auto* value = host.find(key);
    const auto text = text_of(host, key);
    if (text.empty()) return;
    const bool is_address = must_be_tailscale ? is_ip_literal(text) : is_valid_host(text);
    if (!is_address || is_wildcard_host(text)) {
      reader_.problem(1009, reader_.place(*value),
                      std::string(key) + " of " + node.id.value() + " is not an address: \"" +
                          text.substr(0, 60) + "\"",
                      "correct or remove it; the host's other addresses are used");
      return;
    }
    NodeAddress address{classify_host(text), text, kRouterPort, kPubPort};
    if (must_be_tailscale && address.kind != AddressKind::tailscale) {
      reader_.problem(
          1009, reader_.place(*value),
          "tailscale_ip of " + node.id.value() + ", " + text + ", is outside 100.64.0.0/10",
          "it is used as a " + std::string(to_string(address.kind)) + " address");
    }
    const bool is_known = std::any_of(node.addresses.begin(), node.addresses.end(),
                                      [&](const auto& each) { return each.host == text; });
    if (!is_known) node.addresses.push_back(std::move(address));
  }

  void read_relays(const DocumentNode& host, NodeConfig& node) {
    SettingInput input{"node.relays", {}, {}};
    for (const auto key : kRelayKeys) {
      const auto* value = host.find(key);
      if (value == nullptr) continue;
      const auto relay = reader_.node_id(*value, key);
      if (!relay) continue;
      if (input.texts.empty()) input.where = reader_.place(*value);
      node.relays.push_back(*relay);
      input.texts.push_back(relay->value());
    }
    if (!input.texts.empty()) node.settings.push_back(std::move(input));
    if (!is_true(host, "relay_capable")) return;
    node.roles.insert(Role::relay);
    if (node.status == NodeStatus::ready) cluster_.relays.push_back(node.id);
  }

  void read_resources(const DocumentNode& host, NodeConfig& node) {
    const auto number = [&](std::string_view key) -> std::int64_t {
      const auto* value = host.find(key);
      if (value == nullptr) return 0;
      return reader_.integer(*value, key, 0, 1'000'000).value_or(0);
    };
    node.resources.cpus = number("cpus");
    node.resources.memory_gb = number("memory_gb");
    node.resources.gpu_vram_gb = number("gpu_vram_gb");
    node.resources.gpu = text_of(host, "gpu");
    if (node.resources.gpu == "none") node.resources.gpu.clear();
  }

  // Who campaigned first carries over: "bully" unless it says otherwise, as it was.
  void read_policy(const DocumentNode& protocols) {
    const auto* mode = protocols.find("consensus_mode");
    const auto* raft = protocols.find("raft");
    const auto* enabled = raft == nullptr ? nullptr : raft->find("enabled");
    if (mode != nullptr) {
      const auto policy = text_of(protocols, "consensus_mode");
      if (policy == "raft" || policy == "bully" || policy == "hybrid") {
        cluster_.settings.push_back({"leadership.policy", {policy}, reader_.place(*mode)});
      }
    } else if (enabled != nullptr) {
      const auto is_raft = parse_boolean(text_of(*raft, "enabled")).value_or(true);
      cluster_.settings.push_back(
          {"leadership.policy", {is_raft ? "raft" : "bully"}, reader_.place(*enabled)});
    }
  }

  void read_membership(const DocumentNode& protocols) {
    const auto* value = protocols.find("membership_mode");
    const auto mode = value == nullptr ? "" : text_of(protocols, "membership_mode");
    if (mode == "http" || mode == "swim" || mode == "hybrid") {
      cluster_.settings.push_back({"http.membership", {mode}, reader_.place(*value)});
    }
  }

  // Its detector's numbers do not carry over (another protocol), but their pace does.
  void read_protocols(const DocumentNode& protocols) {
    read_policy(protocols);
    read_membership(protocols);
    const auto* swim = protocols.find("swim");
    if (swim == nullptr) return;
    const auto seconds = [&](std::string_view key) {
      const auto text = text_of(*swim, key);
      char* end = nullptr;
      const double value = std::strtod(text.c_str(), &end);
      return end != text.c_str() && value > 0 && value < 1e6 ? value : 0.0;
    };
    const double failure_s = seconds("failure_timeout");
    const double ping_s = seconds("ping_interval");
    if (failure_s <= 0 && ping_s <= 0) return;
    std::string profile = "wan";
    if (failure_s >= 15 || ping_s >= 2) profile = "flaky";
    if (failure_s <= 4 && ping_s <= 0.5) profile = "lan";
    cluster_.settings.push_back({"timing.profile", {profile}, reader_.place(*swim)});
  }

  void read_voters(const DocumentNode* voters) {
    std::vector<NodeId> listed = flagged_voters_;
    if (voters != nullptr) {
      listed = reader_.node_ids(*voters, "p2p_voters", &cluster_.voter_places);
      cluster_.voters_where = reader_.place(*voters);
      report_flags_outside(listed);
    }
    SettingInput input{"voters", {}, cluster_.voters_where};
    for (const auto& id : listed) {
      if (!may_vote(id)) continue;
      cluster_.voters.push_back(id);
      input.texts.push_back(id.value());
    }
    if (!input.texts.empty()) cluster_.settings.push_back(std::move(input));
  }

  void report_flags_outside(const std::vector<NodeId>& listed) {
    for (const auto& id : flagged_voters_) {
      if (std::find(listed.begin(), listed.end(), id) != listed.end()) continue;
      reader_.problem(1012, cluster_.find(id)->where,
                      id.value() + " has p2p_voter: true but is not in p2p_voters",
                      "the list is used; remove the flag or add the host to the list");
    }
  }

  bool may_vote(const NodeId& id) {
    const auto* node = cluster_.find(id);
    const bool is_ready = node != nullptr && node->status == NodeStatus::ready;
    if (is_ready) return true;
    const std::string why =
        node == nullptr ? "is not under hosts" : "is " + std::string(to_string(node->status));
    const auto place = cluster_.voter_places.find(id);
    reader_.diagnostics().warning(
        1012, place == cluster_.voter_places.end() ? cluster_.voters_where : place->second,
        "voter " + id.value() + " " + why + " and is left out",
        "only hosts with status: ready may vote");
    return false;
  }

  DocumentReader reader_;
  ClusterConfig cluster_;
  std::vector<NodeId> flagged_voters_;
};

}  // namespace

bool is_distributed_hosts(const DocumentNode& root) {
  const bool is_native = root.find("nodes") != nullptr || root.find("cluster") != nullptr;
  return !is_native && (root.find("hosts") != nullptr || root.find("p2p_voters") != nullptr);
}

ClusterConfig read_distributed_hosts(const DocumentNode& root, const std::string& file,
                                     Diagnostics& diagnostics) {
  return HostsReader(file, diagnostics).read(root);
}

}  // namespace riftbus
