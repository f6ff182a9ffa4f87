// The status document: the cluster in one glance, and what is wrong with it.
#include <algorithm>
#include <set>

#include "bus/link.h"
#include "node/api/api_leader.h"
#include "node/api/api_relays.h"

namespace riftbus::node {

namespace {

// Health of the local failure detector from which on its own judgement is in doubt.
constexpr int kHealthDegraded = 3;

struct Tally {
  std::uint64_t alive = 0, suspect = 0, dead = 0, left = 0, unreachable = 0;

  void count(wire::Standing standing) {
    switch (standing) {
      case wire::Standing::alive:
        ++alive;
        break;
      case wire::Standing::suspect:
        ++suspect;
        break;
      case wire::Standing::dead:
        ++dead;
        break;
      case wire::Standing::left:
        ++left;
        break;
      case wire::Standing::unreachable:
        ++unreachable;
        break;
    }
  }
};

Json problem(std::uint16_t code, const NodeId& subject, std::string what) {
  return {{"code", code}, {"subject", subject.value()}, {"what", std::move(what)}};
}

Json members_json(const Tally& tally, std::size_t never_seen) {
  return {{"alive", tally.alive}, {"suspect", tally.suspect},         {"dead", tally.dead},
          {"left", tally.left},   {"unreachable", tally.unreachable}, {"never_seen", never_seen}};
}

// Those of `ids` that are alive: {"total":5,"alive":4}.
Json alive_of(const std::vector<NodeId>& ids, const NodeView& view) {
  const auto alive =
      std::count_if(ids.begin(), ids.end(), [&](const NodeId& id) { return view.is_alive(id); });
  return {{"total", ids.size()}, {"alive", alive}};
}

// Of the roster by their role, and those of the cluster file.
std::vector<NodeId> known_relays(const NodeView& view) {
  std::set<NodeId> ids;
  if (view.roster != nullptr) ids.insert(view.roster->relays.begin(), view.roster->relays.end());
  if (view.relays) {
    for (const auto& relay : *view.relays->relays) ids.insert(relay.id);
  }
  return {ids.begin(), ids.end()};
}

// Members that the roster names and nobody has ever spoken of.
std::vector<NodeId> never_seen(const NodeView& view) {
  std::vector<NodeId> ids;
  if (view.roster == nullptr) return ids;
  for (const auto& [id, entry] : view.roster->entries) {
    const bool is_member = entry.has(Role::node) || entry.has(Role::voter);
    if (is_member && view.membership->find(id) == nullptr) ids.push_back(id);
  }
  return ids;
}

// What failed: ", through relay-1 and relay-2".
std::string relays_text(const membership::Member& member, const NodeView& view) {
  std::set<std::string> names;
  for (const auto& address : member.record.addresses) {
    const Json relay = relay_of(address, view);
    if (relay.is_string()) names.insert(relay.get<std::string>());
  }
  std::string text;
  for (const auto& name : names) text += (text.empty() ? ", through " : " and ") + name;
  return text;
}

void add_member_problem(const membership::Member& member, const NodeView& view, Json& problems) {
  const std::string id = member.record.id.value();
  const std::string since = format_span(view.now.at - member.since);
  switch (member.standing) {
    case wire::Standing::suspect:
      problems.push_back(problem(1520, member.record.id, id + " is suspected since " + since));
      break;
    case wire::Standing::dead:
      problems.push_back(problem(1521, member.record.id, id + " is dead since " + since));
      break;
    case wire::Standing::unreachable:
      problems.push_back(
          problem(1522, member.record.id,
                  id + " is unreachable since " + since + relays_text(member, view)));
      break;
    case wire::Standing::alive:
    case wire::Standing::left:
      break;
  }
}

void add_quorum_problem(const NodeView& view, Json& problems) {
  if (view.roster == nullptr || view.roster->voters.empty()) return;
  const auto& voters = view.roster->voters;
  const auto alive = static_cast<std::size_t>(std::count_if(
      voters.begin(), voters.end(), [&](const NodeId& id) { return view.is_alive(id); }));
  if (alive > voters.size() / 2) return;
  problems.push_back(problem(1524, NodeId(),
                             "only " + std::to_string(alive) + " of " +
                                 std::to_string(voters.size()) + " voters are alive: no majority"));
}

void add_roster_problems(const NodeView& view, Json& problems) {
  if (view.roster_rivals == nullptr) return;
  for (const auto& rival : *view.roster_rivals) {
    problems.push_back(problem(1109, rival,
                               rival.value() + " has another roster of version " +
                                   std::to_string(view.roster->version.value()) + " than " +
                                   view.self.value()));
  }
}

// A short while without a leader is how every leader begins.
constexpr Seconds kLeaderlessMax{5};

void add_leadership_problems(const NodeView& view, Json& problems) {
  if (view.leadership == nullptr) return;
  const LeadershipView& leadership = *view.leadership;
  if (leadership.trouble != nullptr) {
    problems.push_back(
        problem(leadership.trouble->code, view.self,
                view.self.value() + " takes no part in the log: " + leadership.trouble->what));
  }
  const LeaderWatch& watch = *leadership.leader;
  const TimePoint since = std::max(watch.since(), view.started);
  if (watch.voters().empty() || !watch.leader().empty() || view.now.at - since < kLeaderlessMax) {
    return;
  }
  problems.push_back(problem(1719, NodeId(),
                             "nobody leads since " + format_span(view.now.at - since) + ", as " +
                                 view.self.value() + " sees it"));
}

// Whoever is shut out hears nothing more from the others: that its key was revoked or has expired
// shows at its own doors only.
void add_key_problem(const NodeView& view, Json& problems) {
  const auto refuses = [](const LinkView& link) {
    return link.calls && !link.calls->up && link.calls->trouble == bus::kKeyRefused;
  };
  const auto count = std::count_if(view.links.begin(), view.links.end(), refuses);
  if (count == 0 || 2 * static_cast<std::size_t>(count) < view.links.size()) return;
  problems.push_back(problem(1527, view.self,
                             std::to_string(count) + " of " + std::to_string(view.links.size()) +
                                 " peers refuse the key of " + view.self.value()));
}

void add_own_problems(const NodeView& view, Json& problems) {
  const auto& membership = *view.membership;
  if (!membership.joined()) {
    problems.push_back(problem(1525, view.self, view.self.value() + " has not joined yet"));
  }
  if (membership.health() >= kHealthDegraded) {
    problems.push_back(problem(1526, view.self,
                               view.self.value() + " doubts itself: health " +
                                   std::to_string(membership.health()) + " of 7"));
  }
}

Json self_json(const NodeView& view) {
  const auto& membership = *view.membership;
  Json listening = Json::array();
  for (const auto& address : view.listening) listening.push_back(address_json(address));
  return {{"id", view.self.value()},
          {"software", view.software},
          {"incarnation", membership.incarnation().value()},
          {"started", time_json(view.started, view)},
          {"uptime_ms", to_ms(view.now.at - view.started)},
          {"joined", membership.joined()},
          {"health", membership.health()},
          {"digest", membership.digest()},
          {"timing_profile", view.timing_profile},
          {"watching", membership.watching().size()},
          {"watched_by", ids_json(membership.watched_by())},
          {"listening", std::move(listening)}};
}

Json jobs_json(const NodeView& view) {
  if (!view.jobs) return {};
  return {{"running", view.jobs->running},
          {"slots", view.jobs->slots},
          {"draining", view.jobs->draining}};
}

Json stats_json(const membership::Stats& stats) {
  return {{"probes", stats.probes},
          {"indirect_probes", stats.indirect_probes},
          {"link_faults", stats.link_faults},
          {"suspicions", stats.suspicions},
          {"relay_losses", stats.relay_losses},
          {"refutations", stats.refutations},
          {"deaths", stats.deaths},
          {"pauses", stats.pauses},
          {"floods_sent", stats.floods_sent},
          {"floods_duplicate", stats.floods_duplicate},
          {"resyncs", stats.resyncs},
          {"digest_rounds", stats.digest_rounds},
          {"digest_repairs", stats.digest_repairs},
          {"claims_rejected", stats.claims_rejected}};
}

}  // namespace

Json status_document(const NodeView& view) {
  Tally tally;
  Json problems = Json::array();
  add_quorum_problem(view, problems);
  for (const auto* member : view.membership->members()) {
    tally.count(member->standing);
    add_member_problem(*member, view, problems);
  }
  // Approved and not started yet is how every machine begins: worth a word, and no sickness.
  const auto unseen = never_seen(view);
  Json notes = Json::array();
  for (const auto& id : unseen) {
    notes.push_back(problem(1523, id, id.value() + " is in the roster and was never seen"));
  }
  for (const auto& [id, way] : view.http_ways) {
    if (!way.in_use) continue;
    notes.push_back(problem(
        1528, id,
        id.value() + " is heard over HTTP only since " + format_span(view.now.at - way.since)));
  }
  add_roster_problems(view, problems);
  add_leadership_problems(view, problems);
  add_own_problems(view, problems);
  add_key_problem(view, problems);
  add_relay_problems(view, problems);

  Json json = begin_document("status", view);
  json["state"] = !view.membership->joined() ? "joining" : problems.empty() ? "ok" : "degraded";
  json["members"] = members_json(tally, unseen.size());
  json["voters"] = alive_of(view.roster ? view.roster->voters : std::vector<NodeId>(), view);
  json["relays"] = alive_of(known_relays(view), view);
  json["roster_version"] = view.roster ? Json(view.roster->version.value()) : Json();
  if (view.leadership) json["leadership"] = leadership_json(*view.leadership, view);
  json["self"] = self_json(view);
  json["jobs"] = jobs_json(view);
  json["problems"] = std::move(problems);
  json["notes"] = std::move(notes);
  json["membership"] = stats_json(view.membership->stats());
  json["membership"]["mode"] = to_string(view.membership_mode);
  json["counters"] = view.counters;
  return json;
}

}  // namespace riftbus::node
