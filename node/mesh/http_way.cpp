#include "node/mesh/http_way.h"

#include <algorithm>

namespace riftbus::node {

namespace {

std::uint16_t read_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return 0;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return port > 65535 ? std::uint16_t{0} : static_cast<std::uint16_t>(port);
}

}  // namespace

const char* to_string(MembershipMode mode) {
  switch (mode) {
    case MembershipMode::swim:
      return "swim";
    case MembershipMode::hybrid:
      return "hybrid";
    case MembershipMode::http:
      return "http";
  }
  return "?";
}

std::optional<MembershipMode> parse_membership_mode(std::string_view text) {
  for (const auto mode : {MembershipMode::swim, MembershipMode::hybrid, MembershipMode::http}) {
    if (text == to_string(mode)) return mode;
  }
  return std::nullopt;
}

std::vector<HttpPlace> http_places(const std::string& tag,
                                   const std::vector<wire::Address>& addresses) {
  std::vector<HttpPlace> places;
  const auto colon = tag.rfind(':');
  if (colon != std::string::npos) {
    std::string host = tag.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    }
    const auto port = read_port(std::string_view(tag).substr(colon + 1));
    if (port != 0 && !host.empty()) places.push_back({std::move(host), port});
    return places;
  }
  const auto port = read_port(tag);
  if (port == 0) return places;
  for (const auto& address : addresses) {
    if (address.kind == wire::AddressKind::relay) continue;
    const HttpPlace place{address.host, port};
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  return places;
}

std::vector<CurveKey> posting_keys(const Roster& roster, const NodeId& peer, std::int64_t now_s) {
  const auto* entry = roster.find(peer);
  const bool is_member = entry != nullptr && (entry->has(Role::node) || entry->has(Role::voter) ||
                                              entry->has(Role::relay));
  if (!is_member || (entry->expires_at_s && now_s >= *entry->expires_at_s)) return {};
  std::vector<CurveKey> keys{entry->key};
  if (entry->previous_key) keys.push_back(*entry->previous_key);
  return keys;
}

}  // namespace riftbus::node
