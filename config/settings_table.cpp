#include <algorithm>
#include <array>

#include "config/setting_forms.h"
#include "config/settings_rows.h"

namespace riftbus {

namespace {

constexpr std::array<std::string_view, 5> kLogLevels{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kLogFormats{"text", "json"};

Status assign_profile(NodeSettings& node, const Texts& texts) {
  const auto profile = parse_timing_profile(texts.front());
  if (!profile) {
    return Error{1008, "\"" + texts.front().substr(0, 80) + "\" is not a timing profile", "",
                 "choose lan, wan or flaky"};
  }
  node.timing.profile = *profile;
  return Ok{};
}

Status assign_cluster(NodeSettings& node, const Texts& texts) {
  if (!NodeId::is_valid(texts.front())) {
    return Error{1001, "not a cluster name: \"" + texts.front().substr(0, 80) + "\"", "",
                 "use 1 to 64 characters of A-Z a-z 0-9 . _ -"};
  }
  node.cluster = texts.front();
  return Ok{};
}

Status assign_node_id(NodeSettings& node, const Texts& texts) {
  auto id = NodeId::parse(texts.front());
  if (!id) return id.error();
  node.node_id = *id;
  return Ok{};
}

Status assign_authority(NodeSettings& node, const Texts& texts) {
  auto key = AuthorityKey::from_hex(texts.front());
  if (!key) return key.error();
  node.authority = *key;
  return Ok{};
}

template <auto Member>
Status assign_ids(NodeSettings& node, const Texts& texts) {
  std::vector<NodeId> ids;
  for (const auto& text : texts) {
    auto id = NodeId::parse(text);
    if (!id) return id.error();
    if (std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
  }
  node.*Member = std::move(ids);
  return Ok{};
}

template <auto Member>
Texts read_ids(const NodeSettings& node) {
  Texts texts;
  for (const auto& id : node.*Member) texts.push_back(id.value());
  return texts;
}

template <auto Member>
Status assign_flag(NodeSettings& node, const Texts& texts) {
  return set_boolean(node.*Member, texts.front());
}

template <auto Member>
Texts read_flag(const NodeSettings& node) {
  return {node.*Member ? "true" : "false"};
}

// Port 0 stands for "not said": resolve() finds the node's own port, or takes the default.
Status assign_seeds(NodeSettings& node, const Texts& texts) {
  std::vector<Seed> seeds;
  for (const auto& text : texts) {
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) return endpoint.error();
    const bool is_bus_port = endpoint->port && !endpoint->is_http && *endpoint->port != kHttpPort;
    seeds.push_back({endpoint->host, is_bus_port ? *endpoint->port : std::uint16_t{0}, {}});
  }
  node.seeds = std::move(seeds);
  return Ok{};
}

Texts read_seeds(const NodeSettings& node) {
  Texts texts;
  for (const auto& seed : node.seeds) {
    const bool is_v6 = seed.host.find(':') != std::string::npos;
    texts.push_back((is_v6 ? "[" + seed.host + "]" : seed.host) + ":" +
                    std::to_string(seed.router_port));
  }
  return texts;
}

Status assign_tags(NodeSettings& node, const Texts& texts) {
  std::map<std::string, std::string> tags;
  for (const auto& text : texts) {
    const auto mark = text.find('=');
    const std::string key = text.substr(0, mark);
    if (!NodeId::is_valid(key) || text.size() > 256 || tags.size() >= 32) {
      return Error{1008, "not a tag: \"" + text.substr(0, 80) + "\"", "",
                   "write key=value, at most 32 of them, each within 256 characters"};
    }
    tags[key] = mark == std::string::npos ? "true" : text.substr(mark + 1);
  }
  node.tags = std::move(tags);
  return Ok{};
}

Texts read_tags(const NodeSettings& node) {
  Texts texts;
  for (const auto& [key, value] : node.tags) texts.push_back(key + "=" + value);
  return texts;
}

Status assign_domain(NodeSettings& node, const Texts& texts) {
  if (!NodeId::is_valid(texts.front())) {
    return Error{1008, "not a failure domain: \"" + texts.front().substr(0, 80) + "\"", "",
                 "use 1 to 64 characters of A-Z a-z 0-9 . _ -"};
  }
  node.failure_domain = texts.front();
  return Ok{};
}

using N = NodeSettings;

template <auto Member, std::int64_t Low, std::int64_t High>
constexpr SettingSpec limit(std::string_view key, std::string_view unit, std::string_view meaning) {
  return integer<&N::limits, Member, Low, High>(key, unit, "", "", meaning);
}

template <auto Member, std::int64_t Low, std::int64_t High>
constexpr SettingSpec timing(std::string_view key, std::string_view unit,
                             std::string_view meaning) {
  return integer<&N::timing, Member, Low, High>(key, unit, "", "", meaning);
}

template <auto Section, auto Member>
constexpr SettingSpec port(std::string_view key, std::string_view flags, std::string_view synonyms,
                           std::string_view meaning) {
  return integer<Section, Member, 1, 65535>(key, "", flags, synonyms, meaning);
}

using L = LimitsConfig;
using T = TimingConfig;

constexpr auto kDaemonSettings = std::to_array<SettingSpec>({
    {"cluster", kScalar, kShared, "", "cluster", "",
     "name of the cluster; messages of another are dropped", &assign_cluster,
     [](const N& node) { return read_text(node.cluster); }},
    {"authority", kScalar, kShared, "", "authority", "",
     "public key that signs the roster, 64 hexadecimal digits", &assign_authority,
     [](const N& node) { return node.authority ? Texts{node.authority->hex()} : Texts{}; }},
    {"node.id", kScalar, SettingScope::local, "", "node-id", "NODE_ID RINGRIFT_NODE_ID",
     "this node's name in the cluster", &assign_node_id,
     [](const N& node) { return read_text(node.node_id.value()); }},
    {"node.failure_domain", kScalar, SettingScope::per_node, "", "failure-domain", "",
     "what fails together with this node: a rack, a provider", &assign_domain,
     [](const N& node) { return read_text(node.failure_domain); }},
    {"node.tags", SettingForm::list, SettingScope::per_node, "", "tags", "",
     "key=value words that members see", &assign_tags, &read_tags},
    {"node.nat_blocked", SettingForm::boolean, SettingScope::per_node, "", "nat-blocked", "",
     "nobody can dial this node; it joins through a relay", &assign_flag<&N::nat_blocked>,
     &read_flag<&N::nat_blocked>},
    {"node.relays", SettingForm::list, SettingScope::per_node, "", "relays", "",
     "preferred relays, best first", &assign_ids<&N::relays>, &read_ids<&N::relays>},
    {"seeds", SettingForm::list, kShared, "", "seeds peers relay-peers",
     "P2P_SEEDS P2P_PEERS PEER_LIST RINGRIFT_P2P_SEEDS RINGRIFT_P2P_PEERS COORDINATOR_URL "
     "RINGRIFT_COORDINATOR_URL",
     "where to knock when joining: host, host:port or URL", &assign_seeds, &read_seeds},
    {"voters", SettingForm::list, kShared, "", "voters", "RINGRIFT_P2P_VOTERS",
     "nodes that bootstrap the replicated log", &assign_ids<&N::voters>, &read_ids<&N::voters>},
    {"insecure", SettingForm::boolean, SettingScope::local, "", "insecure", "",
     "no encryption; loopback addresses only", &assign_flag<&N::insecure>,
     &read_flag<&N::insecure>},
    {"listen.host", kScalar, kShared, "", "listen-host host", "",
     "address the bus sockets listen on", &assign_host<&N::listen, &ListenConfig::host, true>,
     &read_word<&N::listen, &ListenConfig::host>},
    port<&N::listen, &ListenConfig::router_port>("listen.router_port", "router-port", "",
                                                 "port of calls between members"),
    port<&N::listen, &ListenConfig::pub_port>("listen.pub_port", "pub-port", "",
                                              "port of heartbeats and events"),
    {"listen.http_host", kScalar, kShared, "", "http-host", "",
     "address the HTTP server listens on", &assign_host<&N::listen, &ListenConfig::http_host, true>,
     &read_word<&N::listen, &ListenConfig::http_host>},
    integer<&N::listen, &ListenConfig::http_port, 0, 65535>(
        "listen.http_port", "", "http-port port", "P2P_PORT RINGRIFT_P2P_PORT",
        "port of HTTP; 0: off"),
    {"advertise.host", kScalar, SettingScope::per_node, "", "advertise-host",
     "RINGRIFT_ADVERTISE_HOST", "address others dial first",
     &assign_host<&N::advertise, &AdvertiseConfig::host, false>,
     &read_word<&N::advertise, &AdvertiseConfig::host>},
    integer<&N::advertise, &AdvertiseConfig::router_port, 0, 65535>(
        "advertise.router_port", "", "advertise-router-port", "",
        "port others dial for calls, if mapped; 0: as it listens"),
    integer<&N::advertise, &AdvertiseConfig::pub_port, 0, 65535>(
        "advertise.pub_port", "", "advertise-pub-port", "",
        "port others dial for events, if mapped; 0: as it listens"),
    integer<&N::advertise, &AdvertiseConfig::http_port, 0, 65535>(
        "advertise.http_port", "", "advertise-http-port advertise-port", "RINGRIFT_ADVERTISE_PORT",
        "port others dial for HTTP, if mapped; 0: as it listens"),
    {"paths.data_dir", kScalar, kShared, "", "data-dir", "", "keys, roster, incarnation and caches",
     &assign_path<&N::paths, &PathsConfig::data_dir>,
     &read_word<&N::paths, &PathsConfig::data_dir>},
    {"paths.keys_dir", kScalar, kShared, "", "keys-dir", "", "this node's keys; data_dir/keys",
     &assign_path<&N::paths, &PathsConfig::keys_dir>,
     &read_word<&N::paths, &PathsConfig::keys_dir>},
    {"log.level", kScalar, kShared, "", "log-level", "", "trace, debug, info, warn or error",
     &assign_choice<&N::log, &LogConfig::level, kLogLevels>,
     &read_word<&N::log, &LogConfig::level>},
    {"log.format", kScalar, kShared, "", "log-format", "", "text, or json: one object per line",
     &assign_choice<&N::log, &LogConfig::format, kLogFormats>,
     &read_word<&N::log, &LogConfig::format>},
    {"log.file", kScalar, kShared, "", "log-file", "", "where to log; empty: standard error",
     &assign_path<&N::log, &LogConfig::file>, &read_word<&N::log, &LogConfig::file>},
    {"timing.profile", kScalar, kShared, "", "profile", "", "lan, wan or flaky", &assign_profile,
     [](const N& node) { return Texts{std::string(to_string(node.timing.profile))}; }},
    timing<&T::interval_ms, 50, 60'000>("timing.interval_ms", "ms", "between a member's beats"),
    timing<&T::silence_min_ms, 100, 600'000>("timing.silence_min_ms", "ms",
                                             "silence before a watcher asks: floor"),
    timing<&T::silence_max_ms, 100, 600'000>("timing.silence_max_ms", "ms",
                                             "silence before a watcher asks: ceiling"),
    timing<&T::probe_min_ms, 10, 60'000>("timing.probe_min_ms", "ms", "wait for an answer: floor"),
    timing<&T::probe_max_ms, 10, 60'000>("timing.probe_max_ms", "ms",
                                         "wait for an answer: ceiling"),
    timing<&T::suspicion_min_ms, 100, 600'000>("timing.suspicion_min_ms", "ms",
                                               "from suspect to dead: floor"),
    timing<&T::suspicion_max_ms, 100, 3'600'000>("timing.suspicion_max_ms", "ms",
                                                 "from suspect to dead: ceiling"),
    timing<&T::watchers, 1, 16>("timing.watchers", "", "members that watch each member"),
    limit<&L::message_bytes_max, 4096, 16'777'216>("limits.message_bytes_max", "bytes",
                                                   "one bus message"),
    limit<&L::hwm_control, 10, 100'000>("limits.hwm_control", "messages", "queued per peer: calls"),
    limit<&L::hwm_published, 1, 100'000>("limits.hwm_published", "messages",
                                         "queued per subscriber: beats and events"),
    limit<&L::call_queue_max, 1, 100'000>("limits.call_queue_max", "",
                                          "calls waiting for one peer's connection"),
    limit<&L::dedup_window, 64, 1'000'000>("limits.dedup_window", "",
                                           "sequence numbers remembered per origin"),
    limit<&L::tap_queue_max, 16, 1'000'000>("limits.tap_queue_max", "messages",
                                            "buffered for one tap"),
    limit<&L::sockets_max, 64, 1'000'000>("limits.sockets_max", "", "ZeroMQ sockets"),
    limit<&L::listen_backlog, 16, 65'535>("limits.listen_backlog", "", "pending connects"),
    limit<&L::handshake_timeout_ms, 100, 120'000>("limits.handshake_timeout_ms", "ms",
                                                  "until a silent stranger is cut off"),
    limit<&L::reconnect_min_ms, 10, 60'000>("limits.reconnect_min_ms", "ms",
                                            "first pause before a new dial"),
    limit<&L::reconnect_max_ms, 10, 600'000>("limits.reconnect_max_ms", "ms",
                                             "longest pause between dials"),
    limit<&L::breaker_failures, 1, 100>("limits.breaker_failures", "",
                                        "failures in a row that open an address's breaker"),
    limit<&L::breaker_half_open_ms, 100, 600'000>("limits.breaker_half_open_ms", "ms",
                                                  "until an open breaker lets one trial through"),
    integer<&N::peer_cache, &PeerCacheConfig::entries_max, 1, 100'000>(
        "peer_cache.entries_max", "", "", "", "members remembered on disk"),
    integer<&N::peer_cache, &PeerCacheConfig::ttl_hours, 1, 8760>(
        "peer_cache.ttl_hours", "hours", "", "", "how long an unseen member is remembered"),
    integer<&N::executor, &ExecutorConfig::slots, 0, 1024>(
        "executor.slots", "", "", "", "jobs at once; 0: this node runs no work"),
    integer<&N::executor, &ExecutorConfig::memory_reserved_mb, 0, 1'000'000>(
        "executor.memory_reserved_mb", "MiB", "", "", "memory that is not offered to work"),
    integer<&N::executor, &ExecutorConfig::disk_reserved_mb, 0, 100'000'000>(
        "executor.disk_reserved_mb", "MiB", "", "", "free disk that is not offered to work"),
    integer<&N::executor, &ExecutorConfig::finished_kept, 0, 10'000>(
        "executor.finished_kept", "", "", "", "finished jobs whose output stays readable"),
});

}  // namespace

std::span<const SettingSpec> daemon_setting_rows() { return kDaemonSettings; }

}  // namespace riftbus
