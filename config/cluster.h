// The cluster, described: what the files say about it, and what one daemon runs with.
//
// Two views. ClusterConfig is the cluster file as read: the nodes, who votes, who relays, and the
// settings everybody shares. NodeSettings is what one daemon runs with after flags, environment,
// node file and cluster file have been laid over the defaults (config/effective.h). The defaults
// are the initialisers below and nowhere else; config/settings.cpp names each knob for files,
// flags, environment and `riftbus config show`.
//
// The file is a starting point, not the authority: keys and roles come from the signed roster,
// voters bootstrap once and then change through the log, and liveness is what members observe.
//
// Values without behaviour. Sizes are bytes, times carry their unit in the name.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.h"
#include "config/diagnostic.h"
#include "config/http_config.h"
#include "config/job_kind.h"
#include "config/leadership.h"
#include "config/relay_config.h"
#include "config/roster.h"
#include "config/tunnel_config.h"
#include "config/types.h"

namespace riftbus {

// Which numbers the failure detector starts from (node/membership/timing.h holds them).
// lan: one site, quick. wan: clouds and rented hosts, the default. flaky: links that stall for
// seconds; slow to accuse.
enum class TimingProfile : std::uint8_t { lan = 1, wan = 2, flaky = 3 };
[[nodiscard]] std::string_view to_string(TimingProfile profile);
[[nodiscard]] std::optional<TimingProfile> parse_timing_profile(std::string_view text);

// `timing:` A profile, and single numbers of it replaced for a cluster that measured better ones.
// Empty: the profile's number. Every member advertises its own timing, so mixed values agree.
struct TimingConfig {
  TimingProfile profile = TimingProfile::wan;    // the patient middle: no false deaths at 100 ms
  std::optional<std::int64_t> interval_ms;       // between a member's beats
  std::optional<std::int64_t> silence_min_ms;    // silence before a watcher asks: floor
  std::optional<std::int64_t> silence_max_ms;    // and ceiling of the adaption
  std::optional<std::int64_t> probe_min_ms;      // wait for an answer: floor
  std::optional<std::int64_t> probe_max_ms;      // and ceiling
  std::optional<std::int64_t> suspicion_min_ms;  // from suspect to dead when all confirm: floor
  std::optional<std::int64_t> suspicion_max_ms;  // and ceiling
  std::optional<std::int64_t> watchers;          // k: members that watch each member
  bool operator==(const TimingConfig&) const = default;
};

// `listen:` The sockets of this daemon.
struct ListenConfig {
  // Every interface: members must be reachable from outside, and CURVE admits only roster keys.
  std::string host = "0.0.0.0";
  std::uint16_t router_port = kRouterPort;  // calls between members
  std::uint16_t pub_port = kPubPort;        // heartbeats and events of this member
  // HTTP has no CURVE, so it stays on loopback; reach it through ssh, or open it knowingly.
  std::string http_host = "127.0.0.1";
  std::uint16_t http_port = kHttpPort;  // as the orchestrator it replaces; 0: no HTTP at all
  bool operator==(const ListenConfig&) const = default;
};

// `advertise:` How others reach this daemon when that differs from where it listens (a container's
// mapped ports, a public address it cannot see itself).
struct AdvertiseConfig {
  std::string host;               // empty: the node's addresses in the cluster file
  std::uint16_t router_port = 0;  // 0: as listen.router_port
  std::uint16_t pub_port = 0;     // 0: as listen.pub_port
  std::uint16_t http_port = 0;    // 0: as listen.http_port
  bool operator==(const AdvertiseConfig&) const = default;
};

// `paths:`
struct PathsConfig {
  // Keys, roster, incarnation, caches. /var/lib because it must outlive a reboot: a forgotten
  // incarnation makes a restarted member look like its dead former self.
  std::string data_dir = "/var/lib/riftbus";
  std::string keys_dir;  // empty: data_dir/keys, mode 0700
  bool operator==(const PathsConfig&) const = default;
};

// `log:`
struct LogConfig {
  std::string level = "info";   // trace, debug, info, warn, error: info names every verdict
  std::string format = "text";  // text or json: one object per line, for collectors
  std::string file;             // empty: standard error, where systemd's journal picks it up
  bool operator==(const LogConfig&) const = default;
};

// `limits:` Everything that can grow has a bound.
struct LimitsConfig {
  std::int64_t message_bytes_max =
      1024 * 1024;                  // one bus message; a larger one cuts the sender off
  std::int64_t hwm_control = 1000;  // messages queued per peer: calls. Then the sender hears "slow"
  std::int64_t hwm_published = 64;  // messages queued per subscriber: old beats are not life
  std::int64_t call_queue_max = 256;   // calls waiting for one peer's connection
  std::int64_t dedup_window = 1024;    // remembered sequence numbers per origin: at most once
  std::int64_t tap_queue_max = 4096;   // messages buffered for one tap, then dropped and counted
  std::int64_t sockets_max = 8192;     // ZeroMQ sockets; its own default of 1023 ends at ~340 peers
  std::int64_t listen_backlog = 4096;  // pending connects: 100 stalls a storm of 1000 reconnects
  std::int64_t handshake_timeout_ms = 5000;  // a stranger that stays silent is cut off
  std::int64_t reconnect_min_ms = 250;       // first pause before a new dial, jittered
  std::int64_t reconnect_max_ms = 30'000;    // longest pause between dials
  std::int64_t breaker_failures = 3;         // failures in a row that open an address's breaker
  std::int64_t breaker_half_open_ms =
      30'000;  // until one trial is let through: never stuck for hours
  bool operator==(const LimitsConfig&) const = default;
};

// `peer_cache:` Members remembered on disk, to find the cluster when every seed is down.
struct PeerCacheConfig {
  std::int64_t entries_max = 200;   // enough for any seed set, small enough to read at start
  std::int64_t ttl_hours = 7 * 24;  // a rented address unused for a week is somebody else's
  bool operator==(const PeerCacheConfig&) const = default;
};

// `executor:` What this daemon may spend on work. It runs the kinds under `jobs` and offers what it
// measures, less the reserve.
struct ExecutorConfig {
  std::int64_t slots = 64;                // jobs at once; 0: this node runs no work
  std::int64_t memory_reserved_mb = 512;  // not offered: for the system and this daemon
  std::int64_t disk_reserved_mb = 2048;   // not offered: a full disk stops more than one job
  std::int64_t finished_kept = 100;       // finished jobs whose output stays readable
  bool operator==(const ExecutorConfig&) const = default;
};

// Whether a node takes part. Only `ready` nodes may vote or relay; `retired` ones are history.
enum class NodeStatus : std::uint8_t {
  ready = 1,
  setup = 2,
  offline = 3,
  proxy_only = 4,
  retired = 5
};
[[nodiscard]] std::string_view to_string(NodeStatus status);
[[nodiscard]] std::optional<NodeStatus> parse_node_status(std::string_view text);

// What the operator says the machine has; what it measures itself wins.
struct DeclaredResources {
  std::int64_t cpus = 0;  // 0: not said, here and below
  std::int64_t memory_gb = 0;
  std::string gpu;
  std::int64_t gpu_vram_gb = 0;
  bool operator==(const DeclaredResources&) const = default;
};

// One value as written somewhere, not yet interpreted: `key` is a row of config/settings.h.
// Lists are split already; a scalar has exactly one text.
struct SettingInput {
  std::string key;
  std::vector<std::string> texts;
  SourcePlace where;
};

// `nodes.<id>:`
struct NodeConfig {
  NodeId id;
  NodeStatus status = NodeStatus::ready;
  std::vector<NodeAddress> addresses;  // in the order written; empty: found out when it joins
  std::set<Role> roles;                // hints for `riftbus key approve`; the roster decides
  // What fails together: watchers and relays of one member are drawn from different domains.
  // Empty: the provider; and without one, the node itself.
  std::string failure_domain;
  std::string provider;  // "hetzner", "vast": from the file, or guessed in legacy files
  std::string region;
  std::map<std::string, std::string> tags;
  bool nat_blocked = false;    // nobody can dial it: it is reached through a relay
  bool is_ephemeral = false;   // may vanish for good: never votes
  std::vector<NodeId> relays;  // preferred relays, best first; empty: chosen by hash
  DeclaredResources resources;
  std::vector<SettingInput> settings;  // what only this node runs with
  SourcePlace where;

