#include "node/replica/replica.h"

#include <algorithm>
#include <utility>

#include "config/check.h"
#include "node/replica/replica_state.h"
#include "node/work/codec.h"

namespace riftbus::replica {

static_assert(work::kCommandBytesAim < consensus::kEntryBytesMax);

namespace {

// Whoever asked understands only answers to what it asked.
work::Reply refuse_oversize(const work::Command& command) {
  constexpr auto kOversize = work::Outcome::oversize;
  if (std::holds_alternative<work::Add>(command)) {
    return work::Added{kOversize, {}, {}, 0, "the batch is too long for the log", false};
  }
  if (std::holds_alternative<work::Claim>(command)) return work::Claimed{kOversize, {}, {}};
  return work::Verdicts{kOversize, {}};
}

}  // namespace

QueueReplica::QueueReplica(ReplicaSettings settings, work::WorkQueue queue, Random& random)
    : state_(std::make_unique<State>(std::move(settings), std::move(queue), random)) {}
QueueReplica::~QueueReplica() = default;

QueueReplica::State::State(ReplicaSettings given, work::WorkQueue start, Random& random)
    : settings(std::move(given)),
      core(std::move(settings.log), random),
      queue(std::move(start)),
      gather(settings.limits.gather_max) {}

void QueueReplica::take(const consensus::Event& event, TimePoint now) {
  RIFTBUS_CHECK(!std::holds_alternative<consensus::Applied>(event));
  const auto* installed = std::get_if<consensus::SnapshotInstalled>(&event);
  RIFTBUS_CHECK(installed == nullptr || !installed->ok);
  if (const auto* done = std::get_if<consensus::Persisted>(&event)) {
    state_->gather.on_written(done->seq, now);
  }
  state_->core.take(event, now);
}

void QueueReplica::take(Request request, TimePoint now) {
  std::visit([&](auto& one) { state_->on(std::move(one), now); }, request);
}

void QueueReplica::install(consensus::Index index, work::WorkQueue queue, TimePoint now) {
  RIFTBUS_CHECK(queue.applied_index() <= index.value());
  state_->give_up_snapshot(now);
  state_->queue = std::move(queue);
  state_->core.take(consensus::SnapshotInstalled{index, true}, now);
}

void QueueReplica::piece_written() {
  RIFTBUS_CHECK(state_->pieces_open > 0);
  --state_->pieces_open;
}

consensus::Refusal QueueReplica::transfer(consensus::ServerId to, TimePoint now) {
  return state_->core.transfer(to, now);
}
consensus::Proposal QueueReplica::change(const consensus::Change& change, TimePoint now) {
  return state_->core.change(change, now);
}
consensus::Refusal QueueReplica::recover(TimePoint now) { return state_->core.recover(now); }

const work::WorkQueue& QueueReplica::queue() const { return state_->queue; }
const work::LeaseBook& QueueReplica::leases() const { return state_->book; }
const consensus::Consensus& QueueReplica::log() const { return state_->core; }
bool QueueReplica::is_leading() const { return state_->is_leading; }
const ReplicaStats& QueueReplica::stats() const { return state_->stats; }
std::size_t QueueReplica::parked() const { return state_->parking.size(); }
std::size_t QueueReplica::waiting() const { return state_->waiting.size(); }

TimePoint QueueReplica::next_deadline(TimePoint now) const {
  const State& state = *state_;
  if (state.again || !state.answers.empty()) return now;
  TimePoint due = std::min(state.core.next_deadline(), state.next_piece());
  if (!state.is_leading) return due;
  if (!state.waiting.empty()) {
    const TimePoint gathered = state.gather.due(state.waiting.size(), state.proposed.size());
    due = std::min(due, std::max(gathered, state.is_refused ? now + Millis(1) : now));
  }
  due = std::min({due, state.parking.next_deadline(), state.book.next_deadline()});
  if (state.tick_open) return due;
  const work::LogMs tick_ms = state.tick_due();
  const auto log_ms = static_cast<work::LogMs>(state.core.log_time(now).value());
  if (tick_ms <= log_ms) return now;
  // Far away is as good as never: whatever happens meanwhile is looked at anew.
  if (tick_ms - log_ms < to_ms(Seconds(3600))) due = std::min(due, now + Millis(tick_ms - log_ms));
  return due;
}

// ---- requests ----------------------------------------------------------------------------------

void QueueReplica::State::answer(Ticket ticket, decltype(Answer::body) body) {
  if (ticket == Ticket()) return;
  ++stats.answered;
  answers.push_back({ticket, std::move(body)});
}

void QueueReplica::State::answer_moved(Ticket ticket) {
  if (ticket == Ticket()) return;
  ++stats.moved;
  const auto status = core.glance();
  // Whoever asks here again at once would only be told the same.
  const bool is_self = status.role == consensus::Role::leader;
  answer(ticket, Moved{is_self ? consensus::ServerId() : status.leader, status.term});
}

void QueueReplica::State::on(Submit&& submit, TimePoint now) {
  if (!is_leader) return answer_moved(submit.ticket);
  const auto* claim = std::get_if<work::Claim>(&submit.command);
  const bool may_wait = claim != nullptr && submit.wait > Nanos() && is_leading;
  submit.wait = std::min(submit.wait, settings.limits.park_max);
  if (may_wait && parking.size() < settings.limits.parked_claims &&
      !may_be_granted(queue, *claim, false)) {
    ++stats.parked;
    const TimePoint until = now + submit.wait;
    if (auto gone = parking.park({std::move(submit), until, std::nullopt})) {
      answer_moved(gone->submit.ticket);
    }
    return;
  }
  if (waiting.size() >= settings.limits.waiting_commands ||
      waiting_bytes >= settings.limits.waiting_bytes) {
    ++stats.busy;
    return answer(submit.ticket, Busy{});
  }
  gather.on_command();
  enqueue(std::move(submit), now);
}

void QueueReplica::State::enqueue(Submit&& submit, TimePoint now) {
  if (submit.bytes.empty()) submit.bytes = work::encode(submit.command);
  if (submit.bytes.size() > consensus::kEntryBytesMax) {
    // The queue's own bounds on one element are tighter; this is about too many in one batch.
    ++stats.busy;
    return answer(submit.ticket, refuse_oversize(submit.command));
  }
  if (std::holds_alternative<work::Claim>(submit.command)) ++claims_open;
  wait(std::move(submit), now);
}

void QueueReplica::State::wait(Submit&& submit, TimePoint now) {
  if (waiting.empty()) gather.on_first(now);
  waiting_bytes += submit.bytes.size();
  waiting.push_back(std::move(submit));
}

// A duty that was dropped would never be proposed again.
void QueueReplica::State::enqueue_duty(work::Command command, TimePoint now) {
  Submit submit{Ticket(), std::move(command), {}, {}};
  submit.bytes = work::encode(submit.command);
  RIFTBUS_CHECK(submit.bytes.size() <= consensus::kEntryBytesMax);
  wait(std::move(submit), now);
}

void QueueReplica::State::on(Renew&& renew, TimePoint now) { confirm(std::move(renew), now); }
void QueueReplica::State::on(Read&& read, TimePoint now) { confirm(read, now); }

// One round of heartbeats confirms all that came in one turn.
void QueueReplica::State::confirm(std::variant<Renew, Read> request, TimePoint now) {
  const Ticket ticket = std::visit([](const auto& one) { return one.ticket; }, request);
  if (confirming.size() >= settings.limits.open_reads) {
    ++stats.busy;
    return answer(ticket, Busy{});
  }
  const consensus::ReadTicket read(next_read++);
  const auto refusal = core.read(read, now);
  if (refusal == consensus::Refusal::none) {
    confirming.emplace(read, std::move(request));
  } else if (refusal == consensus::Refusal::overloaded) {
    ++stats.busy;
    answer(ticket, Busy{});
  } else {
    answer_moved(ticket);
  }
}

void QueueReplica::State::on(Forget&& forget, TimePoint) {
  if (parking.forget(forget.ticket)) return;
  for (Submit& submit : waiting) {
    if (submit.ticket == forget.ticket) submit.ticket = Ticket();
  }
  for (Proposed& one : proposed) {
    if (one.ticket == forget.ticket) one.ticket = Ticket();
  }
  std::erase_if(answers, [&](const Answer& one) { return one.ticket == forget.ticket; });
  for (auto& [read, request] : confirming) {
    std::visit(
        [&](auto& one) {
          if (one.ticket == forget.ticket) one.ticket = Ticket();
        },
        request);
  }
}

void QueueReplica::State::on(Evidence&& evidence, TimePoint now) {
  if (!is_leading) return;
  for (auto& expire : book.expire_worker(queue, evidence.worker, evidence.lapse)) {
    ++stats.expires;
    enqueue_duty(std::move(expire), now);
  }
}

}  // namespace riftbus::replica
