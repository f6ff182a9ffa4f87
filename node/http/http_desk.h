// HttpDesk: answers HTTP requests on the loop thread, from the same sources as everybody else.
//
// Reading gives the documents of node/api, asked for as an operator would; work is added, claimed
// and ended by commands of the queue. Nothing is computed here that another room computes already:
// this room translates, and the former orchestrator's shapes (legacy_*.cpp) are translations, too.
//
// In whose name. Whoever has the node's token is an operator: requests that the leader must judge
// go out in the name of an admin of the roster. The leader believes a voter that it speaks for one,
// and any other node's word only for reading (node/quorum/work_desk.h); elsewhere the answer is 403
// NOT_LEADER with the leader's name.
//
// Loop thread only; everything passed by reference outlives it. Each Call is answered exactly once,
// now or later.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bus/http/message.h"
#include "bus/http/server.h"
#include "config/cluster.h"
#include "node/api/api_json.h"
#include "node/http/glance.h"
#include "node/mesh/http_path.h"
#include "node/quorum/work_client.h"

namespace riftbus::node {

struct HttpCall {
  http::Request request;
  Json body;  // an object; of a request without body, an empty one
  http::Reply reply;
};
using HttpCallPtr = std::shared_ptr<const HttpCall>;

// What the loop lends.
struct HttpGround {
  using OnDocument = std::function<void(const Result<std::string>&)>;

  const NodeSettings& settings;
  std::function<NodeView()> view;
  std::function<Glance()> glance;
  // In an operator's name.
  std::function<void(const wire::Query&, OnDocument)> ask;
  // Likewise, of that node itself: what lies there only.
  std::function<void(const NodeId&, const wire::Query&, OnDocument)> ask_node;
  std::function<void(const work::Command&, WorkClient::OnReply)> command;
  // A member's post, and what to answer it (node/mesh/http_path.h).
  std::function<HttpPath::Outcome(std::string_view sealed)> member_post;
  // Begins, renews or (lease 0) ends the tap of that number, and takes what it has gathered.
  std::function<Result<wire::TapData>(std::uint64_t, const wire::TapStart&)> tap;
};

class HttpDesk {
 public:
  using OnJson = std::function<void(const Json&)>;
  using OnReply = std::function<void(const work::Reply&)>;

  explicit HttpDesk(HttpGround ground) : ground_(std::move(ground)) {}

  [[nodiscard]] const NodeSettings& settings() const { return ground_.settings; }
  [[nodiscard]] NodeView view() const { return ground_.view(); }
  [[nodiscard]] Glance glance() const { return ground_.glance(); }

  // The document as it is.
  void pass(const HttpCallPtr& call, const wire::Query& query);
  // What that node says of itself.
  void document_of(const NodeId& node, const wire::Query& query, HttpGround::OnDocument done) {
    ground_.ask_node(node, query, std::move(done));
  }
  void pass_to(const HttpCallPtr& call, const NodeId& node, const wire::Query& query);
  // The document, read; an error is answered here.
  void ask(const HttpCallPtr& call, const wire::Query& query, OnJson then);
  void ask_node(const HttpCallPtr& call, const NodeId& node, const wire::Query& query, OnJson then);
  void command(const HttpCallPtr& call, const work::Command& command, OnReply then);
  // Nobody waits for the answer.
  void order(const work::Command& command, WorkClient::OnReply then) {
    ground_.command(command, std::move(then));
  }
  [[nodiscard]] HttpPath::Outcome member_post(std::string_view sealed) {
    return ground_.member_post(sealed);
  }
  [[nodiscard]] Result<wire::TapData> tap(std::uint64_t number, const wire::TapStart& wanted) {
    return ground_.tap(number, wanted);
  }

  void fail(const HttpCallPtr& call, const Error& error) const;
  // Grows with each call, also over restarts and on other nodes, as far as clocks agree.
  [[nodiscard]] std::uint64_t next_request();

 private:
  [[nodiscard]] HttpGround::OnDocument read_then(const HttpCallPtr& call, OnJson then);

