#include "node/http/http_desk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bus/clock.h"

namespace riftbus::node {

namespace {

struct Kind {
  std::uint16_t fault;
  unsigned status;
  const char* code;
};
// What a program should do about it differs; the rest is 500.
constexpr auto kKinds = std::to_array<Kind>({{1304, 403, "NOT_ALLOWED"},
                                             {1503, 400, "BAD_ARGUMENT"},
                                             {1504, 404, "NO_SUCH_NODE"},
                                             {1561, 400, "UNKNOWN_KIND"},
                                             {1723, 503, "NO_LEADER"},
                                             {1724, 502, "BAD_ANSWER"},
                                             {1725, 503, "BUSY"},
                                             {1726, 409, "REFUSED"},
                                             {1727, 404, "NO_SUCH_NODE"},
                                             {1728, 404, "NO_SUCH_WORK"},
                                             {1729, 403, "NOT_LEADER"},
                                             {1730, 504, "NO_ANSWER"},
                                             {1731, 409, "REFUSED"},
                                             {1740, 400, "BAD_NEEDS"},
                                             {1745, 409, "NO_JOBS_HERE"}});

}  // namespace

void reply_json(const HttpCallPtr& call, unsigned status, const Json& json) {
  call->reply(http::make_response(status, dump(json)));
}

void reply_trouble(const HttpCallPtr& call, const http::Trouble& trouble) {
  call->reply(http::make_error(trouble));
}

std::string argument_of(const HttpCall& call, const std::string& name) {
  if (const auto found = call.request.captured.find(name); found != call.request.captured.end()) {
    return found->second;
  }
  if (const auto found = call.body.find(name); found != call.body.end() && !found->is_null()) {
    return found->is_string() ? found->get<std::string>() : dump(*found);
  }
  const auto found = call.request.query.find(name);
  return found == call.request.query.end() ? "" : found->second;
}

std::string iso_time(std::int64_t wall_ms) { return bus::format_wall(wall_ms); }

void HttpDesk::pass(const HttpCallPtr& call, const wire::Query& query) {
  ground_.ask(query, [this, call](const Result<std::string>& document) {
    if (!document) return fail(call, document.error());
    call->reply(http::make_response(200, *document));
  });
}

void HttpDesk::pass_to(const HttpCallPtr& call, const NodeId& node, const wire::Query& query) {
  ground_.ask_node(node, query, [this, call](const Result<std::string>& document) {
    if (!document) return fail(call, document.error());
    call->reply(http::make_response(200, *document));
  });
}

HttpGround::OnDocument HttpDesk::read_then(const HttpCallPtr& call, OnJson then) {
  return [this, call, then = std::move(then)](const Result<std::string>& document) {
    if (!document) return fail(call, document.error());
    const Json json = Json::parse(*document, nullptr, false);
    if (!json.is_object()) {
      return fail(call, Error{1724, "the answer cannot be read", "", "update this node"});
    }
    then(json);
  };
}

void HttpDesk::ask(const HttpCallPtr& call, const wire::Query& query, OnJson then) {
  ground_.ask(query, read_then(call, std::move(then)));
}

void HttpDesk::ask_node(const HttpCallPtr& call, const NodeId& node, const wire::Query& query,
                        OnJson then) {
  ground_.ask_node(node, query, read_then(call, std::move(then)));
}

void HttpDesk::command(const HttpCallPtr& call, const work::Command& command, OnReply then) {
  ground_.command(command, [this, call, then = std::move(then)](const Result<work::Reply>& reply) {
    if (!reply) return fail(call, reply.error());
    then(*reply);
  });
}

void HttpDesk::fail(const HttpCallPtr& call, const Error& error) const {
  http::Trouble trouble{500, "INTERNAL", error.what, {{"fault", error.code_text()}}};
  const auto found = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const Kind& kind) { return kind.fault == error.code; });
  if (found != kKinds.end()) {
    trouble.status = found->status;
    trouble.code = found->code;
  }
  if (error.code == WorkClient::kOutOfTime && call->request.method == "POST") {
    trouble.details["next"] =
        "it may have happened: look before you repeat it; an add with an idempotency_key may be "
        "repeated as it is";
  } else if (!error.next.empty()) {
    trouble.details["next"] = error.next;
  }
  const auto seen = glance();
  if (trouble.code == "NOT_ALLOWED" && seen.leader != seen.node) trouble.code = "NOT_LEADER";
  if (!seen.leader.empty()) trouble.details["leader_id"] = seen.leader;
  reply_trouble(call, trouble);
}

std::uint64_t HttpDesk::next_request() {
  const auto now_us =
      static_cast<std::uint64_t>(std::max<std::int64_t>(bus::wall_now_ms(), 0)) * 1000;
  last_request_ = std::max(last_request_ + 1, now_us);
  return last_request_;
}

}  // namespace riftbus::node
