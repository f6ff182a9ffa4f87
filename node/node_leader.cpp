// How leadership and work are built into a node, and what of them happens in its loop.
#include <algorithm>

#include "bus/clock.h"
#include "bus/log.h"
#include "node/api/api_leader.h"
#include "node/api/work_questions.h"
#include "node/node_state.h"

namespace riftbus::node {

namespace {

std::string log_folder(const NodeSettings& settings) { return settings.paths.data_dir + "/log"; }

consensus::Timing log_timing(const NodeSettings& settings) {
  const auto spans = spans_of(settings.leadership, settings.timing.profile);
  consensus::Timing timing;
  timing.election = Millis(spans.election_ms);
  timing.heartbeat = Millis(spans.heartbeat_ms);
  timing.rank_step = Millis(spans.rank_step_ms);
  return timing;
}

}  // namespace

// ---- building ----------------------------------------------------------------------------------

std::vector<NodeId> Node::State::first_voters() const {
  if (prepared.roster && !prepared.roster->roster.voters.empty()) {
    return prepared.roster->roster.voters;
  }
  return prepared.settings.voters;
}

// Whoever may vote by now, whether it does or not: whom to ask for the leader.
std::vector<NodeId> Node::State::listed_voters() const {
  if (!roster) return prepared.settings.voters;
  std::vector<NodeId> voters;
  for (const auto& [id, entry] : roster->in_force().entries) {
    if (entry.roles.contains(Role::voter)) voters.push_back(id);
  }
  return voters;
}

void Node::State::open_leadership() {
  const NodeId& self = prepared.settings.node_id;
  const auto voters = first_voters();
  load_orders();
  choose_membership(parse_membership_mode(orders.membership).value_or(configured_membership()));
  learn_names();
  for (const auto& id : voters) names.add(id);
  leader = std::make_unique<LeaderWatch>(self, voters, *bus, *members);
  work = std::make_unique<WorkClient>(
      self, *bus, *members, *leader,
      [this](WorkClient::Number number, const wire::WorkRequest& request, TimePoint at) {
        work_desk->on_here(number, request, at);
      });
  leader_questions = std::make_unique<LeaderQuestions>(*leader, names, [this] { return view(); });
  leader_questions->on_policy([this](const std::string& ordered) {
    orders.policy = ordered;
    save_orders();
  });
  work_desk = std::make_unique<WorkDesk>(
      self, *bus, *work, *leader,
      [this](const NodeId& id) -> const std::set<Role>& { return roles_of(id); },
      [this](const wire::Query& query, const std::set<Role>& roles, bool stale) {
        return answer_question(query, roles, stale);
      });
  const bool is_first = std::find(voters.begin(), voters.end(), self) != voters.end();
  if (VoterShell::had_log(log_folder(prepared.settings))) {
    const auto setup = voter_setup({});
    keep_log(setup, VoterShell::open_log(setup));  // the loop has not begun: nobody waits for it
  }
  const bool is_begun = voter && voter->replica().log().glance().last == consensus::Index(1);
  if (is_begun || (is_first && !voter && !voter_trouble)) {
    founding = std::make_unique<Founding>(self, voters, *bus, *members, now);
    if (is_begun) founding->begin();
  }
  work_desk->set_note(own_note());
  open_executor();
}

consensus::ClusterKey Node::State::cluster_key() const {
  const auto& settings = prepared.settings;
  return cluster_key_of(settings.cluster, settings.authority ? settings.authority->hex() : "");
}

VoterSetup Node::State::voter_setup(const std::vector<NodeId>& first) const {
  const auto& settings = prepared.settings;
  VoterSetup setup;
  setup.self = settings.node_id;
  setup.cluster = cluster_key();
  setup.first_voters = first;
  setup.folder = log_folder(settings);
  setup.configured_policy =
      consensus::parse_policy(settings.leadership.policy).value_or(setup.policy);
  setup.policy = consensus::parse_policy(orders.policy).value_or(setup.configured_policy);
  setup.timing = log_timing(settings);
  setup.seed = instance.value();
  return setup;
}

void Node::State::keep_log(VoterSetup setup, Result<OpenedLog> opened) {
  const auto& settings = prepared.settings;
  if (!opened) {
    voter_trouble = opened.error();
    bus::write_error(*voter_trouble);
    journal.note("disk", settings.node_id,
                 "takes no part in the log: " + voter_trouble->to_string(),
                 {now, bus::wall_now_ms()});
    leader_questions->set_trouble(&*voter_trouble);
    return;
  }
  voter = std::make_unique<VoterShell>(std::move(setup), std::move(*opened), *bus, *members, names,
                                       *leader, journal);
  log_wake = bus->add_wakeup(voter->wake_fd());
  work_desk->set_voter(voter.get());
  leader_questions->set_voter(voter.get());
  bus::log_info("keeps the replicated log", {{"folder", log_folder(settings)}});
}

// ---- the loop ----------------------------------------------------------------------------------

void Node::State::learn_names() {
  names.add(prepared.settings.node_id);
  for (const auto& id : prepared.configured) names.add(id);
  if (roster) {
    for (const auto& [id, entry] : roster->current().entries) names.add(id);
  } else {
    for (const auto* member : members->core().members()) names.add(member->record.id);
  }
}

// True: it was a matter of leadership or work.
bool Node::State::on_work_kind(bus::Received& received, wire::Kind kind,
                               const std::set<Role>& roles) {
  switch (kind) {
    case wire::Kind::consensus:
      on_consensus(received, roles);
      return true;
    case wire::Kind::work_request:
      work_desk->on_request(std::move(received), now);
      return true;
    case wire::Kind::work_reply:
    case wire::Kind::refusal:
      return on_work_reply(received, roles);
    default:
      return false;
  }
}

// Who leads is a voter's word, and about a voter: anybody else could draw all claims to itself.
bool Node::State::on_work_reply(const bus::Received& received, const std::set<Role>& roles) {
  if (Founding::is_answer(received)) {
    if (founding && roles.contains(Role::voter)) founding->on_reply(received, now);
    return true;
  }
  if (LeaderWatch::is_answer(received)) {
    const auto* reply = std::get_if<wire::WorkReply>(&received.envelope.body);
    const bool names_a_voter = reply != nullptr && (reply->leader.empty() ||
                                                    roles_of(reply->leader).contains(Role::voter));
    if (names_a_voter && roles.contains(Role::voter)) leader->on_reply(received, now);
    return true;
  }
  return work->on_reply(received, now);
}

bool Node::State::on_leader_query(const bus::Received& received, const std::set<Role>& roles) {
  const auto& query = std::get<wire::Query>(received.envelope.body);
  const Answers about_work = who_answers_work(query.name);
  const Answers who = about_work == Answers::nobody ? who_answers(query.name) : about_work;
  if (who == Answers::nobody) return false;
  if (who == Answers::leader) {
    work_desk->on_question(received, query, is_order(query.name), now);
    return true;
  }
  auto document = answer_question(query, roles, false);
  wire::Body body;
  if (document) {
    body = wire::Answer{std::move(*document)};
  } else {
    const Error& error = document.error();
    body = wire::Refusal{error.code, error.what, error.next};
  }
  bus->reply(received.reply_to, received.envelope.correlation, std::move(body));
  return true;
}

Result<std::string> Node::State::answer_question(const wire::Query& query,
                                                 const std::set<Role>& roles, bool stale) {
  if (query.name == "node.flags") return answer_flags(query, roles);
  if (who_answers_work(query.name) == Answers::nobody) {
    return leader_questions->answer(query, roles, stale);
  }
  if (roles.empty()) return Error{1304, "asking takes a role", "", "ask for one"};
  const auto* queue = voter ? &voter->replica().queue() : nullptr;
  const auto log_time = voter ? voter->replica().log().log_time(now) : consensus::LogTime();
  return answer_work(query, queue, prepared.settings.jobs, view(), stale,
                     static_cast<work::LogMs>(log_time.value()));
}

// The end of a turn: what was heard goes into the log, what was decided goes out.
void Node::State::turn_leadership() {
  leader->tick(now);
  leader->run_waiting(now);
  if (founding) turn_founding();
  if (executor) executor->tick(now);
  work->tick(now);
  if (!voter) return;
  voter->flush(now, !founding);
  time_commits();
  if (!founding) leader_questions->set_trouble(voter->trouble());
}

// A leader's: from the turn in which an entry was put into the log to the one in which it was known
// to be decided. One entry at a time is followed, which costs nothing.
void Node::State::time_commits() {
  const auto glance = voter->replica().log().glance();
  auto& awaited = commit_times.awaited;
  if (glance.role != consensus::Role::leader) return awaited.reset();
  if (awaited && glance.commit >= *awaited) {
    ++commit_times.count;
    commit_times.sum += now - commit_times.since;
    awaited.reset();
  }
  if (awaited || glance.last <= glance.commit) return;
  awaited = glance.last;
  commit_times.since = now;
}

// For how long this node will hold on to the present leader, itself or another one, if nobody says
// a word from now on.
Nanos Node::State::lease_remaining() const {
  const auto& log = voter->replica().log();
  const auto status = log.status();
  if (status.leader.value() == 0) return Nanos();
  TimePoint heard = status.leader_contact;
  if (status.role == consensus::Role::leader) {
    const auto self = replica::server_id_of(prepared.settings.node_id);
    heard = log.configuration().reached_by_majority([&](consensus::ServerId server) {
      if (server == self) return now;
      const auto found = std::find_if(status.peers.begin(), status.peers.end(),
                                      [&](const auto& peer) { return peer.id == server; });
      return found == status.peers.end() ? TimePoint() : found->contact;
    });
  }
  const Nanos left = heard + log_timing(prepared.settings).election - now;
  return std::max(left, Nanos());
}

TimePoint Node::State::leadership_deadline() const {
  auto due = std::min(leader->next_deadline(), work->next_deadline());
  if (executor) due = std::min(due, executor->next_deadline());
  if (founding) due = std::min(due, founding->next_deadline());
  return voter && !founding ? std::min(due, voter->next_deadline(now)) : due;
}

// Once a second: who seems alive, whose name is new, who may vote by now.
void Node::State::tend_leadership() {
  learn_names();
  leader->set_voters(listed_voters());
  const auto* led_by = members->core().find(leader->leader());
  const bool is_leader_well = led_by != nullptr && led_by->standing == wire::Standing::alive;
  if (voter || founding) leader->need(now);
  if (!is_leader_well) leader->look(now);
  work_desk->set_note(own_note());
  if (founding) tend_founding();
  if (!voter) return;
  std::set<NodeId> alive{prepared.settings.node_id};
  for (const auto* member : members->core().members()) {
    const auto& id = member->record.id;
    if (member->standing == wire::Standing::alive) alive.insert(id);
    if (member->standing == wire::Standing::dead && voter->replica().is_leading()) {
      voter->take(replica::Evidence{id, work::Lapse::dead}, now);
    }
  }
  voter->set_alive(alive, now);
  promote_learners();
}

// A server that was added listens until it has caught up; then it votes.
void Node::State::promote_learners() {
  if (!voter->replica().is_leading()) return;
  for (const auto& server : voter->replica().log().configuration().servers()) {
    if (server.standing != consensus::Standing::learner) continue;
    const auto refusal = voter->change({consensus::Change::Kind::promote, server.id, 0}, now);
    if (refusal == consensus::Refusal::none) return;  // one at a time
  }
}

void Node::State::add_leadership(NodeView& seen) const {
  const Error* trouble = voter              ? voter->trouble()
                         : voter_trouble    ? &*voter_trouble
                         : founding_trouble ? &*founding_trouble
                                            : nullptr;
  seen.leadership = std::make_shared<const LeadershipView>(
      LeadershipView{leader.get(), voter.get(), &names, trouble});
  if (voter) {
    const auto& counters = voter->counters();
    const auto& stats = voter->replica().stats();
    const auto& log = voter->replica().log().stats();
    const auto disk_figures = voter->disk();
    seen.counters["log.messages_sent"] = counters.sent;
    seen.counters["log.messages_lost"] = counters.lost;
    seen.counters["log.messages_received"] = counters.received;
    seen.counters["log.messages_malformed"] = counters.malformed;
    seen.counters["log.messages_of_impostors"] = counters.impostors;
    seen.counters["log.disk_failures"] = counters.disk_failures;
    seen.counters["log.elections_won"] = log.elections_won;
    seen.counters["log.step_downs"] = log.step_downs;
    seen.counters["log.campaigns"] = log.campaigns;
    seen.counters["log.commits_timed"] = commit_times.count;
    seen.counters["log.commit_us"] = micros(commit_times.sum);
    seen.counters["log.lease_us"] = micros(lease_remaining());
    seen.counters["log.writes"] = disk_figures.writes;
    seen.counters["log.write_us"] = disk_figures.write_us;
    seen.counters["log.write_us_max"] = disk_figures.write_us_max;
    seen.counters["log.snapshots"] = disk_figures.snapshots;
    seen.counters["log.snapshot_bytes"] = disk_figures.snapshot_bytes;
    seen.counters["work.proposed"] = stats.proposed;
    seen.counters["work.applied"] = stats.applied;
    seen.counters["work.answered"] = stats.answered;
    seen.counters["work.moved"] = stats.moved;
    seen.counters["work.busy"] = stats.busy;
    seen.counters["work.parked"] = voter->replica().parked();
    seen.counters["work.renewals"] = stats.renewals;
    seen.counters["work.expires"] = stats.expires;
    seen.counters["work.undecodable"] = stats.undecodable;
  }
  seen.counters["work.calls_open"] = work->open();
  if (executor) executor->add_counters(seen.counters);
}

}  // namespace riftbus::node
