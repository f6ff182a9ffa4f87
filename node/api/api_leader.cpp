#include "node/api/api_leader.h"

#include <algorithm>

#include "node/quorum/founding.h"

namespace riftbus::node {

namespace {

Json name_json(const LeadershipView& leadership, consensus::ServerId id) {
  return id == consensus::ServerId() ? Json() : Json(leadership.names->text(id));
}

Json names_json(const LeadershipView& leadership, const std::set<consensus::ServerId>& ids) {
  Json names = Json::array();
  for (const auto id : ids) names.push_back(leadership.names->text(id));
  return names;
}

const consensus::PeerStatus* find_peer(const consensus::Status& status, consensus::ServerId id) {
  const auto at = std::find_if(status.peers.begin(), status.peers.end(),
                               [&](const auto& peer) { return peer.id == id; });
  return at == status.peers.end() ? nullptr : &*at;
}

Json server_json(const consensus::Server& server, const consensus::Status& status,
                 const LeadershipView& leadership, const NodeView& view) {
  const NodeId name = leadership.names->find(server.id);
  const auto* member = view.membership->find(name);
  Json json = {{"id", leadership.names->text(server.id)},
               {"standing", server.standing == consensus::Standing::voter ? "voter" : "learner"},
               {"priority", server.priority},
               {"leads", server.id == status.leader},
               {"alive", view.is_alive(name)},
               {"member", member ? Json(wire::to_string(member->standing)) : Json("unknown")}};
  // Only a leader knows how far the others are.
  if (const auto* peer = find_peer(status, server.id)) {
    json["match"] = peer->match.value();
    json["behind"] = consensus::distance(peer->match, status.last);
    json["last_heard"] = peer->heard ? time_json(peer->contact, view) : Json();
    json["lost_data"] = peer->lost_data;
  }
  return json;
}

Json log_json(const consensus::Status& status) {
  return {{"commit", status.commit.value()},
          {"applied", status.applied.value()},
          {"last", status.last.value()},
          {"durable", status.durable.value()}};
}

Json reason_json(const std::string& text) { return {{"text", text}}; }

// In words, the most telling first.
Json reasons_json(const consensus::Status& status, const LeadershipView& leadership,
                  const NodeView& view) {
  Json reasons = Json::array();
  const auto& configuration = leadership.voter->replica().log().configuration();
  std::size_t alive = 0;
  std::string missing;
  for (const auto id : configuration.voters()) {
    const NodeId name = leadership.names->find(id);
    const bool counts = view.is_alive(name) || name == view.self;
    alive += counts ? 1 : 0;
    if (counts) continue;
    const auto* member = view.membership->find(name);
    if (!missing.empty()) missing += ", ";
    missing += leadership.names->text(id);
    if (member != nullptr) {
      missing += std::string(" (") + wire::to_string(member->standing) + " since " +
                 format_span(view.now.at - member->since) + ")";
    } else {
      missing += " (never seen)";
    }
  }
  const std::string count = std::to_string(alive) + " of " +
                            std::to_string(configuration.voter_count()) + " voters seem alive, " +
                            std::to_string(configuration.majority()) + " are needed";
  if (alive < configuration.majority()) reasons.push_back(reason_json("no quorum: " + count));
  if (!missing.empty()) reasons.push_back(reason_json("missing: " + missing));
  if (status.leader != consensus::ServerId()) {
    reasons.push_back(reason_json(leadership.names->text(status.leader) + " leads in term " +
                                  std::to_string(status.term.value())));
  } else if (status.role == consensus::Role::follower) {
    reasons.push_back(reason_json("this node waits for a leader, or for its turn to campaign"));
  } else {
    reasons.push_back(reason_json("this node campaigns: " + std::to_string(status.granted.size()) +
                                  " granted, " + std::to_string(status.refused.size()) +
                                  " refused"));
  }
  return reasons;
}

}  // namespace

Json leadership_json(const LeadershipView& leadership, const NodeView& view) {
  const LeaderWatch& watch = *leadership.leader;
  Json json = {
      {"leader", watch.leader().empty() ? Json() : Json(watch.leader().value())},
      {"term", watch.term()},
      {"since", watch.leader().empty() ? Json() : time_json(watch.since(), view)},
      {"role", "none"},
  };
  if (leadership.trouble != nullptr) {
    json["role"] = Founding::is_waiting(*leadership.trouble) ? "waiting" : "failed";
    json["trouble"] = leadership.trouble->to_string();
  }
  if (leadership.voter == nullptr) return json;
  const auto status = leadership.voter->replica().log().status();
  const bool is_over =
      status.role == consensus::Role::retired && status.successor == consensus::Generation();
  const bool is_waiting = leadership.trouble && Founding::is_waiting(*leadership.trouble);
  if (status.removed) {
    json["role"] = "removed";
  } else if (!is_over && !is_waiting) {
    json["role"] = consensus::to_string(status.role);
  }
  json["policy"] = consensus::to_string(status.policy);
  json["policy_configured"] = consensus::to_string(leadership.voter->configured_policy());
  json["generation"] = status.generation.value();
  json["settled"] = status.settled;
  json["log"] = log_json(status);
  return json;
}

Json leader_show_document(const LeadershipView& leadership, const NodeView& view) {
  Json json = begin_document("leader.show", view);
  json.update(leadership_json(leadership, view));
  return json;
}

Json voter_list_document(const LeadershipView& leadership, const NodeView& view, bool stale) {
  Json json = begin_document("voter.list", view);
  json["stale"] = stale;
  json["voters"] = Json::array();
  if (leadership.voter == nullptr) {
    for (const NodeId& id : leadership.leader->voters()) {
      json["voters"].push_back(
          {{"id", id.value()}, {"standing", "voter"}, {"alive", view.is_alive(id)}});
    }
    return json;
  }
  const auto status = leadership.voter->replica().log().status();
  const auto& configuration = leadership.voter->replica().log().configuration();
  json["leader"] = name_json(leadership, status.leader);
  json["term"] = status.term.value();
  json["majority"] = configuration.majority();
  for (const auto& server : configuration.servers()) {
    json["voters"].push_back(server_json(server, status, leadership, view));
  }
  return json;
}

Json why_leader_document(const LeadershipView& leadership, const NodeView& view, bool stale) {
  Json json = voter_list_document(leadership, view, stale);
  json["document"] = "why.leader";
  if (leadership.voter == nullptr) {
    const auto* trouble = leadership.trouble;
    json["reasons"] = Json::array({reason_json(
        trouble ? trouble->to_string() : "this node keeps no log and reaches no voter")});
    return json;
  }
  const auto status = leadership.voter->replica().log().status();
  json["role"] = consensus::to_string(status.role);
  json["policy"] = consensus::to_string(status.policy);
  json["voted_for"] = name_json(leadership, status.vote);
  json["granted"] = names_json(leadership, status.granted);
  json["refused"] = names_json(leadership, status.refused);
  json["leader_heard"] =
      status.leader == consensus::ServerId() ? Json() : time_json(status.leader_contact, view);
  json["log"] = log_json(status);
  json["reasons"] = reasons_json(status, leadership, view);
  if (leadership.trouble != nullptr) {
    auto& reasons = json["reasons"];
    reasons.insert(reasons.begin(), reason_json(leadership.trouble->to_string()));
  }
  return json;
}

}  // namespace riftbus::node
