#include "config/cluster.h"

#include <initializer_list>

namespace riftbus {

namespace {

template <class Enum>
std::optional<Enum> find_by_name(std::string_view text, std::initializer_list<Enum> all) {
  for (const auto value : all) {
    if (to_string(value) == text) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(TimingProfile profile) {
  switch (profile) {
    case TimingProfile::lan:
      return "lan";
    case TimingProfile::wan:
      return "wan";
    case TimingProfile::flaky:
      return "flaky";
  }
  return "?";
}

std::optional<TimingProfile> parse_timing_profile(std::string_view text) {
  return find_by_name(text, {TimingProfile::lan, TimingProfile::wan, TimingProfile::flaky});
}

std::string_view to_string(NodeStatus status) {
  switch (status) {
    case NodeStatus::ready:
      return "ready";
    case NodeStatus::setup:
      return "setup";
    case NodeStatus::offline:
      return "offline";
    case NodeStatus::proxy_only:
      return "proxy_only";
    case NodeStatus::retired:
      return "retired";
  }
  return "?";
}

std::optional<NodeStatus> parse_node_status(std::string_view text) {
  return find_by_name(text, {NodeStatus::ready, NodeStatus::setup, NodeStatus::offline,
                             NodeStatus::proxy_only, NodeStatus::retired});
}

std::string NodeConfig::domain() const {
  if (!failure_domain.empty()) return failure_domain;
  return provider.empty() ? id.value() : provider;
}

const NodeConfig* ClusterConfig::find(const NodeId& id) const {
  const auto found = nodes.find(id);
  return found == nodes.end() ? nullptr : &found->second;
}

}  // namespace riftbus
