#include <array>

#include "config/setting_forms.h"
#include "config/settings_rows.h"

namespace riftbus {

namespace {

using N = NodeSettings;
using Http = HttpConfig;

constexpr std::size_t kTokenBytesMin = 8;
constexpr std::size_t kTokenBytesMax = 512;
constexpr std::size_t kHostsMax = 64;
constexpr std::array<std::string_view, 3> kMemberships{"swim", "hybrid", "http"};

Status assign_token(NodeSettings& node, const Texts& texts) {
  const auto& token = texts.front();
  const bool is_plain =
      std::all_of(token.begin(), token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (token.size() < kTokenBytesMin || token.size() > kTokenBytesMax || !is_plain) {
    return Error{1008, "not a token", "", "use 8 to 512 printable ASCII characters without blanks"};
  }
  node.http.token = token;
  return Ok{};
}

// Reports show that there is one, never which.
Texts read_token(const NodeSettings& node) {
  return node.http.token.empty() ? Texts{} : Texts{"(set)"};
}

Status assign_hosts(NodeSettings& node, const Texts& texts) {
  for (const auto& host : texts) {
    if (is_valid_host(host) && texts.size() <= kHostsMax) continue;
    return Error{1009, "not a host: \"" + host.substr(0, 80) + "\"", "",
                 "write up to 64 names without a port"};
  }
  node.http.hosts = texts;
  return Ok{};
}

constexpr auto kHttpSettings = std::to_array<SettingSpec>({
    integer<&N::http, &Http::health_port, 0, 65535>("http.health_port", "", "health-port", "",
                                                    "port that answers about health only; 0: off"),
    {"http.token", kScalar, SettingScope::local, "", "http-token auth-token",
     "RINGRIFT_CLUSTER_AUTH_TOKEN RINGRIFT_P2P_AUTH_TOKEN",
     "who has it may change things over HTTP; better in a file", &assign_token, &read_token},
    {"http.token_file", kScalar, kShared, "", "http-token-file", "RINGRIFT_CLUSTER_AUTH_TOKEN_FILE",
     "file whose first line is the token", &assign_path<&N::http, &Http::token_file>,
     &read_word<&N::http, &Http::token_file>},
    {"http.tap_token_file", kScalar, kShared, "", "http-tap-token-file", "",
     "file whose first line is a token for /tap alone",
     &assign_path<&N::http, &Http::tap_token_file>, &read_word<&N::http, &Http::tap_token_file>},
    {"http.hosts", SettingForm::list, kShared, "", "http-hosts", "",
     "names of this node that HTTP requests may use", &assign_hosts,
     [](const N& node) { return node.http.hosts; }},
    integer<&N::http, &Http::connections_max, 8, 4096>("http.connections_max", "", "", "",
                                                       "HTTP connections at once"),
    {"http.membership", kScalar, kShared, "", "membership-mode",
     "MEMBERSHIP_MODE RINGRIFT_MEMBERSHIP_MODE",
     "members over HTTP: swim (never), hybrid (while the bus fails) or http (always)",
     &assign_choice<&N::http, &Http::membership, kMemberships>,
     &read_word<&N::http, &Http::membership>},
});

}  // namespace

std::span<const SettingSpec> http_setting_rows() { return kHttpSettings; }

}  // namespace riftbus
