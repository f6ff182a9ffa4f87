#include "config/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace riftbus {

namespace {

constexpr std::size_t kHostLengthMax = 253;
constexpr std::size_t kLabelLengthMax = 63;
constexpr std::size_t kZoneLengthMax = 15;  // IFNAMSIZ, less its zero

using Ipv4 = std::array<std::uint8_t, 4>;
using Ipv6 = std::array<std::uint8_t, 16>;

// inet_pton() stops at a zero byte, and would take what stands before it for the whole.
bool reads_address(int family, std::string_view host, std::uint8_t* bytes) {
  return host.find('\0') == std::string_view::npos &&
         inet_pton(family, std::string(host).c_str(), bytes) == 1;
}

std::optional<Ipv4> parse_ipv4(std::string_view host) {
  Ipv4 bytes{};
  if (host.size() > 15 || !reads_address(AF_INET, host, bytes.data())) return std::nullopt;
  return bytes;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// What Linux and macOS name an interface: anything else would carry a delimiter of a text the
// address is written into.
bool is_zone(std::string_view zone) {
  return !zone.empty() && zone.size() <= kZoneLengthMax &&
         std::all_of(zone.begin(), zone.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
         });
}

std::optional<Ipv6> parse_ipv6(std::string_view host) {
  Ipv6 bytes{};
  // A zone ("%eth0") names an interface of the reader's machine.
  const auto zone = host.find('%');
  if (zone != std::string_view::npos) {
    if (!is_zone(host.substr(zone + 1))) return std::nullopt;
    host = host.substr(0, zone);
  }
  if (host.size() > 45 || !reads_address(AF_INET6, host, bytes.data())) return std::nullopt;
  return bytes;
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelLengthMax) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

// A name whose last label is all digits would be read as a (wrong) IPv4 address by resolvers.
bool is_dns_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > kHostLengthMax) return false;
  std::string_view label;
  for (std::string_view rest = host; !rest.empty();) {
    const auto dot = rest.find('.');
    label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
    if (rest.empty()) return false;
  }
  return !std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

AddressKind classify_ipv4(const Ipv4& ip) {
  if (ip[0] == 127) return AddressKind::loopback;
  if (ip[0] == 100 && (ip[1] & 0xc0) == 64) return AddressKind::tailscale;
  const bool is_private = ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
                          (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254);
  return is_private ? AddressKind::lan : AddressKind::internet;
}

AddressKind classify_ipv6(const Ipv6& ip) {
  Ipv6 loopback{};
  loopback[15] = 1;
  if (ip == loopback) return AddressKind::loopback;
  constexpr std::array<std::uint8_t, 6> kTailscale{0xfd, 0x7a, 0x11, 0x5c, 0xa1, 0xe0};
  if (std::equal(kTailscale.begin(), kTailscale.end(), ip.begin())) return AddressKind::tailscale;
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), ip.begin())) {
    return classify_ipv4({ip[12], ip[13], ip[14], ip[15]});
  }
  const bool is_local = (ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
  return is_local ? AddressKind::lan : AddressKind::internet;
}

Error bad_endpoint(std::string_view text) {
  return {1009, "not an address: \"" + std::string(text.substr(0, 80)) + "\"", "",
          "write host, host:port, [ipv6]:port or http://host:port"};
}

// "http://x" -> "x"; false: an unknown scheme.
bool strip_scheme(std::string_view& rest, Endpoint& endpoint) {
  const auto mark = rest.find("://");
  if (mark == std::string_view::npos) return true;
  const auto scheme = rest.substr(0, mark);
  endpoint.is_http = scheme == "http" || scheme == "https";
  if (!endpoint.is_http && scheme != "tcp") return false;
  rest.remove_prefix(mark + 3);
  const auto path = rest.find('/');
  if (path != std::string_view::npos) rest = rest.substr(0, path);
  return true;
}

}  // namespace

std::string_view to_string(AddressKind kind) {
  switch (kind) {
    case AddressKind::internet:
      return "public";
    case AddressKind::lan:
      return "lan";
    case AddressKind::tailscale:
      return "tailscale";
    case AddressKind::loopback:
      return "loopback";
  }
  return "?";
}

std::optional<AddressKind> parse_address_kind(std::string_view text) {
  for (const auto kind :
       {AddressKind::internet, AddressKind::lan, AddressKind::tailscale, AddressKind::loopback}) {
    if (to_string(kind) == text) return kind;
  }
  return std::nullopt;
}

std::string NodeAddress::to_string() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return std::string(riftbus::to_string(kind)) + " " + (is_v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(router_port) + "/" + std::to_string(pub_port);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end || value < 1 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  std::string_view rest = text;
  if (!strip_scheme(rest, endpoint)) return bad_endpoint(text);
  std::string_view port;
  bool has_port = false;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return bad_endpoint(text);
    endpoint.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!parse_ipv6(endpoint.host) || (!rest.empty() && rest.front() != ':')) {
      return bad_endpoint(text);
    }
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const auto colon = rest.rfind(':');
    has_port = colon != std::string_view::npos && rest.find(':') == colon;
    endpoint.host = has_port ? rest.substr(0, colon) : rest;
    if (has_port) port = rest.substr(colon + 1);
  }
  if (has_port) {
    endpoint.port = parse_port(port);
    if (!endpoint.port) return bad_endpoint(text);
  }
  if (!is_valid_host(endpoint.host)) return bad_endpoint(text);
  return endpoint;
}

bool is_ip_literal(std::string_view host) {
  return parse_ipv4(host).has_value() || parse_ipv6(host).has_value();
}

bool is_valid_host(std::string_view host) { return is_ip_literal(host) || is_dns_name(host); }

bool is_loopback_host(std::string_view host) {
  return classify_host(host) == AddressKind::loopback;
}

bool is_wildcard_host(std::string_view host) {
  if (host == "*") return true;
  const auto v4 = parse_ipv4(host);
  if (v4) return *v4 == Ipv4{};
  const auto v6 = parse_ipv6(host);
  return v6 && *v6 == Ipv6{};
}

AddressKind classify_host(std::string_view host) {
  if (host == "localhost" || host == "localhost.") return AddressKind::loopback;
  if (const auto v4 = parse_ipv4(host)) return classify_ipv4(*v4);
  if (const auto v6 = parse_ipv6(host)) return classify_ipv6(*v6);
  return AddressKind::internet;
}

}  // namespace riftbus
