// One turn: duties and waiting commands into the log, what is decided out of it, answers.
#include <algorithm>
#include <utility>

#include "node/replica/replica_state.h"
#include "node/work/codec.h"

namespace riftbus::replica {

namespace {

constexpr std::size_t kLooksPerTurn = 256;  // at parked claims
constexpr work::LogMs kTickEveryMs = 5000;
constexpr work::LogMs kTicksPerWait = 64;

bool is_claim(const work::Command& command) { return std::holds_alternative<work::Claim>(command); }

work::Stamp stamp_of(const consensus::Entry& entry) {
  return {entry.index.value(), entry.term.value(), static_cast<work::LogMs>(entry.stamp.value())};
}

}  // namespace

void QueueReplica::flush(TimePoint now, Actions& out) {
  State& state = *state_;
  state.again = false;
  state.observe_role();
  if (state.is_leading) state.propose_duties(now);
  state.propose(now);
  std::size_t applies = 0;
  while (state.turn_log(now, out)) {
    if (++applies < state.settings.limits.applies_per_turn) continue;
    state.again = true;
    break;
  }
  state.write_piece(now, out);
  for (Answer& answer : state.answers) out.emplace_back(std::move(answer));
  state.answers.clear();
}

// ---- leading ---------------------------------------------------------------------------------

void QueueReplica::State::observe_role() {
  const auto status = core.glance();
  const bool leads = status.role == consensus::Role::leader;
  if (is_leader && (!leads || status.term != term)) step_down();
  is_leader = leads;
  term = status.term;
}

// Whatever is under way may or may not happen: its askers must ask whoever leads now.
void QueueReplica::State::step_down() {
  is_leader = is_leading = false;
  book.end();
  tick_open = false;
  claims_open = 0;
  for (const Proposed& one : std::exchange(proposed, {})) answer_moved(one.ticket);
  for (const Submit& one : std::exchange(waiting, {})) answer_moved(one.ticket);
  waiting_bytes = 0;
  for (const Parked& one : parking.take_all()) answer_moved(one.submit.ticket);
}

void QueueReplica::State::begin_leading(TimePoint now) {
  is_leading = true;
  again = true;
  looked_at_all = false;
  book.begin(queue, term.value(), now);
  const auto generation = core.glance().generation.value();
  if (queue.ledger().generation >= generation) return;
  // Before anything is granted: fences of this generation must be above all earlier ones.
  Submit recover{Ticket(), work::Recover{static_cast<std::uint16_t>(generation)}, {}, {}};
  recover.bytes = work::encode(recover.command);
  waiting_bytes += recover.bytes.size();
  waiting.push_front(std::move(recover));
}

// A leader that dies takes with it what its clock has counted since the last entry: so, while
// anything waits for its time, there is one whenever a small part of that time has passed.
work::LogMs QueueReplica::State::tick_due() const {
  const work::LogMs last = queue.ledger().now_ms;
  const work::LogMs due = queue.next_due_ms();
  return std::min(due, last + std::max(kTickEveryMs, (due - last) / kTicksPerWait));
}

void QueueReplica::State::propose_duties(TimePoint now) {
  if (book.next_deadline() <= now) {
    for (auto& expire : book.expire(queue, now)) {
      ++stats.expires;
      enqueue_duty(std::move(expire), now);
    }
  }
  const auto log_ms = static_cast<work::LogMs>(core.log_time(now).value());
  if (!tick_open && tick_due() <= log_ms) {
    tick_open = true;
    ++stats.ticks;
    enqueue_duty(work::Tick{}, now);
  }
  for (Parked& over : parking.expire(now)) {
    answer(over.submit.ticket, work::Reply(over.granted_nothing.value_or(work::Claimed{})));
  }
  wake_parked(now);
}

void QueueReplica::State::wake_parked(TimePoint now) {
  if (looked_at_all || parking.size() == 0) return;
  // A herd is not woken for one item: as many claims as there are items that none is after yet.
  const std::size_t ready = queue.ledger().ready.size();
  if (ready <= claims_open) {
    looked_at_all = true;
    return;
  }
  for (Parked& woken : parking.wake(queue, ready - claims_open, kLooksPerTurn, looked_at_all)) {
    ++stats.woken;
    if (woken.granted_nothing) {
      answer(woken.submit.ticket, work::Reply(std::move(*woken.granted_nothing)));
      continue;
    }
    woken.submit.wait = woken.until - now;
    enqueue(std::move(woken.submit), now);
  }
  if (!looked_at_all) again = true;
}

void QueueReplica::State::propose(TimePoint now) {
  is_refused = false;
  if (!is_leading || waiting.empty()) return;
  if (gather.due(waiting.size(), proposed.size()) > now) return;
  const auto& limits = settings.limits;
  batch.clear();
  std::size_t bytes = 0;
  for (const Submit& submit : waiting) {
    if (batch.size() >= limits.batch_commands) break;
    if (!batch.empty() && bytes + submit.bytes.size() > limits.batch_bytes) break;
    bytes += submit.bytes.size();
    batch.push_back(submit.bytes);
  }
  const auto proposal = core.propose(batch, now);
  if (!proposal.ok()) {
    is_refused = true;
    return;
  }
  stats.proposed += batch.size();
  gather.on_proposed();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Submit& submit = waiting.front();
    proposed.push_back(
        {proposal.first + i, proposal.term, submit.ticket, std::move(submit.command), submit.wait});
    waiting.pop_front();
  }
  waiting_bytes -= bytes;
  if (!waiting.empty()) again = true;
}

