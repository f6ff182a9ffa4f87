// Which part hears of what, and how a server changes its role.
#include "config/check.h"
#include "node/consensus/codec.h"
#include "node/consensus/consensus_state.h"

namespace riftbus::consensus {

namespace {

bool is_from_leader(const Message& message) {
  return std::holds_alternative<Append>(message.body) ||
         std::holds_alternative<SnapshotChunk>(message.body);
}

}  // namespace

void Consensus::State::start(TimePoint now) {
  started = true;
  elector.wait_for_leader(now);
  if (core.hard.successor == Generation()) return;
  core.role = Role::retired;
  core.announce(Happening::superseded);
}

void Consensus::State::check_time(TimePoint now) {
  if (!started) {
    last_step = now;
    start(now);
  }
  RIFTBUS_CHECK(now >= last_step);
  last_step = now;
}

// ---- roles -----------------------------------------------------------------------------------

void Consensus::State::follow(Term term, ServerId whom, TimePoint now) {
  const bool is_new_term = term > core.hard.term;
  const bool led = is_leader();
  if (led) {
    leader.end();
    ++core.stats.step_downs;
  }
  if (is_new_term) core.set_vote(term, ServerId());
  if (led && is_new_term) core.announce(Happening::steps_down, core.self(), Reason::newer_term);
  if (whom != core.leader && whom != ServerId()) core.announce(Happening::follows, whom);
  if (is_new_term || led) elector.wait_for_leader(now);
  elector.forget_campaign();
  core.role = Role::follower;
  core.leader = whom;
}

void Consensus::State::step_down(Reason reason, TimePoint now) {
  core.announce(Happening::steps_down, core.self(), reason);
  // Somebody else may be able to do better, at once.
  const ServerId heir = leader.fittest();
  if (reason != Reason::quorum_silent && heir != ServerId()) core.send(heir, TimeoutNow{});
  follow(core.hard.term, ServerId(), now);
  elector.retry_later(now);
  if (reason == Reason::no_progress) elector.hold_until(now + core.timing().stall * kStallHold);
}

bool Consensus::State::hear_leader(ServerId from, TimePoint now) {
  if (is_leader() || (core.leader != ServerId() && core.leader != from)) {
    ++core.stats.malformed;
    return false;
  }
  if (core.role != Role::follower || core.leader != from) follow(core.hard.term, from, now);
  core.leader_contact = now;
  core.is_told_removed = false;  // it speaks to its own only
  return true;
}

void Consensus::State::advance_campaign(TimePoint now) {
  if (is_leader()) return;
  forget_silent_leader(now);
  if (!follower.is_installing() && now >= elector.due()) elector.begin_pre_vote(now);
  if (core.role == Role::pre_candidate && elector.has_majority()) elector.begin_vote(false, now);
  if (core.role == Role::candidate && elector.has_majority()) leader.begin(now);
}

TimePoint Consensus::State::silence_due() const {
  const bool waits = core.role == Role::follower && core.leader != ServerId() &&
                     !core.may_campaign() && !follower.is_installing();
  return waits ? core.leader_contact + core.timing().election * kSilence : TimePoint::max();
}

void Consensus::State::forget_silent_leader(TimePoint now) {
  if (now < silence_due()) return;
  follow(core.hard.term, ServerId(), now);
  if (core.is_removed()) core.announce(Happening::removed);
}

void Consensus::State::advance_leader(TimePoint now) {
  if (!is_leader()) return;
  leader.advance_commit(now);
  leader.advance(applier.applied(), now);
  const Reason reason = leader.verdict(now);
  if (reason != Reason::none) return step_down(reason, now);
  leader.replicate(now);
}

TimePoint Consensus::State::next_deadline() const {
  if (!started) return TimePoint();
  if (is_retired() || follower.is_installing()) return TimePoint::max();
  return is_leader() ? leader.next_deadline() : std::min(elector.due(), silence_due());
}

Refusal Consensus::State::recover(TimePoint now) {
  if (core.has_disk_failed) return Refusal::disk_failed;
  const Server* own = core.log.configuration().find(core.self());
  if (own == nullptr || core.is_told_removed) return Refusal::unknown_server;
  const bool is_led =
      core.leader != ServerId() && now - core.leader_contact < core.timing().election * 2;
  if (is_leader() || is_led || follower.is_installing()) return Refusal::leader_is_in_charge;
  const Generation generation = std::max(core.hard.generation, core.hard.successor).next();
  const RecoveryMark mark(core.random.next() | 1U);
  const Configuration alone(generation, {{core.self(), Standing::voter, own->priority}}, mark);
  follow(core.hard.term.next(), ServerId(), now);
  core.set_hard({core.hard.term, ServerId(), generation, mark, Generation()});
  core.append(keep({core.log.last().next(), core.hard.term, EntryKind::configuration,
                    core.log.last_stamp(), encode_configuration(alone)}));
  elector.begin_vote(false, now);
  return Refusal::none;
}

// ---- messages --------------------------------------------------------------------------------

bool Consensus::State::accepts(const Message& message, TimePoint now) {
  const bool is_ours = message.cluster == core.settings.cluster && message.to == core.self() &&
                       message.from != core.self() && message.from != ServerId();
  if (!is_ours) {
    ++core.stats.stray;
    return false;
  }
  const bool is_same = message.generation == core.hard.generation && message.mark == core.hard.mark;
  if (is_same) return true;
  if (core.hard.generation == Generation() && is_from_leader(message)) {
    // A newcomer belongs to whoever takes it in first.
    HardState hard = core.hard;
    hard.generation = message.generation;
    hard.mark = message.mark;
    core.set_hard(hard);
    return true;
  }
  ++core.stats.foreign_generation;
  hear_stranger(message, now);
  return false;
}

void Consensus::State::hear_stranger(const Message& message, TimePoint now) {
  if (message.generation > core.hard.generation) {
    if (core.knows_voter(message.from)) retire(message.from, message.generation, now);
  } else if (message.generation < core.hard.generation) {
    answer_predecessor(message);
  } else {
    const bool is_news =
        core.rival_heard == TimePoint() || now - core.rival_heard >= core.timing().stall;
    if (is_news) core.announce(Happening::rival, message.from);
    core.rival_heard = now;
  }
}

// In our generation, which is all that it has to hear. Answers are not answered.
void Consensus::State::answer_predecessor(const Message& message) {
  if (const auto* request = std::get_if<VoteRequest>(&message.body)) {
    core.send(message.from, VoteAnswer{request->pre_vote, false, request->campaign});
  } else if (is_from_leader(message)) {
    core.send(message.from, AppendAnswer{});
  }
}

void Consensus::State::retire(ServerId told_by, Generation successor, TimePoint now) {
  if (is_leader()) core.announce(Happening::steps_down, core.self(), Reason::superseded);
  follow(core.hard.term, ServerId(), now);
  HardState hard = core.hard;
  hard.successor = successor;
  core.set_hard(hard);
  core.announce(Happening::superseded, told_by);
  core.flush_write();
  core.role = Role::retired;
}

bool Consensus::State::still_matters(const Event& event) const {
  if (core.has_disk_failed) return false;
  return !std::holds_alternative<Received>(event) && !std::holds_alternative<SnapshotBytes>(event);
}

void Consensus::State::on(const Received& event, TimePoint now) {
  const Message& message = event.message;
  if (!accepts(message, now)) return;
  if (const auto* answer = std::get_if<VoteAnswer>(&message.body)) {
    elector.hear_of_removal(message.from, *answer);
  }
  if (const auto* request = std::get_if<VoteRequest>(&message.body)) {
    return take(message.from, message.term, *request, now);
  }
  if (message.term > core.hard.term) follow(message.term, ServerId(), now);
  if (message.term < core.hard.term) {
    // So that it learns of our term and steps down.
    if (is_from_leader(message)) core.send(message.from, AppendAnswer{});
    return;
  }
  std::visit([&](const auto& body) { take(message.from, message.term, body, now); }, message.body);
}

void Consensus::State::take(ServerId from, Term term, const VoteRequest& request, TimePoint now) {
  const bool is_free = elector.is_free_to_vote(request, follower.is_leader_stuck(now), now);
  if (!is_free && !request.pre_vote) return;
  if (is_free && term > core.hard.term) follow(term, ServerId(), now);
  elector.answer(from, term, request, is_free, now);
}

void Consensus::State::take(ServerId from, Term, const VoteAnswer& answer, TimePoint) {
  elector.on_answer(from, answer);
}

void Consensus::State::take(ServerId from, Term, const Append& append, TimePoint now) {
  if (!hear_leader(from, now)) return;
  follower.on_append(from, append, now);
  if (!follower.is_leader_stuck(now)) elector.leader_heard(now);
}

void Consensus::State::take(ServerId from, Term, const AppendAnswer& answer, TimePoint now) {
  if (is_leader()) leader.on_append_answer(from, answer, now);
}

void Consensus::State::take(ServerId from, Term, const SnapshotChunk& chunk, TimePoint now) {
  if (!hear_leader(from, now)) return;
  elector.leader_heard(now);
  follower.on_chunk(from, chunk, now);
}

void Consensus::State::take(ServerId from, Term, const SnapshotAnswer& answer, TimePoint now) {
  if (is_leader()) leader.on_snapshot_answer(from, answer, now);
}

void Consensus::State::take(ServerId from, Term, const TimeoutNow&, TimePoint now) {
  const bool may = core.role == Role::follower && core.leader == from && core.is_voter() &&
                   !follower.is_installing();
  if (may) elector.begin_vote(true, now);
}

// ---- the rest of the world -------------------------------------------------------------------

void Consensus::State::on(const Persisted& event, TimePoint) {
  core.durability.complete(event.seq);
  follower.on_persisted();
}

void Consensus::State::on(const Applied& event, TimePoint) { applier.on_applied(event.index); }

void Consensus::State::on(const SnapshotTaken& event, TimePoint) {
  applier.on_snapshot_taken(event);
}

void Consensus::State::on(const SnapshotBytes& event, TimePoint now) {
  if (is_leader()) leader.on_snapshot_bytes(event, now);
}

void Consensus::State::on(const SnapshotInstalled& event, TimePoint now) {
  if (follower.on_installed(event)) applier.restart(core.log.snapshot().index);
  elector.wait_for_leader(now);
}

void Consensus::State::on(const DiskFailed&, TimePoint now) {
  if (is_leader()) step_down(Reason::disk, now);
  core.announce(Happening::disk_failed, core.self(), Reason::disk);
  if (!is_retired()) core.release_messages();
  core.has_disk_failed = true;
  core.role = Role::retired;
  core.leader = ServerId();
}

void Consensus::State::on(const Hint& event, TimePoint now) {
  const bool seemed_alive = core.seems_alive(core.leader);
  core.alive = event.alive;
  const bool lost_leader = core.leader != ServerId() && core.role == Role::follower &&
                           seemed_alive && !core.seems_alive(core.leader);
  if (lost_leader) elector.hurry(now);
}

void Consensus::State::on(const PolicyChosen& event, TimePoint) {
  core.settings.policy = event.policy;
}

}  // namespace riftbus::consensus