  // failure_domain, else provider, else the id.
  [[nodiscard]] std::string domain() const;
};

struct ClusterConfig {
  std::string cluster;  // name: 1 to 64 characters, as a node id; messages of another are dropped
  std::optional<AuthorityKey> authority;  // whose signature makes a roster valid
  std::map<NodeId, NodeConfig> nodes;
  std::vector<NodeId> voters;  // bootstraps the log; later changes go through the log
  std::vector<NodeId> relays;
  std::vector<SettingInput> settings;   // what every node runs with unless it says otherwise
  std::map<std::string, JobKind> jobs;  // by name
  bool is_legacy = false;  // read from a distributed_hosts.yaml: mistakes that a user lived with
                           // so far are warnings
  SourcePlace where;       // the file
  SourcePlace voters_where;
  // Where an id of voters or relays stands, for messages.
  std::map<NodeId, SourcePlace> voter_places;
  std::map<NodeId, SourcePlace> relay_places;

  [[nodiscard]] const NodeConfig* find(const NodeId& id) const;
};

// A place to knock at when joining. `node` is known if the cluster file lists the address.
struct Seed {
  std::string host;
  std::uint16_t router_port = kRouterPort;
  std::optional<NodeId> node;
  bool operator==(const Seed&) const = default;
};

// What one daemon runs with.
struct NodeSettings {
  // Keys tell clusters apart; the name catches mistakes, so one that nobody chose will do.
  std::string cluster = "riftbus";
  NodeId node_id;
  std::optional<AuthorityKey> authority;
  ListenConfig listen;
  AdvertiseConfig advertise;
  // Everything others may dial, best first: advertise.host, then the cluster file's addresses.
  // Empty: the daemon advertises what its interfaces and its peers' view say.
  std::vector<NodeAddress> addresses;
  PathsConfig paths;  // keys_dir is filled in
  LogConfig log;
  TimingConfig timing;
  LeadershipConfig leadership;
  LimitsConfig limits;
  PeerCacheConfig peer_cache;
  ExecutorConfig executor;
  HttpConfig http;
  TunnelConfig tunnel;                  // key_file and status_file are filled in
  RelayConfig relay;                    // as are its files
  std::map<std::string, JobKind> jobs;  // the kinds of work that it runs, by name
  std::vector<Seed> seeds;              // never this node itself
  std::vector<NodeId> voters;
  std::vector<NodeId> relays;   // this node's preferred ones, else the cluster's
  bool prefers_relays = false;  // they are its own, best first; else a hash decides among them
  std::map<std::string, std::string> tags;
  std::string failure_domain;  // filled in: never empty
  bool nat_blocked = false;
  // No CURVE at all; refused unless every address is loopback. For a first look at one machine.
  bool insecure = false;
  DeclaredResources resources;
};

}  // namespace riftbus
