// How HTTP is built into a node, and what it may ask of the loop.
#include <algorithm>

#include "bus/clock.h"
#include "bus/log.h"
#include "node/api/work_questions.h"
#include "node/node_state.h"
#include "node/replica/protocol.h"

namespace riftbus::node {

namespace {

constexpr Seconds kCommandMax{8};
constexpr Seconds kOpenAgain{30};  // a port that was taken may be free by then
constexpr Seconds kMeasureDisk{30};

const std::set<Role>& operator_roles() {
  static const std::set<Role> kRoles{Role::admin};
  return kRoles;
}

}  // namespace

// A node lives without HTTP, if it must.
void Node::State::open_http() {
  const auto& settings = prepared.settings;
  if (settings.listen.http_port == 0) return;
  http_due = now + kOpenAgain;
  if (!http_desk) {
    http_desk = std::make_unique<HttpDesk>(HttpGround{
        settings, [this] { return view(); }, [this] { return glance(); },
        [this](const wire::Query& query, const HttpGround::OnDocument& done) {
          if (!names_leader(query)) return answer_for_http(query, done);
          leader->when_known([this, query, done] { answer_for_http(query, done); }, now);
        },
        [this](const NodeId& node, const wire::Query& query, HttpGround::OnDocument done) {
          ask_node_for_http(node, query, std::move(done));
        },
        [this](const work::Command& command, const WorkClient::OnReply& done) {
          work->submit(command, Nanos(), now + kCommandMax, done, name_for_http());
        },
        [this](std::string_view sealed) -> HttpPath::Outcome {
          if (!http_path) return HttpPath::Shut{};
          return http_path->on_post(sealed, now);
        },
        [this](std::uint64_t number, const wire::TapStart& wanted) {
          return desk->tap_here(number, wanted, kTapPartBytes, now);
        }});
  }
  auto opened = HttpFront::open(settings, *http_desk);
  if (!opened) {
    bus::write_error(opened.error());
    journal.note("http", settings.node_id, opened.error().to_string(), {now, bus::wall_now_ms()});
    return;
  }
  http = std::move(*opened);
  http_wake = bus->add_wakeup(http->wake_fd());
  bus::log_info("listening for HTTP",
                {{"address", settings.listen.http_host + ":" + std::to_string(http->port())}});
}

Glance Node::State::glance() const {
  const auto& settings = prepared.settings;
  const auto& core = members->core();
  Glance seen;
  seen.node = settings.node_id.value();
  seen.cluster = settings.cluster;
  seen.joined = core.joined();
  seen.leaving = ends_at.has_value();
  seen.keeps_log = voter != nullptr;
  seen.leader = leader->leader().value();
  seen.role = leader->is_self() ? "leader" : "follower";
  if (voter && !leader->is_self()) {
    const auto role = voter->replica().log().status().role;
    const bool campaigns =
        role == consensus::Role::candidate || role == consensus::Role::pre_candidate;
    if (campaigns) seen.role = "candidate";
  }
  for (const auto* member : core.members()) {
    if (member->record.id == settings.node_id) continue;
    ++seen.known;
    if (member->standing == wire::Standing::alive) ++seen.alive;
  }
  for (const auto& watch : core.watching()) {
    const bool is_leaders = watch.peer == leader->leader() && watch.beats > 0;
    if (is_leaders) seen.leader_heard_ms = to_ms(now - watch.last_beat);
  }
  if (leader->is_self()) seen.leader_heard_ms = 0;
  if (executor) {
    const auto jobs = executor->glance();
    seen.runs_work = jobs.slots > 0;
    seen.draining = jobs.draining;
    seen.jobs_running = jobs.running;
    seen.slots = jobs.slots;
    seen.jobs_by_kind = executor->count_kinds();
  }
  seen.disk_percent = disk_percent;
  seen.http_port = settings.listen.http_port;
  seen.started = started;
  seen.when = {now, bus::wall_now_ms()};
  return seen;
}

// Whoever has the token is an operator; in the cluster an operator has a name. Only a voter's word
// for another counts (node/quorum/work_desk.h); any other node speaks for itself.
NodeId Node::State::name_for_http() const {
  const bool is_voter = roles_of(prepared.settings.node_id).contains(Role::voter);
  if (!roster || !is_voter) return {};
  for (const auto& [id, entry] : roster->in_force().entries) {
    if (entry.roles.contains(Role::admin)) return id;
  }
  return {};
}

void Node::State::answer_for_http(const wire::Query& query, const HttpGround::OnDocument& done) {
  if (ExecutorShell::takes(query.name)) {
    if (executor) return done(executor->answer(query, operator_roles(), now));
    return done(Error{1745, "this node runs no work", prepared.settings.node_id.value(),
                      "describe kinds of jobs in its cluster file"});
  }
  const Answers about_work = who_answers_work(query.name);
  const Answers who = about_work == Answers::nobody ? who_answers(query.name) : about_work;
  if (who == Answers::here) return done(answer_question(query, operator_roles(), false));
  if (who == Answers::leader) {
    wire::WorkRequest request;
    request.ask = wire::WorkAsk::question;
    request.body = replica::encode_question(query);
    request.client = name_for_http();
    work->call(
        std::move(request), now + WorkDesk::kQuestionMax, [this, query, done](const auto& reply) {
          // Of an order nobody knows then whether it was carried out: this node has no word on it.
          const bool is_unreachable =
              !reply && reply.error().code == WorkClient::kOutOfTime && !is_order(query.name);
          if (is_unreachable) return done(answer_question(query, operator_roles(), true));
          if (!reply) return done(reply.error());
          done(reply.value().body);
        });
    return;
  }
  const auto reaction = Api::answer(query, operator_roles(), view());
  if (const auto* answer = std::get_if<wire::Answer>(&reaction)) return done(answer->json);
  if (const auto* refusal = std::get_if<wire::Refusal>(&reaction)) {
    return done(Error{refusal->code, refusal->what, "", refusal->next});
  }
  done(Error{1502, "not asked over HTTP", query.name, "use riftbus"});
}

// Of this node or another one; in whose name, that one judges (rights_in()).
void Node::State::ask_node_for_http(const NodeId& node, const wire::Query& query,
                                    HttpGround::OnDocument done) {
  if (node != prepared.settings.node_id) {
    wire::Query named = query;
    if (const NodeId admin = name_for_http(); !admin.empty()) {
      named.arguments["for"] = admin.value();
    }
    return peers->ask(node, named, now + WorkDesk::kQuestionMax, std::move(done));
  }
  if (query.name == "job.output" && executor) {
    return executor->answer_output(query, std::move(done));
  }
  answer_for_http(query, done);
}

// The end of a turn.
void Node::State::turn_http() {
  if (http) http->beat(now);
}

// Once a second.
void Node::State::tend_http() {
  if (!http_desk) return;
  if (!http && now >= http_due) open_http();
  if (!http) return;
  http->publish(glance());
  if (now < disk_percent_due) return;
  disk_percent_due = now + kMeasureDisk;
  auto measured = std::make_shared<double>(0);
  // Not taken: the disk is stuck, and what is known stays.
  static_cast<void>(disk.post({[measured, path = prepared.settings.paths.data_dir] {
                                 *measured = measure_disk_percent(path);
                                 return Status(Ok{});
                               },
                               [this, measured](const Status&) { disk_percent = *measured; }}));
}

}  // namespace riftbus::node
