// Addresses: where a node can be reached, and by whom.
//
// One machine often has several: a public one, one on Tailscale's network, one on its provider's
// LAN. They are ranked by kind and raced by the bus; none of them is the node's identity. A host
// is an IPv4 or IPv6 literal or a DNS name; a name is resolved anew by each dial, because rented
// machines move.
//
// Pure text work: nothing here resolves or dials.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace riftbus {

inline constexpr std::uint16_t kRouterPort = 7770;
inline constexpr std::uint16_t kPubPort = 7771;
inline constexpr std::uint16_t kHttpPort = 8770;

// In order of preference when nothing has been measured yet. `internet`: reachable from anywhere.
// `lan`: RFC 1918, IPv6 unique-local and link-local; only from the same site. `tailscale`:
// 100.64.0.0/10, and fd7a:115c:a1e0::/48. `loopback`: this machine only.
enum class AddressKind : std::uint8_t { internet = 1, lan = 2, tailscale = 3, loopback = 4 };
// "public", "lan", "tailscale", "loopback": the words of the file.
[[nodiscard]] std::string_view to_string(AddressKind kind);
[[nodiscard]] std::optional<AddressKind> parse_address_kind(std::string_view text);

struct NodeAddress {
  AddressKind kind = AddressKind::internet;
  std::string host;
  std::uint16_t router_port = kRouterPort;
  std::uint16_t pub_port = kPubPort;

  // "tailscale 100.64.0.7:7770/7771"
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const NodeAddress&) const = default;
};

// What a user may write for a peer: host, host:port, [v6]:port, tcp://host:port,
// http://host:port/. A legacy URL's port is the HTTP port, not a bus port.
struct Endpoint {
  std::string host;
  std::optional<std::uint16_t> port;
  bool is_http = false;  // written as http:// or https://
};

// 1009 on anything else.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
// 1 to 65535, decimal digits only.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);

// An IP literal, or a DNS name: labels of letters, digits, '-' and '_', at most 253 characters.
[[nodiscard]] bool is_valid_host(std::string_view host);
[[nodiscard]] bool is_ip_literal(std::string_view host);
[[nodiscard]] bool is_loopback_host(std::string_view host);
// "0.0.0.0", "::", "*": good to listen on, never to dial.
[[nodiscard]] bool is_wildcard_host(std::string_view host);
// By address range; a DNS name counts as `internet`, except localhost.
[[nodiscard]] AddressKind classify_host(std::string_view host);

}  // namespace riftbus
