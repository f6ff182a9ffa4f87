#include "node/api/leader_questions.h"

#include <array>

#include "node/api/api_leader.h"

namespace riftbus::node {

namespace {

constexpr std::uint16_t kNoSuchServer = 1727;

struct Row {
  std::string_view name;
  Answers who;
  bool changes;
};
constexpr auto kRows = std::to_array<Row>({
    {"leader.policy", Answers::here, false},
    {"leader.recover", Answers::here, true},
    {"leader.show", Answers::here, false},
    {"leader.transfer", Answers::leader, true},
    {"node.flags", Answers::here, false},
    {"voter.add", Answers::leader, true},
    {"voter.list", Answers::leader, false},
    {"voter.remove", Answers::leader, true},
    {"why.leader", Answers::leader, false},
});

const Row* find_row(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

Result<NodeId> id_of(const wire::Query& query) {
  const auto found = query.arguments.find("id");
  if (found == query.arguments.end()) {
    return Error{1503, query.name + " needs the argument id", "", "name a node"};
  }
  return NodeId::parse(found->second);
}

// The same order may be taken when somebody leads, when what is under way is over, or when a
// learner has caught up; the others are so until an operator changes something.
bool will_pass(consensus::Refusal refusal) {
  using consensus::Refusal;
  switch (refusal) {
    case Refusal::not_leader:
    case Refusal::overloaded:
    case Refusal::transferring:
    case Refusal::not_settled:
    case Refusal::change_pending:
    case Refusal::learner_lagging:
      return true;
    default:
      return false;
  }
}

}  // namespace

Answers who_answers(std::string_view name) {
  const Row* row = find_row(name);
  return row == nullptr ? Answers::nobody : row->who;
}

bool is_order(std::string_view name) {
  const Row* row = find_row(name);
  return row != nullptr && row->changes;
}

Result<std::string> LeaderQuestions::answer(const wire::Query& query, const std::set<Role>& roles,
                                            bool stale) {
  const Row* row = find_row(query.name);
  if (row == nullptr) return Error{1503, "no such question", query.name, "update this node"};
  if (roles.empty()) return Error{1304, "asking takes a role", "", "ask for one"};
  const bool sets = row->changes || query.arguments.contains("policy");
  if (sets && !roles.contains(Role::admin)) {
    return Error{1304, query.name + " takes the admin role", "", "use the admin key"};
  }
  if (query.name == "leader.policy") return set_policy(query);
  if (row->changes) return change(query, stale);
  const NodeView view = view_();
  const LeadershipView leadership{&leader_, voter_, &names_, trouble_};
  if (query.name == "leader.show") return dump(leader_show_document(leadership, view));
  if (query.name == "voter.list") return dump(voter_list_document(leadership, view, stale));
  return dump(why_leader_document(leadership, view, stale));
}

Error LeaderQuestions::refuse(consensus::Refusal refusal) const {
  const std::string why = consensus::to_string(refusal);
  const bool passes = will_pass(refusal);
  return {passes ? kOrderRefusedNow : kOrderRefused, "refused: " + why, leader_.leader().value(),
          passes ? "try again in a while; see `riftbus why leader`" : "see `riftbus why leader`"};
}

Result<std::string> LeaderQuestions::set_policy(const wire::Query& query) {
  if (voter_ == nullptr) return refuse(consensus::Refusal::unknown_server);
  if (const auto found = query.arguments.find("policy"); found != query.arguments.end()) {
    const bool is_back = found->second == kConfigured;
    const auto policy =
        is_back ? voter_->configured_policy() : consensus::parse_policy(found->second);
    if (!policy) {
      return Error{1503, "no such policy", found->second, "raft, bully, hybrid or configured"};
    }
    voter_->set_policy(*policy, view_().now.at);
    if (remember_) remember_(is_back ? "" : found->second);
  }
  const NodeView view = view_();
  Json json = leader_show_document({&leader_, voter_, &names_, trouble_}, view);
  json["document"] = "leader.policy";
  return dump(json);
}

Result<std::string> LeaderQuestions::change(const wire::Query& query, bool stale) {
  using consensus::Change;
  using consensus::Refusal;
  const bool is_recovery = query.name == "leader.recover";
  if (is_recovery && voter_ == nullptr) return refuse(Refusal::unknown_server);
  if (voter_ == nullptr || (stale && !is_recovery)) return refuse(Refusal::not_leader);
  // Not the clock's: the log is given the time of this turn afterwards, and time never goes back.
  const TimePoint now = view_().now.at;
  Refusal refusal = Refusal::none;
  NodeId id;
  if (!is_recovery && (query.name != "leader.transfer" || query.arguments.contains("id"))) {
    auto parsed = id_of(query);
    if (!parsed) return parsed.error();
    id = *parsed;
  }
  if (is_recovery) {
    refusal = voter_->recover(now);
  } else if (query.name == "leader.transfer") {
    refusal = voter_->transfer(id, now);
  } else if (query.name == "voter.remove") {
    refusal = voter_->change({Change::Kind::remove, replica::server_id_of(id), 0}, now);
  } else {
    const auto* roster = view_().roster;
    if (roster != nullptr && roster->find(id) == nullptr) {
      return Error{kNoSuchServer, "the roster has no such node", id.value(),
                   "approve its key first"};
    }
    if (roster != nullptr && !roster->find(id)->roles.contains(Role::voter)) {
      return Error{kNoSuchServer, "the roster does not let it vote", id.value(),
                   "approve its key with --roles node,voter first"};
    }
    if (!names_.add(id)) {
      return Error{kNoSuchServer, "its name collides with another's in the log", id.value(),
                   "give it another name"};
    }
    refusal = voter_->change({Change::Kind::add_learner, replica::server_id_of(id), 0}, now);
  }
  if (refusal != Refusal::none) return refuse(refusal);
  Json json = begin_document(query.name, view_());
  json["subject"] = id.empty() ? Json() : Json(id.value());
  json["accepted"] = true;
  return dump(json);
}

}  // namespace riftbus::node
