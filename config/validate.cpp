#include "config/validate.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "config/settings.h"
#include "config/suggest.h"

namespace riftbus {

namespace {

class ClusterValidator {
 public:
  ClusterValidator(const ClusterConfig& cluster, Diagnostics& diagnostics)
      : cluster_(cluster), diagnostics_(diagnostics) {}

  void run() {
    check_settings(cluster_.settings);
    for (const auto& [id, node] : cluster_.nodes) {
      check_settings(node.settings);
      check_ids(node.relays, {}, place_of_relays(node), "relays of " + id.value());
      check_addresses(node);
      check_reachable(node);
    }
    check_ids(cluster_.relays, cluster_.relay_places, cluster_.where, "relays");
    check_voters();
  }

 private:
  void problem(std::uint16_t code, const SourcePlace& where, std::string what, std::string hint) {
    if (cluster_.is_legacy) {
      diagnostics_.warning(code, where, std::move(what), std::move(hint));
    } else {
      diagnostics_.error(code, where, std::move(what), std::move(hint));
    }
  }

  void check_settings(const std::vector<SettingInput>& inputs) {
    NodeSettings scratch;
    for (const auto& input : inputs) {
      const auto* spec = find_setting(input.key);
      if (spec == nullptr || input.texts.empty()) continue;
      const auto status = spec->assign(scratch, input.texts);
      if (status) continue;
      // Ids in voters and relays were reported by the reader, each at its own place.
      if (status.error().code == 1001 && spec->form == SettingForm::list) continue;
      problem(status.error().code, input.where, input.key + ": " + status.error().what,
              status.error().next);
    }
  }

  using Places = std::map<NodeId, SourcePlace>;

  void check_ids(const std::vector<NodeId>& ids, const Places& places, const SourcePlace& fallback,
                 const std::string& what) {
    for (const auto& id : ids) {
      if (cluster_.find(id) == nullptr) report_unknown(id, place_of(id, places, fallback), what);
    }
  }

  static SourcePlace place_of(const NodeId& id, const Places& places, const SourcePlace& fallback) {
    const auto found = places.find(id);
    return found == places.end() ? fallback : found->second;
  }

  static SourcePlace place_of_relays(const NodeConfig& node) {
    for (const auto& input : node.settings) {
      if (input.key == "node.relays") return input.where;
    }
    return node.where;
  }

  [[nodiscard]] SourcePlace place_of_voter(const NodeId& id) const {
    return place_of(id, cluster_.voter_places, cluster_.voters_where);
  }

  void report_unknown(const NodeId& id, const SourcePlace& where, const std::string& what) {
    std::vector<std::string_view> known;
    for (const auto& [each, node] : cluster_.nodes) known.push_back(each.value());
    problem(1011, where,
            what + " names \"" + id.value() + "\", which is not under " +
                (cluster_.is_legacy ? "hosts" : "nodes"),
            did_you_mean(id.value(), known, "describe that node, or remove the name"));
  }

  void check_addresses(const NodeConfig& node) {
    for (const auto& address : node.addresses) {
      if (is_wildcard_host(address.host)) {
        problem(1009, node.where,
                "address " + address.host + " of " + node.id.value() + " cannot be dialled",
                "write the address others use; listen.host may be a wildcard");
      }
      // Loopback and private addresses repeat from site to site; hosts behind one NAT share one.
      if (node.nat_blocked || node.status == NodeStatus::retired) continue;
      claim(node, address.host, address.router_port);
      claim(node, address.host, address.pub_port);
    }
  }

  void claim(const NodeConfig& node, const std::string& host, std::uint16_t port) {
    const auto [place, is_new] = claimed_.emplace(std::pair(host, port), &node);
    if (is_new) return;
    const auto& other = *place->second;
    const std::string target = host + ":" + std::to_string(port);
    if (other.id == node.id) {
      problem(1010, node.where, node.id.value() + " uses " + target + " twice",
              "give router_port and pub_port different numbers");
    } else {
      problem(1010, node.where,
              node.id.value() + " and " + other.id.value() + " both use " + target,
              other.id.value() + " is described at " + other.where.to_string());
    }
  }

  void check_reachable(const NodeConfig& node) {
    if (node.status != NodeStatus::ready || !node.nat_blocked) return;
    if (!node.relays.empty() || !cluster_.relays.empty()) return;
    if (std::exchange(said_no_relay_, true)) return;
    diagnostics_.warning(1011, node.where,
                         node.id.value() + " is nat_blocked, but no node is a relay",
                         cluster_.is_legacy ? "mark a reachable host with relay_capable: true"
                                            : "name reachable nodes under relays");
  }

