// The cluster in the shapes of the former orchestrator: same keys, same types, also the odd ones.
//
// `peers` is an object by id, `alive_peers` a number, `last_heartbeat` seconds since the epoch,
// `status` the role. What that system had and this one has not (forced leaders, provisional
// leaders) is said to be off. The node's own status document stands in `riftbus`.
#include <algorithm>

#include "node/api/api_leader.h"
#include "node/http/http_desk.h"
#include "node/http/legacy_member.h"

namespace riftbus::node {

namespace {

using wire::Standing;

struct Voters {
  std::vector<NodeId> ids;
  std::size_t alive = 0;
  [[nodiscard]] std::size_t quorum() const { return ids.size() / 2 + 1; }
  [[nodiscard]] bool has_quorum() const { return alive >= quorum(); }
};

Voters voters_of(const NodeView& view) {
  Voters voters;
  if (view.roster != nullptr) {
    voters.ids = view.roster->voters;
  } else if (view.leadership) {
    voters.ids = view.leadership->leader->voters();
  }
  for (const auto& id : voters.ids) {
    const auto* member = view.membership->find(id);
    if (id == view.self || (member != nullptr && member->standing == Standing::alive)) {
      ++voters.alive;
    }
  }
  return voters;
}

void add_voters(const NodeView& view, Json& json) {
  const Voters voters = voters_of(view);
  json["voter_node_ids"] = ids_json(voters.ids);
  json["voters"] = ids_json(voters.ids);
  json["voter_quorum_size"] = voters.quorum();
  json["voters_alive"] = voters.alive;
  json["voter_quorum_ok"] = voters.has_quorum();
  json["voter_config_version"] = view.roster ? Json(view.roster->version.value()) : Json(0);
  Json standing = Json::object();
  for (const auto& id : voters.ids) {
    const auto* member = view.membership->find(id);
    standing[id.value()] = member != nullptr && member->standing == Standing::alive;
  }
  json["voter_health"] = {{"voters_total", voters.ids.size()},
                          {"voters_alive", voters.alive},
                          {"quorum_ok", voters.has_quorum()},
                          {"voter_status", std::move(standing)}};
}

struct Counts {
  std::size_t alive = 0, suspect = 0, dead = 0;  // who is suspected counts as alive, too

