#include "node/consensus/configuration.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::consensus {

const char* to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "none";
    case Refusal::not_leader:
      return "not_leader";
    case Refusal::overloaded:
      return "overloaded";
    case Refusal::oversize:
      return "oversize";
    case Refusal::transferring:
      return "transferring";
    case Refusal::not_settled:
      return "not_settled";
    case Refusal::change_pending:
      return "change_pending";
    case Refusal::unknown_server:
      return "unknown_server";
    case Refusal::already_so:
      return "already_so";
    case Refusal::too_many_servers:
      return "too_many_servers";
    case Refusal::last_voter:
      return "last_voter";
    case Refusal::learner_lagging:
      return "learner_lagging";
    case Refusal::disk_failed:
      return "disk_failed";
    case Refusal::leader_is_in_charge:
      return "leader_is_in_charge";
  }
  return "?";
}

Configuration::Configuration(Generation generation, std::vector<Server> servers, RecoveryMark mark)
    : generation_(generation), mark_(mark), servers_(std::move(servers)) {
  std::sort(servers_.begin(), servers_.end(),
            [](const Server& a, const Server& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < servers_.size(); ++i) {
    RIFTBUS_CHECK(servers_[i - 1].id != servers_[i].id);
  }
}

const Server* Configuration::find(ServerId id) const {
  for (const Server& server : servers_) {
    if (server.id == id) return &server;
  }
  return nullptr;
}

bool Configuration::is_voter(ServerId id) const {
  const Server* server = find(id);
  return server != nullptr && server->standing == Standing::voter;
}

std::vector<ServerId> Configuration::voters() const {
  std::vector<ServerId> ids;
  for (const Server& server : servers_) {
    if (server.standing == Standing::voter) ids.push_back(server.id);
  }
  return ids;
}

std::size_t Configuration::voter_count() const {
  return static_cast<std::size_t>(
      std::count_if(servers_.begin(), servers_.end(),
                    [](const Server& server) { return server.standing == Standing::voter; }));
}

Refusal Configuration::check(const Change& change) const {
  const Server* server = find(change.server);
  if (change.kind == Change::Kind::add_learner) {
    if (change.server == ServerId()) return Refusal::unknown_server;
    if (server != nullptr) return Refusal::already_so;
    return servers_.size() >= kServersMax ? Refusal::too_many_servers : Refusal::none;
  }
  if (server == nullptr) return Refusal::unknown_server;
  const bool votes = server->standing == Standing::voter;
  switch (change.kind) {
    case Change::Kind::promote:
      if (votes) return Refusal::already_so;
      return voter_count() >= kVotersMax ? Refusal::too_many_servers : Refusal::none;
    case Change::Kind::demote:
      if (!votes) return Refusal::already_so;
      return voter_count() == 1 ? Refusal::last_voter : Refusal::none;
    case Change::Kind::remove:
      return votes && voter_count() == 1 ? Refusal::last_voter : Refusal::none;
    case Change::Kind::set_priority:
      return server->priority == change.priority ? Refusal::already_so : Refusal::none;
    case Change::Kind::add_learner:
      break;
  }
  return Refusal::none;
}

Configuration Configuration::with(const Change& change) const {
  RIFTBUS_CHECK(check(change) == Refusal::none);
  std::vector<Server> servers = servers_;
  const auto place = std::find_if(servers.begin(), servers.end(),
                                  [&](const Server& server) { return server.id == change.server; });
  switch (change.kind) {
    case Change::Kind::add_learner:
      servers.push_back({change.server, Standing::learner, change.priority});
      break;
    case Change::Kind::promote:
      place->standing = Standing::voter;
      break;
    case Change::Kind::demote:
      place->standing = Standing::learner;
      break;
    case Change::Kind::remove:
      servers.erase(place);
      break;
    case Change::Kind::set_priority:
      place->priority = change.priority;
      break;
  }
  return {generation_, std::move(servers), mark_};
}

std::string Configuration::to_string() const {
  std::string text = "g" + std::to_string(generation_.value()) + " [";
  for (const Server& server : servers_) {
    if (text.back() != '[') text += ' ';
    text += std::to_string(server.id.value());
    if (server.standing == Standing::learner) text += "(learner)";
  }
  return text + "]";
}

}  // namespace riftbus::consensus
