#include "config/seeds.h"

#include <algorithm>

namespace riftbus {

namespace {

struct Match {
  const NodeConfig* node = nullptr;
  std::uint16_t router_port = 0;
};

// By host and port; by host alone if the port was not said and only one node has that host.
Match find_match(const Seed& seed, const ClusterConfig& cluster) {
  Match only;
  std::size_t count = 0;
  for (const auto& [id, node] : cluster.nodes) {
    for (const auto& address : node.addresses) {
      if (address.host != seed.host) continue;
      if (seed.router_port == address.router_port) return {&node, address.router_port};
      only = {&node, address.router_port};
      ++count;
      break;
    }
  }
  return seed.router_port == 0 && count == 1 ? only : Match{};
}

void add_once(std::vector<Seed>& seeds, Seed seed) {
  const bool is_known = std::any_of(seeds.begin(), seeds.end(), [&](const Seed& each) {
    return each.host == seed.host && each.router_port == seed.router_port;
  });
  if (!is_known && seeds.size() < kSeedsMax) seeds.push_back(std::move(seed));
}

bool has_only_loopback(const NodeConfig& node) {
  return std::all_of(node.addresses.begin(), node.addresses.end(),
                     [](const auto& address) { return address.kind == AddressKind::loopback; });
}

class SeedCollector {
 public:
  SeedCollector(const ClusterConfig& cluster, const NodeId& self) : self_(self) {
    const auto* own = cluster.find(self);
    // Loopback leads to another node only if all of them live on this machine.
    takes_loopback_ = own != nullptr && has_only_loopback(*own);
  }

  void add(const NodeConfig* node) {
    if (node == nullptr || node->id == self_) return;
    if (node->status != NodeStatus::ready || node->nat_blocked) return;
    for (const auto& address : node->addresses) {
      if (address.kind == AddressKind::loopback && !takes_loopback_) continue;
      add_once(seeds_, {address.host, address.router_port, node->id});
    }
  }

  std::vector<Seed> take() { return std::move(seeds_); }

 private:
  const NodeId& self_;
  std::vector<Seed> seeds_;
  bool takes_loopback_ = false;
};

}  // namespace

std::vector<Seed> match_seeds(const std::vector<Seed>& written, const ClusterConfig& cluster,
                              const NodeId& self) {
  std::vector<Seed> seeds;
  for (Seed seed : written) {
    const auto match = find_match(seed, cluster);
    if (match.node != nullptr) {
      seed.node = match.node->id;
      seed.router_port = match.router_port;
    } else if (seed.router_port == 0) {
      seed.router_port = kRouterPort;
    }
    if (!seed.node || *seed.node != self) add_once(seeds, std::move(seed));
  }
  return seeds;
}

std::vector<Seed> derive_seeds(const ClusterConfig& cluster, const NodeId& self) {
  SeedCollector collector(cluster, self);
  for (const auto& id : cluster.voters) collector.add(cluster.find(id));
  for (const auto& id : cluster.relays) collector.add(cluster.find(id));
  for (const auto& [id, node] : cluster.nodes) collector.add(&node);
  return collector.take();
}

}  // namespace riftbus
