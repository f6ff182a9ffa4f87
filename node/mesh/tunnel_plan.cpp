#include "node/mesh/tunnel_plan.h"

#include <algorithm>

namespace riftbus::node {

const char* to_string(TunnelRole role) {
  switch (role) {
    case TunnelRole::home:
      return "home";
    case TunnelRole::warm:
      return "warm";
    case TunnelRole::spare:
      return "spare";
    case TunnelRole::leaving:
      return "leaving";
  }
  return "?";
}

void TunnelPlan::step(const std::map<NodeId, TunnelSight>& sights, std::size_t wanted,
                      TimePoint now) {
  look(sights, now);
  std::vector<Wish> wishes;
  std::size_t hopeful = 0;
  std::size_t steady = 0;
  for (const NodeId& relay : line(sights)) {
    const bool is_wanted = hopeful < wanted && wishes.size() < kTunnelsMax;
    if (is_wanted) {
      const auto place = wishes.size();
      wishes.push_back({relay, place == 0   ? TunnelRole::home
                               : place == 1 ? TunnelRole::warm
                                            : TunnelRole::spare});
      Known& known = known_[relay];
      if (!known.is_wished) known = {true, known.is_up, now};
      if (may_hope(relay, now)) ++hopeful;
      if (is_steady(relay, now)) ++steady;
      continue;
    }
    const auto known = known_.find(relay);
    if (known == known_.end() || !known->second.is_wished) continue;
    const bool may_go = steady >= wanted || wishes.size() >= kTunnelsMax;
    if (may_go) {
      known->second.is_wished = false;
    } else {
      wishes.push_back({relay, TunnelRole::leaving});
    }
  }
  wishes_ = std::move(wishes);
}

std::vector<NodeId> TunnelPlan::line(const std::map<NodeId, TunnelSight>& sights) const {
  std::vector<NodeId> order = ranked_;
  std::stable_partition(order.begin(), order.end(), [&](const NodeId& relay) {
    const auto sight = sights.find(relay);
    return sight == sights.end() || !sight->second.is_draining;
  });
  return order;
}

void TunnelPlan::look(const std::map<NodeId, TunnelSight>& sights, TimePoint now) {
  for (auto& [relay, known] : known_) {
    const auto sight = sights.find(relay);
    const bool is_up = sight != sights.end() && sight->second.is_up;
    if (is_up == known.is_up) continue;
    known.is_up = is_up;
    known.since = now;
  }
}

bool TunnelPlan::may_hope(const NodeId& relay, TimePoint now) const {
  const Known& known = known_.at(relay);
  return known.is_up || now - known.since < kPatience;
}

bool TunnelPlan::is_steady(const NodeId& relay, TimePoint now) const {
  const Known& known = known_.at(relay);
  return known.is_up && now - known.since >= kSteady;
}

}  // namespace riftbus::node
