#include "node/startup.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "bus/clock.h"
#include "bus/durable_file.h"
#include "node/disk/files.h"
#include "node/disk/incarnation_file.h"
#include "node/mesh/relay_choice.h"
#include "node/mesh/tunnel_plan.h"
#include "node/resources.h"

namespace riftbus::node {

namespace {

std::string peer_cache_path(const NodeSettings& settings) {
  return settings.paths.data_dir + "/peers.db";
}

Status check_settings(const NodeSettings& settings) {
  if (settings.node_id.empty()) {
    return Error{1601, "this node has no id", "",
                 "set --node-id, RIFTBUS_NODE_ID or NODE_ID in node.conf"};
  }
  if (settings.insecure) {
    if (is_loopback_only(settings.listen.host)) return Ok{};
    return Error{1602, "--insecure works on loopback only", settings.listen.host,
                 "listen on 127.0.0.1, or leave --insecure out and use keys"};
  }
  if (!settings.authority) {
    return Error{
        1603, "the cluster's authority key is not known", "",
        "copy authority.pub's line into `authority:` of the cluster file, or use --authority"};
  }
  return Ok{};
}

// The id in the key file is the identity; a different one in the settings is a mix-up of hosts.
Status load_identity(Prepared& prepared) {
  const auto& settings = prepared.settings;
  auto identity = load_node_key(settings.paths.keys_dir);
  if (!identity) return identity.error();
  if (identity->id != settings.node_id) {
    return Error{1604,
                 "the key in this folder belongs to " + identity->id.value() + ", not to " +
                     settings.node_id.value(),
                 settings.paths.keys_dir, "use that node's own key folder, or make a new key here"};
  }
  auto roster = load_roster_file(roster_path(settings), *settings.authority, settings.cluster);
  if (!roster) return roster.error();
  if (roster->fallback_reason) prepared.notes.push_back(roster->fallback_reason->to_string());
  const auto* entry = roster->roster.roster.find(identity->id);
  if (entry == nullptr || (entry->key != identity->keys.public_key &&
                           entry->previous_key != identity->keys.public_key)) {
    // Not fatal: the roster here may be old. Peers will judge by theirs.
    prepared.notes.push_back(
        "the roster on disk does not list this node's key; approve it with "
        "`riftbus key approve " +
        identity->id.value() + "`");
  }
  prepared.identity = std::move(*identity);
  prepared.roster = std::move(roster->roster);
  return Ok{};
}

// Two daemons in one directory would speak with one name and write into each other's files.
Status lock_directory(Prepared& prepared) {
  const std::string& path = prepared.settings.paths.data_dir;
  prepared.lock.emplace(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!prepared.lock->ok()) return system_error(1609, "the data directory cannot be opened", path);
  if (::flock(prepared.lock->fd(), LOCK_EX | LOCK_NB) == 0) return Ok{};
  if (errno != EWOULDBLOCK) {
    return system_error(1609, "the data directory cannot be locked", path);
  }
  return Error{1609, "another daemon runs in this data directory", path,
               "end that one first, or give each its own --data-dir"};
}

void load_incarnation(Prepared& prepared) {
  const auto stored = IncarnationFile(incarnation_path(prepared.settings)).load();
  if (stored) {
    prepared.stored = *stored;
  } else {
    prepared.notes.push_back(stored.error().to_string());
  }
}

Status load_cache(Prepared& prepared) {
  const auto& limits = prepared.settings.peer_cache;
  std::string note;
  auto cache = PeerCache::open(peer_cache_path(prepared.settings),
                               {limits.entries_max, limits.ttl_hours * 3600}, note);
  if (!note.empty()) prepared.notes.push_back(note);
  if (!cache) {
    prepared.notes.push_back(cache.error().to_string());
    return Ok{};
  }
  prepared.cache = std::move(*cache);
  auto peers = prepared.cache->load(bus::wall_now_ms() / 1000);
  if (peers) {
    prepared.cached = std::move(*peers);
  } else {
    prepared.notes.push_back(peers.error().to_string());
  }
  return Ok{};
}

// Where a node that nobody can dial will be found: it ranks relays as we do.
void add_relays(const ClusterConfig& cluster, const NodeConfig& node,
                std::vector<wire::Address>& known) {
  const auto places =
      rank_relays(node.id, relay_places_for(cluster, node.id), !node.relays.empty());
  for (std::size_t i = 0; i < places.size() && i < TunnelPlan::kWanted; ++i) {
    const auto& place = places[i];
    known.push_back(
        {wire::AddressKind::relay, place.hosts.front(), place.front_port, place.front_port});
  }
}

void load_cluster(Prepared& prepared, const ClusterConfig& cluster) {
  for (const auto& [id, node] : cluster.nodes) {
    if (node.status == NodeStatus::retired) continue;
    prepared.configured.insert(id);
    auto& known = prepared.known_addresses[id];
    for (const auto& address : node.addresses) known.push_back(to_wire(address));
    if (node.nat_blocked) add_relays(cluster, node, known);
  }
  prepared.relays = relay_places(cluster, prepared.settings.relays);
  prepared.all_relays = relay_places(cluster, cluster.relays);
}

void replace(Nanos& value, const std::optional<std::int64_t>& ms) {
  if (ms) value = Millis{*ms};
}

}  // namespace

std::string incarnation_path(const NodeSettings& settings) {
  return settings.paths.data_dir + "/incarnation";
}
std::string roster_path(const NodeSettings& settings) {
  return settings.paths.data_dir + "/" + kRosterFile;
}

membership::Timing effective_timing(const TimingConfig& config) {
  auto timing = config.profile == TimingProfile::lan     ? membership::lan_timing()
                : config.profile == TimingProfile::flaky ? membership::flaky_timing()
                                                         : membership::wan_timing();
  replace(timing.interval, config.interval_ms);
  replace(timing.silence_min, config.silence_min_ms);
  replace(timing.silence_max, config.silence_max_ms);
  replace(timing.probe_min, config.probe_min_ms);
  replace(timing.probe_max, config.probe_max_ms);
  replace(timing.suspicion_min, config.suspicion_min_ms);
  replace(timing.suspicion_max, config.suspicion_max_ms);
  if (config.watchers) timing.watchers = static_cast<unsigned>(*config.watchers);
  // A raised floor lifts its ceiling, so that the bands stay bands.
  timing.silence_max = std::max(timing.silence_max, timing.silence_min);
  timing.probe_max = std::max(timing.probe_max, timing.probe_min);
  timing.suspicion_max = std::max(timing.suspicion_max, timing.suspicion_min);
  return timing;
}

Result<Prepared> prepare_node(const EffectiveConfig& config) {
  Prepared prepared;
  prepared.settings = config.node;
  prepared.timing = effective_timing(config.node.timing);
  if (auto status = check_settings(prepared.settings); !status) return status.error();
  if (auto status = make_private_directory(prepared.settings.paths.data_dir); !status)
    return status.error();
  if (auto status = lock_directory(prepared); !status) return status.error();
  load_cluster(prepared, config.cluster);
  if (!prepared.settings.insecure) {
    if (auto status = load_identity(prepared); !status) return status.error();
  }
  load_incarnation(prepared);
  if (auto status = load_cache(prepared); !status) return status.error();
  return prepared;
}

}  // namespace riftbus::node
