#include "node/http/legacy_member.h"

#include <algorithm>

#include "bus/wire/relayed.h"
#include "config/address.h"
#include "node/api/api_leader.h"
#include "node/http/machine_meter.h"

namespace riftbus::node {

namespace {

using wire::Standing;

// Of this machine, as /proc says it; the former system read it for every peer, and stalled.
MachineMeter::Load own_load(const NodeView& view) {
  static MachineMeter meter;  // loop thread only, as this whole room
  return meter.look(view.now.at);
}

bool is_voter(const NodeView& view, const NodeId& id) {
  if (view.roster == nullptr) return false;
  return std::find(view.roster->voters.begin(), view.roster->voters.end(), id) !=
         view.roster->voters.end();
}

// How long ago this node knew it to be alive: its last beat here, or since when it is what it is.
double silent_s(const membership::Member& member, const NodeView& view) {
  for (const auto& watch : view.membership->watching()) {
    if (watch.peer == member.record.id && watch.beats > 0) {
      return seconds_of(view.now.at - watch.last_beat);
    }
  }
  return member.standing == Standing::alive ? 0 : seconds_of(view.now.at - member.since);
}

std::string first_relay(const wire::Record& record) {
  const auto found =
      std::find_if(record.addresses.begin(), record.addresses.end(),
                   [](const auto& one) { return one.kind == wire::AddressKind::relay; });
  return found == record.addresses.end() ? "" : found->host;
}

// Every way to it, as "host:port", and the hosts beside the first.
void add_addresses(const wire::Record& record, Json& json) {
  Json all = Json::array(), others = Json::array();
  json["tailscale_ip"] = Json();
  for (const auto& address : record.addresses) {
    all.push_back(address.host + ":" + std::to_string(address.call_port));
    if (address.host != record.addresses.front().host) others.push_back(address.host);
    if (address.kind == wire::AddressKind::tailscale) json["tailscale_ip"] = address.host;
  }
  json["addresses"] = std::move(all);
  json["alternate_ips"] = std::move(others);
}

}  // namespace

bool is_online(const membership::Member& member) {
  return member.standing == Standing::alive || member.standing == Standing::suspect ||
         member.standing == Standing::unreachable;
}

std::size_t jobs_like(const Glance& seen, std::string_view word) {
  std::size_t count = 0;
  for (const auto& [kind, running] : seen.jobs_by_kind) {
    if (kind.find(word) != std::string::npos) count += running;
  }
  return count;
}

Json node_info(const membership::Member& member, const NodeView& view, const Glance& seen) {
  const wire::Record& record = member.record;
  const std::string id = record.id.value();
  const double silent = silent_s(member, view);
  const std::string host = record.addresses.empty() ? "" : record.addresses.front().host;
  const bool is_relayed = wire::is_relayed(record);
  Json capabilities = Json::array({"cpu"});
  if (record.resources.gpus > 0) capabilities.push_back("gpu");
  Json json{{"node_id", id},
            {"host", host},
            {"port", id == seen.node ? seen.http_port : kHttpPort},
            {"scheme", "http"},
            {"role", id == seen.leader ? "leader" : "follower"},
            {"status", wire::to_string(member.standing)},
            {"state", wire::to_string(member.standing)},
            {"last_heartbeat", static_cast<double>(view.now.wall_ms) / 1000 - silent},
            {"seconds_since_heartbeat", silent},
            {"last_seen_seconds", silent},
            {"is_alive", is_online(member)},
            {"leader_id", seen.leader.empty() ? Json() : Json(seen.leader)},
            {"leader_eligible", is_voter(view, record.id)},
            {"endpoint_conflict", false},
            {"cpu_count", record.resources.cpus},
            {"memory_gb", record.resources.memory_mb / 1024},
            {"has_gpu", record.resources.gpus > 0},
            {"gpu_name", record.resources.gpu_name},
            {"gpu_percent", 0},
            {"gpu_memory_percent", 0},
            {"disk_free_gb", record.resources.disk_free_mb / 1024},
            {"selfplay_jobs", 0},
            {"training_jobs", 0},
            {"capabilities", std::move(capabilities)},
            {"version", record.software},
            {"reported_host", host},
            {"consecutive_failures", 0},
            {"nat_blocked", is_relayed},
            {"relay_via", is_relayed ? Json(first_relay(record)) : Json()},
            {"heartbeat_via", via_json(record.id, view)},
            {"retired", member.standing == Standing::left},
            {"load_score", 0}};
  json["reported_port"] = json["port"];
  json["leader_term"] = view.leadership ? Json(view.leadership->leader->term()) : Json(0);
  add_addresses(record, json);
  return json;
}

Json self_info(const NodeView& view, const Glance& seen) {
  const auto* member = view.membership->find(view.self);
  Json json = member ? node_info(*member, view, seen) : Json{{"node_id", seen.node}};
  const auto load = own_load(view);
  json["role"] = seen.role;
  json["cpu_percent"] = load.cpu_percent;
  json["memory_percent"] = load.memory_percent;
  json["disk_percent"] = seen.disk_percent;
  json["selfplay_jobs"] = jobs_like(seen, "selfplay");
  json["training_jobs"] = jobs_like(seen, "train");
  json["visible_peers"] = seen.alive;
  json["load_score"] = (load.cpu_percent + load.memory_percent) / 2;
  return json;
}

}  // namespace riftbus::node
