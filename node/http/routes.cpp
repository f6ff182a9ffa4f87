#include "node/http/routes.h"

#include <array>
#include <vector>

namespace riftbus::node {

namespace {

using http::Access;
using http::Parameter;
using http::Route;

struct RouteRow {
  Route route;
  HttpRoute serving;
};

// Without the former orchestrator's list of peers around it, which grows with the cluster.
void pass_overview(HttpDesk& desk, const HttpCallPtr& call) {
  desk.pass(call, wire::Query{"status", {}});
}

constexpr std::string_view kText = "string";
constexpr std::string_view kNumber = "integer";

constexpr std::array kId{Parameter{"id", "path", kText, true, "a node or an item of work"}};
constexpr std::array kAfter{
    Parameter{"after", "query", kText, false, "cursor: `after` of the page before"}};
constexpr std::array kAlive{
    Parameter{"alive_only", "query", "boolean", false, "only peers that seem alive"}};
constexpr std::array kSince{
    Parameter{"since", "query", kText, false, "cursor of an earlier answer; else the newest"},
    Parameter{"limit", "query", kNumber, false, "entries, 1 to 1000"}};
constexpr std::array kWorkFilter{
    Parameter{"state", "query", kText, false, "delayed, ready, leased, dead, done, cancelled"},
    Parameter{"kind", "query", kText, false, "kind of work"},
    Parameter{"group", "query", kText, false, "whose work"},
    Parameter{"node", "query", kText, false, "who has it"},
    Parameter{"after", "query", kNumber, false, "ids above this one"},
    Parameter{"limit", "query", kNumber, false, "1 to 2000"}};
constexpr std::array kHistory{
    Parameter{"limit", "query", kNumber, false, "50 if not said"},
    Parameter{"status", "query", kText, false, "completed, cancelled or failed"}};
constexpr std::array kClaim{
    Parameter{"node_id", "query", kText, true, "the member that claims"},
    Parameter{"capabilities", "query", kText, false, "kinds of work, parted by commas; any"}};
constexpr std::array kClaims{
    Parameter{"node_id", "query", kText, true, "the member that claims"},
    Parameter{"capabilities", "query", kText, false, "kinds of work, parted by commas; any"},
    Parameter{"max_items", "query", kNumber, false, "1 to 10; 5 if not said"}};
constexpr std::array kAdd{
    Parameter{"work_type", "body", kText, true, "kind of work"},
    Parameter{"config", "body", "object", false, "what the job is given, as params"},
    Parameter{"priority", "body", kNumber, false, "255 is most urgent"},
    Parameter{"timeout_seconds", "body", kNumber, false, "of one attempt"},
    Parameter{"max_attempts", "body", kNumber, false, "failures until it waits for an operator"},
    Parameter{"depends_on", "body", "array", false, "ids that must be done before"},
    Parameter{"needs", "body", kText, false, "in place of the kind's"},
    Parameter{"group", "body", kText, false, "whose work"},
    Parameter{"dedupe", "body", kText, false, "one unfinished item per key"},
    Parameter{"idempotency_key", "body", kText, false, "the same body again adds nothing"}};
constexpr std::array kBatch{
    Parameter{"items", "body", "array", true, "1 to 100 of /work/add"},
    Parameter{"idempotency_key", "body", kText, false, "the same body again adds nothing"}};
constexpr std::array kWorkId{Parameter{"work_id", "body", kText, true, "the item"},
                             Parameter{"node_id", "body", kText, false, "who claims to hold it"},
                             Parameter{"fence", "body", kNumber, false, "of the grant"}};
constexpr std::array kComplete{Parameter{"work_id", "body", kText, true, "the item"},
                               Parameter{"result", "body", "object", false, "at most 16 KiB"},
                               Parameter{"node_id", "body", kText, false, "who claims to hold it"},
                               Parameter{"fence", "body", kNumber, false, "of the grant"}};
constexpr std::array kFail{Parameter{"work_id", "body", kText, true, "the item"},
                           Parameter{"error", "body", kText, false, "why"},
                           Parameter{"node_id", "body", kText, false, "who claims to hold it"},
                           Parameter{"fence", "body", kNumber, false, "of the grant"}};
constexpr std::array kCancel{Parameter{"work_id", "body", kText, true, "the item"}};
constexpr std::array kJob{
    Parameter{"job_type", "body", kText, true, "kind of work"},
    Parameter{"priority", "body", kNumber, false, "255 is most urgent"},
    Parameter{"config_key", "body", kText, false, "given to the job, as all other keys are"},
    Parameter{"num_games", "body", kNumber, false, "likewise"},
    Parameter{"metadata", "body", "object", false, "likewise"}};
constexpr std::array kJobId{Parameter{"job_id", "body", kText, true, "the job"}};
constexpr std::array kTraining{
    Parameter{"job_type", "body", kText, false, "another kind of work"},
    Parameter{"config_key", "body", kText, false, "given to the job, as all other keys are"}};
constexpr std::array kLock{Parameter{"id", "path", kText, true, "a lock"}};
constexpr std::array kPath{Parameter{"path", "query", kText, false, "of a file"}};
constexpr std::array kLocal{
    Parameter{"local", "query", kText, false, "1: what this node runs"},
    Parameter{
        "status", "query", kText, false,
        "pending, claimed, running, failed; completed, cancelled, or ended: all that are over"},
    Parameter{"limit", "query", kNumber, false, "of what is over: 100 if not said"}};
constexpr std::array kExecutor{
    Parameter{"node_id", "query", kText, false, "whose; this node's if not said"}};
constexpr std::array kDrain{
    Parameter{"mode", "body", kText, true, "drain, evict or resume"},
    Parameter{"node_id", "body", kText, false, "which node; this one if not said"}};
constexpr std::array kFlags{
    Parameter{"CONSENSUS_MODE", "body", kText, false, "raft, bully, hybrid or configured"},
    Parameter{"RAFT_ENABLED", "body", "boolean", false, "true: raft, false: bully"},
    Parameter{"MEMBERSHIP_MODE", "body", kText, false, "swim, hybrid, http or configured"},
    Parameter{"RINGRIFT_SWIM_ENABLED", "body", "boolean", false, "true"},
    Parameter{"all", "body", "boolean", false, "on every member; the answer names each"},
    Parameter{"node_id", "body", kText, false, "which node; this one if not said"}};
constexpr std::array kSealed{
    Parameter{"sealed", "body", kText, true, "base64; only members of the roster can make it"}};
constexpr std::array kEnded{Parameter{"state", "query", kText, false, "done or cancelled"},
                            Parameter{"kind", "query", kText, false, "kind of work"},
                            Parameter{"group", "query", kText, false, "whose work"},
                            Parameter{"node", "query", kText, false, "who had it last"},
                            Parameter{"limit", "query", kNumber, false, "1 to 2000"}};
constexpr std::array kOutput{
    Parameter{"id", "path", kText, true, "an item of work"},
    Parameter{"stream", "query", kText, false, "stdout (if not said) or stderr"},
    Parameter{"offset", "query", kNumber, false, "from which byte: `next` of an earlier answer"},
    Parameter{"bytes", "query", kNumber, false, "at most, up to 262144"},
    Parameter{"node", "query", kText, false, "who ran it; if not said, whoever had it last"}};
constexpr std::array kTransfer{
    Parameter{"id", "body", kText, false, "the voter that is to lead; else the fittest"}};
constexpr std::array kRegister{Parameter{"node_id", "body", kText, true, "a node"}};

constexpr std::array kTap{
    Parameter{"filter", "query", kText, false, "which messages, as riftbus tap -Y takes it"},
    Parameter{"payloads", "query", kNumber, false, "1: with the messages themselves"}};

constexpr RouteRow own(std::string_view pattern, std::string_view summary, Own what,
                       std::span<const Parameter> parameters = {}, Access access = Access::open) {
  return {{"GET", pattern, access, summary, parameters}, {Way::here, nullptr, what}};
}
constexpr RouteRow read(std::string_view pattern, std::string_view summary, HttpHandler handler,
                        std::span<const Parameter> parameters = {}, Access access = Access::open) {
  return {{"GET", pattern, access, summary, parameters}, {Way::shared, handler, Own::none}};
}
// A GET that changes something, as the former orchestrator's claim.
constexpr RouteRow take(std::string_view pattern, std::string_view summary, HttpHandler handler,
                        std::span<const Parameter> parameters) {
  return {{"GET", pattern, Access::token, summary, parameters}, {Way::single, handler, Own::none}};
}
constexpr RouteRow change(std::string_view pattern, std::string_view summary, HttpHandler handler,
                          std::span<const Parameter> parameters = {}) {
  return {{"POST", pattern, Access::token, summary, parameters}, {Way::single, handler, Own::none}};
}

constexpr auto kRouteRows = std::to_array<RouteRow>({
    own("/", "the dashboard, a page for people", Own::page),
    own("/app.js", "a part of it", Own::page),
    own("/app.css", "likewise", Own::page),
    own("/icon.svg", "likewise", Own::page),
    own("/health", "whether this process lives; never waits for the loop", Own::health),
    own("/ready", "whether this node is part of its cluster: 200 or 503", Own::ready),
    own("/openapi.json", "this table, for programs", Own::openapi),
    own("/events", "the journal as server-sent events; resumes by Last-Event-ID", Own::stream),
    own("/tap", "messages as the bus carries them, as server-sent events", Own::tap, kTap,
        Access::tap),
    read("/events/list", "entries of the journal", answer_events, kSince),
    read("/status", "the cluster as this node sees it", answer_status, kAlive),
    read("/overview", "the status document as it is", pass_overview),
    read("/members", "every member", answer_members, kAfter),
    read("/members/{id}", "one member, with history and paths", answer_member, kId),
    read("/members/{id}/why", "on what the opinion of a member rests", answer_why_member, kId),
    read("/links", "this node's connections", answer_links, kAfter),
    read("/relays", "relays, and who is reached through them", answer_relays),
    read("/relay/peers", "peers, as relayed nodes asked for them", answer_relay_peers, {},
         Access::token),
    read("/leader", "who leads", answer_leader),
    read("/leader/why", "who leads or why nobody does", answer_why_leader),
    read("/voters", "the servers of the log", answer_voters),
    {{"POST", "/membership/beat", Access::member,
      "beats and gossip of a member that the bus does not reach", kSealed},
     {Way::single, take_member_post, Own::none}},
    change("/leader/transfer", "lets another voter lead", order_transfer, kTransfer),
    read("/metrics", "counters as JSON", answer_metrics),
    read("/metrics/prometheus", "metrics for a scraper", answer_prometheus),
    read("/swim/status", "the failure detector", answer_swim),
    read("/swim/members", "the same", answer_swim),
    read("/raft/status", "the replicated log", answer_raft),
    read("/election/grant", "whom this node holds for the leader", answer_grant, {}, Access::token),
    change("/election/start", "lets the fittest voter lead", order_transfer, kTransfer),
    change("/election/trigger", "the same", order_transfer, kTransfer),
    change("/election/reset", "the same", order_transfer, kTransfer),
    change("/election/force_leader", "lets the named voter lead", order_transfer, kTransfer),
    read("/work/status", "the queue at a glance", answer_work_status),
    read("/work/status/{id}", "one item", answer_work_item, kId),
    read("/work/list", "work that has not ended", answer_work_list, kWorkFilter),
    read("/work/ended", "work that has ended, the newest first", answer_work_ended, kEnded),
    read("/work/show/{id}", "one item with its attempts", answer_work_show, kId),
    read("/work/why/{id}", "why it is not running", answer_why_work, kId),
    read("/work/stats", "the queue in numbers", answer_work_stats),
    read("/work/history", "work that has ended", answer_work_history, kHistory),
    read("/work/node/{id}", "what a node has", answer_work_of_node, kId),
    read("/work/populator", "always off", answer_populator),
    change("/work/add", "adds an item", add_work, kAdd),
    change("/work/add_batch", "adds up to 100, all or none", add_work_batch, kBatch),
    take("/work/claim", "gives a member an item", claim_work, kClaim),
    take("/work/claim_batch", "gives it several", claim_work_batch, kClaims),
    take("/work/claim_training", "as /work/claim", claim_work, kClaim),
    change("/work/peer_claim", "as /work/claim", claim_work, std::span<const Parameter>(kRegister)),
    change("/work/start", "says that an item is begun", start_work, kWorkId),
    change("/work/complete", "says that it is done", complete_work, kComplete),
    change("/work/fail", "says that it has failed", fail_work, kFail),
    change("/work/cancel", "cancels it", cancel_work, kCancel),
    change("/work/retry", "lets a dead letter be tried again", retry_work, kCancel),
    read("/jobs", "work, as jobs", list_jobs, kLocal),
    change("/jobs", "adds a job", submit_job, kJob),
    read("/jobs/{id}", "one job", show_job, kId),
    {{"GET", "/jobs/{id}/output", Access::open, "what it has written", kOutput},
     {Way::single, answer_job_output, Own::none}},
    change("/jobs/{id}/cancel", "cancels it", cancel_job, kId),
    read("/api/jobs", "work, as jobs", list_jobs, kLocal),
    change("/api/jobs/submit", "adds a job", submit_job, kJob),
    read("/api/jobs/{id}", "one job", show_job, kId),
    change("/api/jobs/{id}/cancel", "cancels it", cancel_job, kId),
    read("/api/cluster/status", "members as a list", answer_cluster),
    read("/executor", "what a node's executor runs and offers", answer_node_jobs, kExecutor),
    change("/drain", "lets a node take no more work, or again", order_drain, kDrain),
    change("/flags", "changes the former orchestrator's feature flags", order_flags, kFlags),
    change("/start_job", "adds a job", submit_job, kJob),
    change("/stop_job", "cancels a job", cancel_job, kJobId),
    change("/job/kill", "cancels a job", cancel_job, kJobId),
    change("/restart_stuck_jobs", "nothing to do: leases end by themselves", restart_stuck_jobs),
    change("/register", "whether the roster names a node", register_node, kRegister),
    change("/training/nnue/start", "adds a job of kind training", start_training, kTraining),
    change("/training/cmaes/start", "adds a job of kind gpu_cmaes", start_training, kTraining),
    read("/raft/work", "as /work/status", answer_work_status),
    read("/raft/jobs", "as /jobs", list_jobs, kLocal),
    change("/admin/unretire", "whether a member has left", unretire_node, kRegister),
    take("/admin/purge_stale", "nothing to do: the dead are forgotten by themselves", purge_nothing,
         {}),
    change("/admin/clear_nat_blocked", "nothing to do: ways are found out anew", clear_nothing),
    change("/admin/add_peer", "not here: 410 says what to do instead", answer_gone),
    read("/raft/lock/{id}", "likewise", answer_gone, kLock),
    change("/raft/lock/{id}", "likewise", answer_gone, kLock),
    read("/sync/file", "likewise", answer_gone, kPath, Access::token),
    change("/sync/start", "likewise", answer_gone),
    change("/sync/training", "likewise", answer_gone),
    read("/data_manifest", "likewise", answer_gone),
    change("/cleanup", "likewise", answer_gone),
    change("/cleanup/files", "likewise", answer_gone),
});

template <auto Member>
auto collect() {
  std::vector<std::remove_cvref_t<decltype(kRouteRows[0].*Member)>> list;
  for (const RouteRow& row : kRouteRows) list.push_back(row.*Member);
  return list;
}

}  // namespace

std::span<const http::Route> http_routes() {
  static const auto kRoutes = collect<&RouteRow::route>();
  return kRoutes;
}

std::span<const HttpRoute> http_handlers() {
  static const auto kHandlers = collect<&RouteRow::serving>();
  return kHandlers;
}

}  // namespace riftbus::node
