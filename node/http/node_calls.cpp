// What lies on one node only, asked of any: what a job has written, and what an executor is told.
#include "node/http/legacy_work.h"

namespace riftbus::node {

namespace {

// Where a job's output is: the node that has it or had it last. Empty: nowhere.
std::string node_of(const Json& work) {
  const Json node = work.value("node", Json());
  if (node.is_string() && !node.get<std::string>().empty()) return node.get<std::string>();
  const Json attempts = work.value("attempts", Json::array());
  if (attempts.empty()) return "";
  return attempts.back().value("node", "");
}

// The node that was named, or else `otherwise`; none: answered.
std::optional<NodeId> node_in(HttpDesk& desk, const HttpCallPtr& call, const char* argument,
                              const std::string& otherwise) {
  std::string where = argument_of(*call, argument);
  if (where.empty()) where = otherwise;
  const auto node = NodeId::parse(where);
  if (node) return *node;
  desk.fail(call, Error{1504, "no such member", where, "see riftbus node list"});
  return std::nullopt;
}

}  // namespace

void answer_job_output(HttpDesk& desk, const HttpCallPtr& call) {
  const auto id = work_id_of(*call);
  if (!id) return desk.fail(call, Error{1503, "the id is not a number", "", ""});
  const std::string number = std::to_string(id->value());
  wire::Query query{"job.output", {{"id", number}}};
  for (const char* each : {"stream", "offset", "bytes"}) {
    const std::string text = argument_of(*call, each);
    if (!text.empty()) query.arguments[each] = text;
  }
  if (!argument_of(*call, "node").empty()) {
    if (const auto node = node_in(desk, call, "node", "")) desk.pass_to(call, *node, query);
    return;
  }
  desk.ask(call, {"work.show", {{"id", number}}}, [&desk, call, query](const Json& shown) {
    const std::string where = node_of(shown.value("work", Json::object()));
    if (!where.empty() && !is_http_worker(where)) {
      if (const auto node = node_in(desk, call, "node", where)) desk.pass_to(call, *node, query);
      return;
    }
    reply_trouble(call, {404,
                         "NO_OUTPUT",
                         where.empty() ? "no node has begun it" : "it does not run under Riftbus",
                         {}});
  });
}

void answer_node_jobs(HttpDesk& desk, const HttpCallPtr& call) {
  const auto node = node_in(desk, call, "node_id", desk.settings().node_id.value());
  if (!node) return;
  desk.document_of(*node, {"job.list", {}}, [&desk, call, node](const auto& document) {
    constexpr std::uint16_t kNoExecutor = 1745;
    if (document) return call->reply(http::make_response(200, *document));
    if (document.error().code != kNoExecutor) return desk.fail(call, document.error());
    reply_json(call, 200,
               {{"schema", 1},
                {"document", "job.list"},
                {"node", node->value()},
                {"slots", 0},
                {"jobs", Json::array()}});
  });
}

void order_drain(HttpDesk& desk, const HttpCallPtr& call) {
  const auto node = node_in(desk, call, "node_id", desk.settings().node_id.value());
  if (node) desk.pass_to(call, *node, {"job.drain", {{"mode", argument_of(*call, "mode")}}});
}

// ---- feature flags -----------------------------------------------------------------------------

namespace {

std::string first_of(const HttpCall& call, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    std::string text = argument_of(call, name);
    if (!text.empty()) return text;
  }
  return "";
}

std::optional<bool> read_flag(const std::string& text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return std::nullopt;
}

// Which policy they name; empty: none, nothing: they make no sense.
std::optional<std::string> policy_in(const HttpCall& call) {
  const std::string mode =
      first_of(call, {"CONSENSUS_MODE", "RINGRIFT_CONSENSUS_MODE", "consensus_mode"});
  if (!mode.empty()) return mode;
  const std::string flag = first_of(call, {"RAFT_ENABLED", "RINGRIFT_RAFT_ENABLED"});
  if (flag.empty()) return "";
  const auto is_on = read_flag(flag);
  if (!is_on) return std::nullopt;
  return *is_on ? "raft" : "bully";
}

// The failure detector is what membership is: it cannot be switched off.
bool switches_swim_off(const HttpCall& call) {
  const std::string flag = first_of(call, {"SWIM_ENABLED", "RINGRIFT_SWIM_ENABLED"});
  return !flag.empty() && read_flag(flag) != true;
}

}  // namespace