  HttpGround ground_;
  std::uint64_t last_request_ = 0;
};

void reply_json(const HttpCallPtr& call, unsigned status, const Json& json);
void reply_trouble(const HttpCallPtr& call, const http::Trouble& trouble);
// The text of an argument in the query or the body; numbers as text. Empty: not given.
[[nodiscard]] std::string argument_of(const HttpCall& call, const std::string& name);
[[nodiscard]] std::string iso_time(std::int64_t wall_ms);

using HttpHandler = void (*)(HttpDesk&, const HttpCallPtr&);

// node/http/documents.cpp
void answer_events(HttpDesk&, const HttpCallPtr&);
void answer_leader(HttpDesk&, const HttpCallPtr&);
void answer_links(HttpDesk&, const HttpCallPtr&);
void answer_member(HttpDesk&, const HttpCallPtr&);
void answer_members(HttpDesk&, const HttpCallPtr&);
void answer_voters(HttpDesk&, const HttpCallPtr&);
void answer_why_leader(HttpDesk&, const HttpCallPtr&);
void answer_why_member(HttpDesk&, const HttpCallPtr&);
void answer_why_work(HttpDesk&, const HttpCallPtr&);
void answer_work_show(HttpDesk&, const HttpCallPtr&);
void answer_work_list(HttpDesk&, const HttpCallPtr&);
void answer_work_stats(HttpDesk&, const HttpCallPtr&);
void answer_work_ended(HttpDesk&, const HttpCallPtr&);
void order_transfer(HttpDesk&, const HttpCallPtr&);

// node/http/node_calls.cpp
void answer_job_output(HttpDesk&, const HttpCallPtr&);
void answer_node_jobs(HttpDesk&, const HttpCallPtr&);
void order_drain(HttpDesk&, const HttpCallPtr&);
void order_flags(HttpDesk&, const HttpCallPtr&);
// The former orchestrator's feature flags, where this policy is in force.
[[nodiscard]] Json flags_json(const std::string& policy, MembershipMode membership);

// node/http/member_post.cpp
void take_member_post(HttpDesk&, const HttpCallPtr&);

// node/http/metrics.cpp
void answer_metrics(HttpDesk&, const HttpCallPtr&);
void answer_prometheus(HttpDesk&, const HttpCallPtr&);

// node/http/legacy_status.cpp
void answer_status(HttpDesk&, const HttpCallPtr&);
void answer_swim(HttpDesk&, const HttpCallPtr&);
void answer_raft(HttpDesk&, const HttpCallPtr&);
void answer_grant(HttpDesk&, const HttpCallPtr&);
void answer_relays(HttpDesk&, const HttpCallPtr&);
void answer_relay_peers(HttpDesk&, const HttpCallPtr&);
void answer_cluster(HttpDesk&, const HttpCallPtr&);
void register_node(HttpDesk&, const HttpCallPtr&);

// node/http/legacy_work.cpp
void add_work(HttpDesk&, const HttpCallPtr&);
void add_work_batch(HttpDesk&, const HttpCallPtr&);
void start_work(HttpDesk&, const HttpCallPtr&);
void complete_work(HttpDesk&, const HttpCallPtr&);
void fail_work(HttpDesk&, const HttpCallPtr&);
void cancel_work(HttpDesk&, const HttpCallPtr&);
void retry_work(HttpDesk&, const HttpCallPtr&);
// node/http/legacy_claim.cpp
void claim_work(HttpDesk&, const HttpCallPtr&);
void claim_work_batch(HttpDesk&, const HttpCallPtr&);
// node/http/legacy_lists.cpp
void answer_work_status(HttpDesk&, const HttpCallPtr&);
void answer_work_item(HttpDesk&, const HttpCallPtr&);
void answer_work_of_node(HttpDesk&, const HttpCallPtr&);
void answer_work_history(HttpDesk&, const HttpCallPtr&);
void answer_populator(HttpDesk&, const HttpCallPtr&);
// node/http/legacy_jobs.cpp
void list_jobs(HttpDesk&, const HttpCallPtr&);
void show_job(HttpDesk&, const HttpCallPtr&);
void submit_job(HttpDesk&, const HttpCallPtr&);
void cancel_job(HttpDesk&, const HttpCallPtr&);
void restart_stuck_jobs(HttpDesk&, const HttpCallPtr&);
void start_training(HttpDesk&, const HttpCallPtr&);
// node/http/legacy_gone.cpp
void answer_gone(HttpDesk&, const HttpCallPtr&);
void clear_nothing(HttpDesk&, const HttpCallPtr&);
void purge_nothing(HttpDesk&, const HttpCallPtr&);
void unretire_node(HttpDesk&, const HttpCallPtr&);

}  // namespace riftbus::node