// ---- the log -----------------------------------------------------------------------------------

bool QueueReplica::State::turn_log(TimePoint now, Actions& out) {
  bool applied = false;
  log_actions.clear();
  core.flush(now, log_actions);
  for (auto& action : log_actions) {
    if (const auto* decided = std::get_if<consensus::Apply>(&action)) {
      apply(*decided, now);
      applied = true;
    } else if (auto* wanted = std::get_if<consensus::TakeSnapshot>(&action)) {
      snapshot.emplace(std::move(wanted->meta), queue);
    } else if (const auto* ready = std::get_if<consensus::ReadReady>(&action)) {
      settle_read(ready->ticket, now);
    } else if (const auto* lost = std::get_if<consensus::ReadLost>(&action)) {
      const auto found = confirming.extract(lost->ticket);
      if (found.empty()) continue;
      answer_moved(std::visit([](const auto& one) { return one.ticket; }, found.mapped()));
    } else {
      if (const auto* write = std::get_if<consensus::Persist>(&action)) {
        gather.on_write(write->seq, now);
      }
      std::visit(
          [&](auto& one) {
            using One = std::decay_t<decltype(one)>;
            if constexpr (std::is_constructible_v<Action, One>) out.emplace_back(std::move(one));
          },
          action);
    }
  }
  observe_role();
  return applied;
}

void QueueReplica::State::apply(const consensus::Apply& decided, TimePoint now) {
  observe_role();
  for (const auto& entry : decided.entries) {
    apply_entry(*entry, now);
    if (snapshot) snapshot->bytes += entry->payload.size();
  }
  if (snapshot) snapshot->entries += decided.entries.size();
  parking.look_again();
  looked_at_all = false;
  if (is_leading && parking.size() > 0) again = true;
  core.take(consensus::Applied{decided.entries.back()->index}, now);
}

void QueueReplica::State::apply_entry(const consensus::Entry& entry, TimePoint now) {
  ++stats.applied;
  if (entry.kind == consensus::EntryKind::noop && is_leader && entry.term == term) {
    begin_leading(now);
  }
  if (entry.kind != consensus::EntryKind::command) return;
  auto mine = take_proposed(entry);
  if (!mine) {
    auto decoded = work::decode_command(entry.payload);
    if (!decoded.ok()) {
      ++stats.undecodable;  // on every replica alike: it changes nothing anywhere
      return;
    }
    mine = Proposed{entry.index, entry.term, Ticket(), std::move(decoded.value), {}};
  }
  work::Reply reply = queue.apply(stamp_of(entry), std::move(mine->command));
  settle(*mine, std::move(reply), now);
}