Json flags_json(const std::string& policy, MembershipMode membership) {
  const bool is_raft = policy != "bully";
  return {{"MEMBERSHIP_MODE", to_string(membership)},
          {"RINGRIFT_SWIM_ENABLED", true},
          {"CONSENSUS_MODE", policy},
          {"RAFT_ENABLED", is_raft}};
}

namespace {

Json flags_shown(const Json& shown) {
  const auto mode = parse_membership_mode(shown.value("membership", ""));
  return flags_json(shown.value("policy", ""), mode.value_or(MembershipMode::swim));
}

// What came of it on each member; the last answer, or the last that does not come, completes it.
struct FlagRound {
  HttpCallPtr call;
  std::size_t awaited = 0;
  bool is_success = true;
  Json nodes = Json::object();

  void take(const NodeId& node, const Result<std::string>& document) {
    const Json shown = document ? Json::parse(*document, nullptr, false) : Json();
    if (shown.is_object()) {
      nodes[node.value()] = {{"success", true}, {"flags", flags_shown(shown)}};
    } else {
      is_success = false;
      const Error error =
          document ? Error{1724, "the answer cannot be read", "", ""} : document.error();
      nodes[node.value()] = {
          {"success", false}, {"error", error.what}, {"fault", error.code_text()}};
    }
    if (--awaited == 0) {
      reply_json(call, 200, {{"success", is_success}, {"nodes", std::move(nodes)}});
    }
  }
};

// Each node by itself: none waits for another, and none is undone because another one refuses.
void order_flags_everywhere(HttpDesk& desk, const HttpCallPtr& call, const wire::Query& query) {
  const NodeView view = desk.view();
  std::vector<NodeId> nodes;
  for (const auto* member : view.membership->members()) {
    if (member->standing != wire::Standing::left) nodes.push_back(member->record.id);
  }
  const auto round = std::make_shared<FlagRound>();
  round->call = call;
  round->awaited = nodes.size();
  for (const auto& node : nodes) {
    desk.document_of(node, query, [round, node](const Result<std::string>& document) {
      round->take(node, document);
    });
  }
}

}  // namespace

void order_flags(HttpDesk& desk, const HttpCallPtr& call) {
  if (switches_swim_off(*call)) {
    return reply_trouble(
        call,
        {409, "REFUSED", "the failure detector is always on: there is nothing to change", {}});
  }
  const auto policy = policy_in(*call);
  const std::string membership =
      first_of(*call, {"MEMBERSHIP_MODE", "RINGRIFT_MEMBERSHIP_MODE", "membership_mode"});
  if (!policy || (policy->empty() && membership.empty())) {
    return desk.fail(call, Error{1503, "no flag was given that can be changed", "",
                                 "CONSENSUS_MODE: raft, bully, hybrid or configured; "
                                 "MEMBERSHIP_MODE: swim, hybrid, http or configured"});
  }
  wire::Query query{"node.flags", {}};
  if (!policy->empty()) query.arguments["policy"] = *policy;
  if (!membership.empty()) query.arguments["membership"] = membership;
  if (read_flag(argument_of(*call, "all")) == true)
    return order_flags_everywhere(desk, call, query);
  const auto node = node_in(desk, call, "node_id", desk.settings().node_id.value());
  if (!node) return;
  desk.ask_node(call, *node, query, [call, node = *node](const Json& shown) {
    reply_json(call, 200,
               {{"success", true}, {"node_id", node.value()}, {"flags", flags_shown(shown)}});
  });
}

}  // namespace riftbus::node