  void check_voters() {
    const auto& voters = cluster_.voters;
    check_ids(voters, cluster_.voter_places, cluster_.voters_where, "voters");
    std::map<NodeId, int> seen;
    for (const auto& id : voters) {
      if (++seen[id] == 2) {
        problem(1013, place_of_voter(id), "voter " + id.value() + " is listed twice", "remove one");
      }
      if (const auto* node = cluster_.find(id)) check_voter(*node);
    }
    if (!voters.empty() && seen.size() % 2 == 0) {
      diagnostics_.warning(1013, cluster_.voters_where,
                           std::to_string(seen.size()) + " voters survive no more failures than " +
                               std::to_string(seen.size() - 1),
                           "use an odd number: 3, 5 or 7");
    }
    check_domains();
  }

  void check_voter(const NodeConfig& node) {
    const std::string name = "voter " + node.id.value();
    if (node.status != NodeStatus::ready) {
      problem(1012, place_of_voter(node.id), name + " is " + std::string(to_string(node.status)),
              "only nodes with status: ready may vote");
    }
    if (node.nat_blocked || node.is_ephemeral) {
      diagnostics_.warning(1012, place_of_voter(node.id),
                           name + (node.nat_blocked ? " is nat_blocked" : " is ephemeral"),
                           "choose a stable node that others can dial");
    }
    const bool is_local = !node.addresses.empty() &&
                          std::all_of(node.addresses.begin(), node.addresses.end(), is_loopback);
    if (is_local && !is_local_cluster()) {
      diagnostics_.warning(1012, place_of_voter(node.id),
                           name + " has only a loopback address, which other nodes cannot dial",
                           "give it an address others can reach, or do not let it vote");
    }
  }

  static bool is_loopback(const NodeAddress& address) {
    return address.kind == AddressKind::loopback;
  }

  [[nodiscard]] bool is_local_cluster() const {
    return std::all_of(cluster_.nodes.begin(), cluster_.nodes.end(), [](const auto& each) {
      const auto& addresses = each.second.addresses;
      return std::all_of(addresses.begin(), addresses.end(), is_loopback);
    });
  }

  // One failure must not take the majority with it.
  void check_domains() {
    std::map<std::string, std::size_t> domains;
    const std::set<NodeId> voters(cluster_.voters.begin(), cluster_.voters.end());
    for (const auto& id : voters) {
      if (const auto* node = cluster_.find(id)) ++domains[node->domain()];
    }
    for (const auto& [domain, count] : domains) {
      if (voters.size() < 3 || count * 2 <= voters.size()) continue;
      diagnostics_.note(1013, cluster_.voters_where,
                        std::to_string(count) + " of " + std::to_string(voters.size()) +
                            " voters share the failure domain " + domain,
                        "spread a majority over domains, so that one failure does not stop it");
    }
  }

  const ClusterConfig& cluster_;
  Diagnostics& diagnostics_;
  std::map<std::pair<std::string, std::uint16_t>, const NodeConfig*> claimed_;
  bool said_no_relay_ = false;
};

class NodeValidator {
 public:
  NodeValidator(const EffectiveConfig& effective, Diagnostics& diagnostics)
      : effective_(effective), node_(effective.node), diagnostics_(diagnostics) {}

  void run(bool explicit_seeds) {
    check_identity();
    check_ports();
    check_insecure();
    check_order("timing.silence_min_ms", node_.timing.silence_min_ms, "timing.silence_max_ms",
                node_.timing.silence_max_ms);
    check_order("timing.probe_min_ms", node_.timing.probe_min_ms, "timing.probe_max_ms",
                node_.timing.probe_max_ms);
    check_order("timing.suspicion_min_ms", node_.timing.suspicion_min_ms, "timing.suspicion_max_ms",
                node_.timing.suspicion_max_ms);
    check_order("limits.reconnect_min_ms", node_.limits.reconnect_min_ms, "limits.reconnect_max_ms",
                node_.limits.reconnect_max_ms);
    check_order("tunnel.backoff_min_ms", node_.tunnel.backoff_min_ms, "tunnel.backoff_max_ms",
                node_.tunnel.backoff_max_ms);
    check_heartbeat();
    if (explicit_seeds) check_seeds();
  }

 private:
  [[nodiscard]] SourcePlace source(std::string_view key) const {
    for (const auto& value : effective_.values) {
      if (value.key == key) return value.source;
    }
    return {"default", 0, 0};
  }