// What stands in the log at a place where we proposed something else, was proposed by another
// leader: then we no longer lead, and step_down() has answered or will.
std::optional<Proposed> QueueReplica::State::take_proposed(const consensus::Entry& entry) {
  while (!proposed.empty() && proposed.front().index < entry.index) {
    answer_moved(proposed.front().ticket);
    proposed.pop_front();
  }
  if (proposed.empty() || proposed.front().index != entry.index) return std::nullopt;
  if (proposed.front().term != entry.term) return std::nullopt;
  Proposed mine = std::move(proposed.front());
  proposed.pop_front();
  return mine;
}

void QueueReplica::State::settle(Proposed& mine, work::Reply reply, TimePoint now) {
  book.applied(queue, reply, now);
  if (mine.term == term && is_leader) {
    if (std::holds_alternative<work::Tick>(mine.command)) tick_open = false;
    if (is_claim(mine.command) && claims_open > 0) --claims_open;
  }
  if (mine.ticket == Ticket()) return;
  const auto* claimed = std::get_if<work::Claimed>(&reply);
  const bool is_empty = claimed != nullptr && claimed->outcome == work::Outcome::ok &&
                        claimed->grants.empty() && mine.wait > Nanos();
  if (is_empty && is_leading && parking.size() < settings.limits.parked_claims) {
    Parked parked{{mine.ticket, std::move(mine.command), {}, {}}, now + mine.wait, *claimed};
    if (auto gone = parking.park(std::move(parked))) answer_moved(gone->submit.ticket);
    return;
  }
  gather.on_answer(now);
  answer(mine.ticket, std::move(reply));
}

void QueueReplica::State::settle_read(consensus::ReadTicket ticket, TimePoint now) {
  auto found = confirming.extract(ticket);
  if (found.empty()) return;
  if (const auto* renew = std::get_if<Renew>(&found.mapped())) {
    ++stats.renewals;
    if (!book.is_open()) return answer_moved(renew->ticket);
    // Even if nobody waits any more: the worker has asked in time.
    answer(renew->ticket, book.renew(queue, renew->renewal, now));
    return;
  }
  ++stats.reads;
  answer(std::get<Read>(found.mapped()).ticket, ReadNow{});
}

// ---- snapshots ---------------------------------------------------------------------------------

TimePoint QueueReplica::State::next_piece() const {
  const bool may_write = snapshot && pieces_open < settings.limits.snapshot_pieces;
  return may_write ? snapshot->next_at : TimePoint::max();
}

void QueueReplica::State::write_piece(TimePoint now, Actions& out) {
  if (next_piece() > now) return;
  const auto& limits = settings.limits;
  const bool is_quiet = snapshot->entries == snapshot->entries_at_last_piece;
  const bool is_late = snapshot->entries > limits.snapshot_patience_entries ||
                       snapshot->bytes > limits.snapshot_patience_bytes;
  snapshot->entries_at_last_piece = snapshot->entries;
  snapshot->next_at = is_quiet || is_late ? now : now + limits.snapshot_pause;
  SnapshotPiece piece{snapshot->meta, {}, !snapshot->is_begun, false};
  piece.bytes = snapshot->writer.next_piece(limits.snapshot_piece_bytes);
  piece.is_last = snapshot->writer.done();
  if (piece.bytes.empty() && !piece.is_last) return;
  snapshot->is_begun = true;
  if (piece.is_last) snapshot.reset();
  ++pieces_open;
  out.emplace_back(std::move(piece));
}

void QueueReplica::State::give_up_snapshot(TimePoint now) {
  if (!snapshot) return;
  const auto index = snapshot->meta.index;
  snapshot.reset();
  core.take(consensus::SnapshotTaken{index, false}, now);
}

}  // namespace riftbus::replica
