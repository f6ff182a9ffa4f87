// The documents of node/api, as they are.
#include "node/http/http_desk.h"

namespace riftbus::node {

namespace {

// Passes on the named arguments that were given.
wire::Query query_of(const HttpCall& call, std::string name,
                     std::initializer_list<const char*> arguments) {
  wire::Query query{std::move(name), {}};
  for (const char* each : arguments) {
    const std::string text = argument_of(call, each);
    if (!text.empty()) query.arguments[each] = text;
  }
  return query;
}

}  // namespace

void answer_members(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "node.list", {"after"}));
}
void answer_member(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "node.show", {"id"}));
}
void answer_why_member(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "why.node", {"id"}));
}
void answer_links(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "link.list", {"after"}));
}
void answer_leader(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "leader.show", {}));
}
void answer_why_leader(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "why.leader", {}));
}
void answer_voters(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "voter.list", {}));
}
void answer_events(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "event.list", {"since", "limit"}));
}
void answer_work_list(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call,
            query_of(*call, "work.list", {"state", "kind", "group", "node", "after", "limit"}));
}
void answer_work_show(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "work.show", {"id"}));
}
void answer_why_work(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "why.work", {"id"}));
}
void answer_work_stats(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "work.stats", {}));
}
void answer_work_ended(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, query_of(*call, "work.history", {"state", "kind", "group", "node", "limit"}));
}

// The former orchestrator named whom it wanted in several ways.
void order_transfer(HttpDesk& desk, const HttpCallPtr& call) {
  wire::Query query = query_of(*call, "leader.transfer", {"id"});
  for (const char* name : {"leader_id", "target_leader_id", "node_id"}) {
    const std::string text = argument_of(*call, name);
    if (!text.empty()) query.arguments.emplace("id", text);
  }
  desk.ask(call, query, [call](const Json& document) {
    Json json = document;
    json["success"] = true;
    reply_json(call, 200, json);
  });
}

}  // namespace riftbus::node