  void add(const membership::Member& member) {
    ++(is_online(member) ? alive : dead);
    if (member.standing == Standing::suspect) ++suspect;
  }
};

Counts add_peers(const NodeView& view, const Glance& seen, bool alive_only, Json& json) {
  Counts counts;
  json["peers"] = Json::object();
  json["all_peers"] = Json::object();
  for (const auto* member : view.membership->members()) {
    const auto& id = member->record.id;
    if (id == view.self) continue;
    counts.add(*member);
    if (alive_only && !is_online(*member)) continue;
    Json info = node_info(*member, view, seen);
    json["all_peers"][id.value()] = {{"node_id", id.value()},
                                     {"host", info["host"]},
                                     {"port", info["port"]},
                                     {"role", info["role"]},
                                     {"capabilities", info["capabilities"]},
                                     {"load_score", 0},
                                     {"status", is_online(*member) ? "alive" : "dead"},
                                     {"state", info["state"]},
                                     {"is_alive", is_online(*member)},
                                     {"last_heartbeat", info["last_heartbeat"]},
                                     {"last_seen_seconds", info["last_seen_seconds"]}};
    json["peers"][id.value()] = std::move(info);
  }
  return counts;
}

// The policy in force, as it may be changed while the node runs.
Json protocols_json(const NodeView& view, const Glance& seen, const std::string& policy,
                    std::size_t alive) {
  return {{"membership_mode", to_string(view.membership_mode)},
          {"consensus_mode", policy},
          {"flags", flags_json(policy, view.membership_mode)},
          {"swim",
           {{"enabled", true}, {"started", view.membership->joined()}, {"alive_count", alive + 1}}},
          {"raft", {{"enabled", true}, {"available", seen.keeps_log || !seen.leader.empty()}}}};
}

std::string policy_of(const Json& native, const NodeSettings& settings) {
  const Json policy = native.value("leadership", Json::object()).value("policy", Json());
  return policy.is_string() ? policy.get<std::string>() : settings.leadership.policy;
}

std::size_t queue_size(const NodeView& view) {
  if (!view.leadership || view.leadership->voter == nullptr) return 0;
  const auto& ledger = view.leadership->voter->replica().queue().ledger();
  return ledger.count(work::State::ready) + ledger.count(work::State::delayed);
}

}  // namespace

void answer_status(HttpDesk& desk, const HttpCallPtr& call) {
  desk.ask(call, {"status", {}}, [&desk, call](const Json& native) {
    const NodeView view = desk.view();
    const Glance seen = desk.glance();
    const bool alive_only = argument_of(*call, "alive_only") == "true";
    const Json leader = seen.leader.empty() ? Json() : Json(seen.leader);
    Json json{{"node_id", seen.node},
              {"role", seen.role},
              {"status", seen.role},
              {"leader_id", leader},
              {"effective_leader_id", leader},
              {"is_leader", seen.leader == seen.node},
              {"forced_leader_override", false},
              {"is_provisional_leader", false}};
    add_voters(view, json);
    json["leaders_reported"] = seen.leader.empty() ? Json::array() : Json::array({seen.leader});
    json["leaders_eligible"] = json["voter_node_ids"];
    json["self"] = self_info(view, seen);
    const Counts counts = add_peers(view, seen, alive_only, json);
    json["alive_peers"] = counts.alive;
    json["total_peers"] = json["all_peers"].size();
    json["suspect_peers"] = counts.suspect;
    json["dead_peers"] = counts.dead;
    json["local_jobs"] = seen.jobs_running;
    json["active_jobs"] = seen.jobs_running;
    json["selfplay_jobs"] = jobs_like(seen, "selfplay");
    json["training_jobs"] = jobs_like(seen, "train");
    json["work_queue_size"] = queue_size(view);
    json["uptime_seconds"] = static_cast<double>(to_ms(view.now.at - seen.started)) / 1000;
    json["version"] = view.software;
    json["cluster_health"] = native.value("state", "");
    json["swim_raft"] =
        protocols_json(view, seen, policy_of(native, desk.settings()), counts.alive);
    json["partition"] = {{"detected", !json["voter_quorum_ok"].get<bool>()}};
    json["network"] = {{"peers_total", json["total_peers"]}, {"peers_alive", counts.alive}};
    json["gossip_metrics"] = native.value("membership", Json::object());
    json["background_loops"] = Json::object();
    json["config_version"] = json["voter_config_version"];
    json["peer_health_summary"] = native.value("members", Json::object());
    json["timestamp"] = iso_time(view.now.wall_ms);
    json["riftbus"] = native;
    reply_json(call, 200, json);
  });
}

void answer_swim(HttpDesk& desk, const HttpCallPtr& call) {
  const NodeView view = desk.view();
  Json members = Json::array();
  Counts counts;
  for (const auto* member : view.membership->members()) {
    counts.add(*member);
    members.push_back({{"node_id", member->record.id.value()},
                       {"state", wire::to_string(member->standing)},
                       {"incarnation", member->incarnation.value()}});
  }
  reply_json(call, 200,
             {{"enabled", true},
              {"started", view.membership->joined()},
              {"node_id", view.self.value()},
              {"alive_count", counts.alive},
              {"suspect_count", counts.suspect},
              {"failed_count", counts.dead},
              {"health", view.membership->health()},
              {"members", std::move(members)}});
}

void answer_raft(HttpDesk& desk, const HttpCallPtr& call) {
  desk.ask(call, {"leader.show", {}}, [&desk, call](const Json& shown) {
    const Glance seen = desk.glance();
    Json json{{"enabled", true},
              {"available", seen.keeps_log || !seen.leader.empty()},
              {"node_id", seen.node},
              {"is_leader", seen.leader == seen.node},
              {"leader_id", seen.leader.empty() ? Json() : Json(seen.leader)},
              {"keeps_log", seen.keeps_log}};
    for (const char* key : {"term", "role", "policy", "generation", "settled", "log"}) {
      if (shown.contains(key)) json[key] = shown[key];
    }
    reply_json(call, 200, json);
  });
}

// Whom this node holds for the leader: what the former system's arbiters were asked.
void answer_grant(HttpDesk& desk, const HttpCallPtr& call) {
  desk.ask(call, {"leader.show", {}}, [&desk, call](const Json& shown) {
    const Glance seen = desk.glance();
    const Json term = shown.value("term", Json(0));
    reply_json(call, 200,
               {{"granted", !seen.leader.empty()},
                {"leader_id", seen.leader.empty() ? Json() : Json(seen.leader)},
                {"voter_id", seen.node},
                {"lease_epoch", term},
                {"lease_id", seen.leader.empty() ? "" : seen.leader + "-" + term.dump()}});
  });
}

void answer_relays(HttpDesk& desk, const HttpCallPtr& call) {
  const NodeView view = desk.view();
  Json relays = Json::array();
  if (view.roster != nullptr) {
    for (const auto& id : view.roster->relays) {
      const auto* member = view.membership->find(id);
      relays.push_back({{"id", id.value()},
                        {"standing", member ? Json(wire::to_string(member->standing)) : Json()}});
    }
  }
  Json behind = Json::array();
  for (const auto* member : view.membership->members()) {
    Json through = Json::array();
    for (const auto& address : member->record.addresses) {
      if (address.kind == wire::AddressKind::relay) through.push_back(address.host);
    }
    if (through.empty()) continue;
    behind.push_back({{"id", member->record.id.value()},
                      {"standing", wire::to_string(member->standing)},
                      {"through", std::move(through)}});
  }
  Json json = begin_document("relays", view);
  json["relays"] = std::move(relays);
  json["behind"] = std::move(behind);
  reply_json(call, 200, json);
}

void answer_relay_peers(HttpDesk& desk, const HttpCallPtr& call) {
  const NodeView view = desk.view();
  const Glance seen = desk.glance();
  Json json{{"success", true}};
  const auto counts = add_peers(view, seen, false, json);
  json.erase("all_peers");
  json["self"] = self_info(view, seen);
  json["peer_count"] = counts.alive;
  json["leader_id"] = seen.leader.empty() ? Json() : Json(seen.leader);
  reply_json(call, 200, json);
}

void answer_cluster(HttpDesk& desk, const HttpCallPtr& call) {
  const NodeView view = desk.view();
  const Glance seen = desk.glance();
  Json peers = Json::array();
  for (const auto* member : view.membership->members()) {
    Json info = node_info(*member, view, seen);
    info["status"] = is_online(*member) ? "online" : "offline";
    peers.push_back(std::move(info));
  }
  const auto count = peers.size();
  reply_json(call, 200,
             {{"success", true},
              {"node_id", seen.node},
              {"role", seen.role},
              {"leader_id", seen.leader.empty() ? Json() : Json(seen.leader)},
              {"peers", std::move(peers)},
              {"peer_count", count}});
}

// Who belongs to the cluster is the roster's to say; this only tells whether it does.
void register_node(HttpDesk& desk, const HttpCallPtr& call) {
  const NodeView view = desk.view();
  const auto id = NodeId::parse(argument_of(*call, "node_id"));
  if (!id) return desk.fail(call, Error{1503, "node_id is missing or no id", "", "name a node"});
  const bool is_listed = view.roster == nullptr || view.roster->find(*id) != nullptr;
  if (!is_listed) {
    return reply_trouble(call, {403,
                                "NOT_IN_ROSTER",
                                "the roster does not name this node",
                                {{"next", "riftbus key approve " + id->value()}}});
  }
  const Glance seen = desk.glance();
  reply_json(call, 200,
             {{"success", true},
              {"node_id", id->value()},
              {"known", view.membership->find(*id) != nullptr},
              {"leader_id", seen.leader.empty() ? Json() : Json(seen.leader)}});
}

}  // namespace riftbus::node