  // One written span may not suit those of the profile.
  void check_heartbeat() {
    const auto spans = spans_of(node_.leadership, node_.timing.profile);
    if (spans.heartbeat_ms * kHeartbeatsPerElection <= spans.election_ms) return;
    const auto key =
        node_.leadership.heartbeat_ms ? "leadership.heartbeat_ms" : "leadership.election_ms";
    diagnostics_.error(1008, source(key),
                       "leadership.heartbeat_ms (" + std::to_string(spans.heartbeat_ms) +
                           ") is more than a third of leadership.election_ms (" +
                           std::to_string(spans.election_ms) + ")",
                       "a leader that is only slow would be doubted: lengthen election_ms");
  }

  void check_identity() {
    if (node_.node_id.empty()) {
      diagnostics_.error(1015, {"node.id", 0, 0}, "this node has no id",
                         "give --node-id, RIFTBUS_NODE_ID, or NODE_ID in the node file");
      return;
    }
    const auto& nodes = effective_.cluster.nodes;
    const auto* self = effective_.cluster.find(node_.node_id);
    if (self != nullptr && self->status == NodeStatus::retired) {
      diagnostics_.warning(1024, self->where,
                           node_.node_id.value() +
                               " is retired in the cluster "
                               "file",
                           "set its status to ready, or stop this daemon");
    }
    if (nodes.empty() || self != nullptr) return;
    std::vector<std::string_view> known;
    for (const auto& [id, node] : nodes) known.push_back(id.value());
    diagnostics_.warning(
        1024, source("node.id"),
        "node \"" + node_.node_id.value() + "\" is not in " + effective_.cluster.where.to_string(),
        did_you_mean(node_.node_id.value(), known, "add it under nodes"));
  }

  void check_ports() {
    const auto& listen = node_.listen;
    const auto collide = [&](std::string_view a, std::uint16_t a_port, std::string_view b,
                             std::uint16_t b_port) {
      if (a_port != b_port || a_port == 0) return;
      diagnostics_.error(
          1010, source(b),
          std::string(a) + " and " + std::string(b) + " are both " + std::to_string(a_port),
          "give each its own port");
    };
    collide("listen.router_port", listen.router_port, "listen.pub_port", listen.pub_port);
    collide("listen.router_port", listen.router_port, "listen.http_port", listen.http_port);
    collide("listen.pub_port", listen.pub_port, "listen.http_port", listen.http_port);
    if (listen.http_port == 0) return;
    const auto health_port = static_cast<std::uint16_t>(node_.http.health_port);
    collide("listen.router_port", listen.router_port, "http.health_port", health_port);
    collide("listen.pub_port", listen.pub_port, "http.health_port", health_port);
    collide("listen.http_port", listen.http_port, "http.health_port", health_port);
  }

  void check_insecure() {
    if (!node_.insecure) return;
    const auto refuse = [&](const std::string& what) {
      diagnostics_.error(1016, source("insecure"), "--insecure with " + what,
                         "drop --insecure, or use loopback addresses only");
    };
    if (!is_loopback_host(node_.listen.host)) refuse("listen.host " + node_.listen.host);
    for (const auto& address : node_.addresses) {
      if (!is_loopback_host(address.host)) refuse("address " + address.to_string());
    }
    for (const auto& seed : node_.seeds) {
      if (!is_loopback_host(seed.host)) refuse("seed " + seed.host);
    }
  }

  void check_order(std::string_view low_key, std::optional<std::int64_t> low,
                   std::string_view high_key, std::optional<std::int64_t> high) {
    if (!low || !high || *low <= *high) return;
    diagnostics_.error(1008, source(low_key),
                       std::string(low_key) + " " + std::to_string(*low) + " is above " +
                           std::string(high_key) + " " + std::to_string(*high),
                       "the floor must not be above the ceiling");
  }

  void check_seeds() {
    if (effective_.cluster.nodes.empty()) return;
    for (const auto& seed : node_.seeds) {
      if (seed.node) continue;
      diagnostics_.warning(1014, source("seeds"),
                           "seed " + seed.host + ":" + std::to_string(seed.router_port) +
                               " is no node's address in " + effective_.cluster.where.to_string(),
                           "correct it, or add the node; it is tried all the same");
    }
  }

  const EffectiveConfig& effective_;
  const NodeSettings& node_;
  Diagnostics& diagnostics_;
};

}  // namespace

void validate_cluster(const ClusterConfig& cluster, Diagnostics& diagnostics) {
  ClusterValidator(cluster, diagnostics).run();
}

void validate_node(const EffectiveConfig& effective, bool explicit_seeds,
                   Diagnostics& diagnostics) {
  NodeValidator(effective, diagnostics).run(explicit_seeds);
}

}  // namespace riftbus
