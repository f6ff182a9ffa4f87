#include "config/settings.h"

#include <algorithm>
#include <array>

#include "config/settings_rows.h"

namespace riftbus {

namespace {

constexpr std::string_view kAlwaysToken =
    "changes over HTTP always take the token; members prove who they are with their own keys";
constexpr std::string_view kProfileInstead =
    "timing comes from timing.profile (lan, wan, flaky), which adapts to measured round trips";
constexpr std::string_view kOneMembership = "the failure detector is always on";
constexpr std::string_view kNotYet = "the part that would use it is not in this version";
constexpr std::string_view kNoCheckout = "riftbus needs no checkout of the former orchestrator";
constexpr std::string_view kOneProcess = "the service manager owns the process; nothing is killed";

constexpr auto kLegacyNames = std::to_array<LegacyName>({
    {"SWIM_ENABLED", kOneMembership},
    {"RINGRIFT_SWIM_ENABLED", kOneMembership},
    {"RINGRIFT_P2P_HEARTBEAT_INTERVAL", kProfileInstead},
    {"RINGRIFT_P2P_PEER_TIMEOUT", kProfileInstead},
    {"RINGRIFT_P2P_LEADER_LEASE_DURATION", kProfileInstead},
    {"RINGRIFT_P2P_DISK_CRITICAL_THRESHOLD", kNotYet},
    {"RINGRIFT_SLACK_WEBHOOK_URL", kNotYet},
    {"RINGRIFT_DISCORD_WEBHOOK_URL", kNotYet},
    {"RINGRIFT_SOCKS_PROXY", kNotYet},
    {"RINGRIFT_IS_COORDINATOR", "leadership follows from voters, never from one node's file"},
    {"RINGRIFT_ARBITER_URL", "a majority of voters decides; there is no arbiter"},
    {"RINGRIFT_PATH", kNoCheckout},
    {"RINGRIFT_AI_PATH", kNoCheckout},
    {"RINGRIFT_DIR", kNoCheckout},
    {"SSH_PORT", "the bus does not use ssh to reach members"},
    // Flags, as written after the dashes.
    {"ringrift-path", kNoCheckout},
    {"require-auth", kAlwaysToken},
    {"storage-type", kNotYet},
    {"sync-to-disk-interval", kNotYet},
    {"kill-duplicates", kOneProcess},
    {"supervised", kOneProcess},
});

std::string upper_with_underscores(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c == '-' || c == '.') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

std::string SettingSpec::flag() const {
  const auto all = split_list(flags);
  if (!all.empty()) return all.front();
  std::string name(key);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '.' || c == '_'; }, '-');
  return name;
}

std::vector<std::string> SettingSpec::legacy_flags() const {
  auto all = split_list(flags);
  if (!all.empty()) all.erase(all.begin());
  return all;
}

std::string SettingSpec::environment_name() const {
  return "RIFTBUS_" + upper_with_underscores(flag());
}

std::vector<std::string> SettingSpec::environment_names() const {
  auto names = split_list(synonyms);
  names.insert(names.begin(), environment_name());
  return names;
}

std::span<const SettingSpec> setting_specs() {
  static const std::vector<SettingSpec> kAll = [] {
    const auto daemon = daemon_setting_rows();
    const auto http = http_setting_rows();
    const auto leadership = leadership_setting_rows();
    const auto tunnel = tunnel_setting_rows();
    std::vector<SettingSpec> rows(daemon.begin(), daemon.end());
    rows.insert(rows.end(), http.begin(), http.end());
    rows.insert(rows.end(), leadership.begin(), leadership.end());
    rows.insert(rows.end(), tunnel.begin(), tunnel.end());
    const auto relay = relay_setting_rows();
    rows.insert(rows.end(), relay.begin(), relay.end());
    return rows;
  }();
  return kAll;
}

const SettingSpec* find_setting(std::string_view key) {
  for (const auto& spec : setting_specs()) {
    if (spec.key == key) return &spec;
  }
  return nullptr;
}

std::span<const LegacyName> legacy_names() { return kLegacyNames; }

const LegacyName* find_legacy_name(std::string_view name) {
  for (const auto& legacy : kLegacyNames) {
    if (legacy.name == name) return &legacy;
  }
  return nullptr;
}

std::vector<std::string> split_list(std::string_view text) {
  constexpr std::string_view kSeparators = ", \t\r\n";
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const auto first = text.find_first_not_of(kSeparators, at);
    if (first == std::string_view::npos) break;
    const auto end = std::min(text.find_first_of(kSeparators, first), text.size());
    parts.emplace_back(text.substr(first, end - first));
    at = end;
  }
  return parts;
}

std::vector<std::string> split_setting(const SettingSpec& spec, std::string_view text) {
  if (spec.form == SettingForm::list) return split_list(text);
  const auto word = trim(text);
  if (word.empty()) return {};
  return {std::string(word)};
}

std::optional<bool> parse_boolean(std::string_view text) {
  const auto word = upper_with_underscores(text);
  for (const auto* yes : {"TRUE", "YES", "ON", "1"}) {
    if (word == yes) return true;
  }
  for (const auto* no : {"FALSE", "NO", "OFF", "0"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

}  // namespace riftbus
