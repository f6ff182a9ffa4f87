#include "node/consensus/consensus.h"

#include "config/check.h"
#include "node/consensus/codec.h"
#include "node/consensus/consensus_state.h"

namespace riftbus::consensus {

namespace {

constexpr std::size_t kFreedPerTurn = 2048;  // entries that a snapshot covers; 0.2 ms at most

}  // namespace

Memory bootstrap(const Configuration& configuration) {
  RIFTBUS_CHECK(configuration.voter_count() > 0);
  Memory memory;
  memory.hard = {Term(1), ServerId(), configuration.generation()};
  memory.entries.push_back(keep({Index(1), Term(1), EntryKind::configuration, LogTime(),
                                 encode_configuration(configuration)}));
  return memory;
}

Consensus::Consensus(Settings settings, Random& random)
    : state_(std::make_unique<State>(std::move(settings), random)) {}

Consensus::~Consensus() = default;

void Consensus::take(const Event& event, TimePoint now) {
  state_->check_time(now);
  if (state_->is_retired() && !state_->still_matters(event)) return;
  std::visit([&](const auto& one) { state_->on(one, now); }, event);
}

void Consensus::flush(TimePoint now, Actions& out) {
  State& state = *state_;
  state.check_time(now);
  Core& core = state.core;
  core.log.free_dropped(kFreedPerTurn);
  if (!state.is_retired()) {
    state.advance_campaign(now);
    state.advance_leader(now);
    state.follower.flush();
    core.flush_write();
    // State that is about to be replaced is neither moved on nor saved.
    if (!state.follower.is_installing()) state.applier.advance();
    if (state.is_leader()) state.leader.settle_reads(state.applier.applied());
    core.release_messages();
  }
  out.insert(out.end(), std::make_move_iterator(core.pending.begin()),
             std::make_move_iterator(core.pending.end()));
  core.pending.clear();
}

void Consensus::step(const Event& event, TimePoint now, Actions& out) {
  take(event, now);
  flush(now, out);
}

TimePoint Consensus::next_deadline() const { return state_->next_deadline(); }

Proposal Consensus::propose(std::span<const std::string_view> commands, TimePoint now) {
  state_->check_time(now);
  if (state_->is_retired()) return {Refusal::disk_failed, {}, {}};
  if (!state_->is_leader()) return {Refusal::not_leader, {}, {}};
  return state_->leader.propose(commands, now);
}

Refusal Consensus::read(ReadTicket ticket, TimePoint now) {
  state_->check_time(now);
  if (!state_->is_leader()) return Refusal::not_leader;
  return state_->leader.read(ticket);
}

Refusal Consensus::transfer(ServerId to, TimePoint now) {
  state_->check_time(now);
  if (!state_->is_leader()) return Refusal::not_leader;
  return state_->leader.transfer(to, now);
}

Proposal Consensus::change(const Change& change, TimePoint now) {
  state_->check_time(now);
  if (!state_->is_leader()) return {Refusal::not_leader, {}, {}};
  return state_->leader.change(change, now);
}

Refusal Consensus::recover(TimePoint now) {
  state_->check_time(now);
  return state_->recover(now);
}

Glance Consensus::glance() const {
  const Core& core = state_->core;
  return {core.role,
          core.settings.policy,
          core.hard.term,
          core.hard.generation,
          core.hard.vote,
          core.leader,
          core.leader_contact,
          core.commit,
          state_->applier.applied(),
          core.log.last(),
          core.durability.durable(),
          core.is_removed(),
          core.hard.successor,
          core.rival_heard};
}

Status Consensus::status() const {
  const State& state = *state_;
  Status status{glance(), false, {}, {}, {}, {}};
  status.granted = state.elector.granted();
  status.refused = state.elector.refused();
  if (state.is_leader()) state.leader.describe(status);
  return status;
}

const Configuration& Consensus::configuration() const { return state_->core.log.configuration(); }

const Stats& Consensus::stats() const { return state_->core.stats; }

LogTime Consensus::log_time(TimePoint now) const {
  return state_->is_leader() ? state_->leader.log_time(now) : state_->core.log.last_stamp();
}

}  // namespace riftbus::consensus
