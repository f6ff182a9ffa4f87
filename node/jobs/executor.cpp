#include "node/jobs/executor.h"

#include <algorithm>
#include <utility>

#include "config/check.h"
#include "node/jobs/kinds.h"

namespace riftbus::jobs {

namespace {

constexpr TimePoint kNever = TimePoint::max();

// 0.5 s, 1 s, 2 s, ... at most 5 s.
Nanos ask_again_after(int tries) {
  Nanos wait = Executor::kAskAgainMin;
  for (int n = 1; n < tries && wait < Executor::kAskAgainMax; ++n) wait *= 2;
  return std::min<Nanos>(wait, Executor::kAskAgainMax);
}

}  // namespace

Executor::Executor(Settings settings) : settings_(std::move(settings)), renew_at_(kNever) {}

void Executor::step(const Event& event, TimePoint now, Actions& out) {
  if (const auto* found = std::get_if<Found>(&event)) {
    on(*found, now, out);
  } else if (const auto* measured = std::get_if<Measured>(&event)) {
    measured_ = measured->offer;
    measured_.normalize();
    is_measured_ = true;
  } else if (const auto* answered = std::get_if<Answered>(&event)) {
    on(*answered, now, out);
  } else if (const auto* unanswered = std::get_if<Unanswered>(&event)) {
    on(*unanswered, now);
  } else if (const auto* started = std::get_if<Started>(&event)) {
    on(*started, now);
  } else if (const auto* progressed = std::get_if<Progressed>(&event)) {
    on(*progressed);
  } else if (const auto* ended = std::get_if<Ended>(&event)) {
    on(*ended, now);
  } else if (const auto* drain = std::get_if<Drain>(&event)) {
    on(*drain, now, out);
  }
  advance(now, out);
}

// ---- events ----------------------------------------------------------------------------------

void Executor::on(const Found& found, TimePoint now, Actions& out) {
  is_found_ = true;
  for (const auto& each : found.jobs) {
    if (each.ended && each.exit.cause == Cause::runner_failed) {
      // Its machine took it along: that is the node's loss and not the work's failure. Whatever
      // is not held when we attach is lost.
      out.push_back(Say{each.hold, "was lost with this node's former life"});
      out.push_back(Discard{each.hold});
      continue;
    }
    const Nanos lease = Millis{each.terms.lease_ms};
    // The clock counts from a request; what was written down is when it would stop.
    TimePoint claimed = now;
    if (each.stop_at != kNever) {
      claimed = each.stop_at + (now - work::LeaseClock(lease, each.kill_grace, now).stop_at());
    }
    work::Grant grant;
    grant.id = each.hold.id;
    grant.kind = each.kind;
    grant.terms = each.terms;
    grant.attempt = each.attempt;
    Job job(each.hold, std::move(grant), each.kill_grace, claimed);
    job.reserve = reserved_by(each.terms);
    job.told_stop_at = each.stop_at;
    enter(job, Phase::running, now);
    auto& placed = jobs_.insert_or_assign(each.hold, std::move(job)).first->second;
    if (each.ended) begin_report(placed, each.exit, now);
    out.push_back(Say{each.hold, each.ended ? "ended while this node was away"
                                            : "still runs since this node's former life"});
  }
  if (!jobs_.empty()) renew_at_ = now;
  if (!evicting_) return;
  for (auto& [hold, job] : jobs_) stop(job, Cause::evict, now, out);
}

void Executor::on(const Unanswered& unanswered, TimePoint now) {
  const Ticket ticket = unanswered.ticket;
  for (auto* question : {&attach_, &claim_}) {
    if (ticket == 0 || question->ticket != ticket) continue;
    question->ticket = 0;
    question->kept = true;
    question->at = now + ask_again_after(question->tries);
  }
  if (renewals_.erase(ticket) > 0) {
    if (ticket > renew_failed_) {
      ++renew_failures_;
      renew_failed_ = next_ticket_ - 1;
    }
    renew_at_ = std::min(renew_at_, now + ask_again_after(renew_failures_));
  }
  bool was_note = false;
  for (auto& [hold, job] : jobs_) {
    if (ticket != 0 && job.note_ticket == ticket) {
      job.note_ticket = 0;
      was_note = true;
    }
    if (ticket == 0 || job.report_ticket != ticket) continue;
    job.report_ticket = 0;
    job.report_at = now + ask_again_after(job.report_tries);
  }
  if (was_note) note_at_ = now + ask_again_after(++note_failures_);
}

void Executor::on(const Started& started, TimePoint now) {
  Job* job = find(started.hold);
  is_troubled_ = false;
  if (job != nullptr && job->phase == Phase::starting) enter(*job, Phase::running, now);
}

void Executor::on(const Progressed& progressed) {
  Job* job = find(progressed.hold);
  if (job == nullptr) return;
  job->percent = std::min<std::uint8_t>(progressed.percent, 100);
  if (progressed.checkpoint.empty() || progressed.checkpoint == job->checkpoint) return;
  if (progressed.checkpoint.size() > work::kCheckpointBytesMax) return;
  job->checkpoint = progressed.checkpoint;
  job->is_logged = false;
  job->note_ticket = 0;  // that one carries an earlier one
}

void Executor::on(const Ended& ended, TimePoint now) {
  if (ended.exit.cause == Cause::node_trouble) {
    is_troubled_ = true;
    paused_until_ = now + kTroublePause;
  }
  Job* job = find(ended.hold);
  if (job != nullptr && job->phase != Phase::reporting) begin_report(*job, ended.exit, now);
}

void Executor::on(const Drain& drain, TimePoint now, Actions& out) {
  draining_ = drain.on;
  evicting_ = drain.on && drain.evict;
  if (!evicting_) return;
  for (auto& [hold, job] : jobs_) stop(job, Cause::evict, now, out);
}

// ---- what is due -----------------------------------------------------------------------------

void Executor::advance(TimePoint now, Actions& out) {
  watch_leases(now, out);
  attach(now, out);
  renew(now, out);
  note(now, out);
  report(now, out);
  claim(now, out);
}

void Executor::watch_leases(TimePoint now, Actions& out) {
  for (auto& [hold, job] : jobs_) {
    const TimePoint until = stop_at(job);
    const bool alive =
        job.phase == Phase::held || job.phase == Phase::starting || job.phase == Phase::running;
    if (!alive) continue;
    if (now >= until) {
      stop(job, Cause::lease, now, out);
    } else if (until != job.told_stop_at && job.phase != Phase::held) {
      job.told_stop_at = until;
      out.push_back(Extend{hold, until});
    }
  }
}

void Executor::attach(TimePoint now, Actions& out) {
  if (!is_found_ || attached_ || superseded_ || attach_.ticket != 0 || now < attach_.at) return;
  work::Attach command{settings_.self, settings_.instance, {}, false, predecessor_};
  for (const auto& [hold, job] : jobs_) {
    if (!job.lost) command.holds.push_back(hold);
  }
  attach_holds_ = command.holds;
  attach_.ticket = next_ticket_++;
  ++attach_.tries;
  out.push_back(Ask{attach_.ticket, std::move(command)});
}

bool Executor::wants_work() const {
  if (!attached_ || !is_measured_ || draining_ || superseded_) return false;
  if (settings_.kinds.empty() || jobs_.size() >= settings_.slots) return false;
  const auto* cpus = measured_.find_amount("cpus");
  std::int64_t left = cpus == nullptr ? 0 : *cpus;
  for (const auto& [hold, job] : jobs_) {
    if (is_troubled_ && job.phase == Phase::starting) return false;  // it will show
    for (const auto& amount : job.reserve) {
      if (amount.name == "cpus") left -= amount.milli;
    }
  }
  return left > 0;
}

work::Offer Executor::offer() const {
  work::Offer offer = measured_;
  offer.amounts.push_back({"slots", static_cast<std::int64_t>(settings_.slots) * 1000});
  // The queue knows what our grants hold. What runs without a grant, only we know.
  for (const auto& [hold, job] : jobs_) {
    if (!job.lost || job.phase == Phase::reporting) continue;
    for (const auto& taken : job.reserve) {
      for (auto& amount : offer.amounts) {
        if (amount.name == taken.name) amount.milli -= taken.milli;
      }
    }
  }
  for (const auto& [name, kind] : settings_.kinds) offer.kinds.push_back(name);
  offer.normalize();
  return offer;
}

Nanos Executor::claim_wait_max() const {
  Nanos wait = kClaimWaitMax;
  for (const auto& [name, kind] : settings_.kinds) {
    wait = std::min<Nanos>(wait, Nanos{Seconds{kind.lease_s}} / 5);
  }
  return wait;
}

void Executor::claim(TimePoint now, Actions& out) {
  if (claim_.ticket != 0 || now < claim_.at || !attached_) return;
  // A claim that may have been heard is asked again even when there is no more room: what it was
  // granted must come to light, to be given back.
  if (!claim_.kept) {
    if (!wants_work() || now < paused_until_) return;
    claim_command_ = {};
    claim_command_.worker = settings_.self;
    claim_command_.instance = settings_.instance;
    claim_command_.request = next_request_++;
    const std::size_t most = is_troubled_ ? 1 : kClaimsMax;
    claim_command_.max = static_cast<std::uint32_t>(std::min(settings_.slots - jobs_.size(), most));
    claim_command_.offer = offer();
    claim_.first_try = now;
    claim_.tries = 0;
  }
  claim_.ticket = next_ticket_++;
  ++claim_.tries;
  out.push_back(Ask{claim_.ticket, claim_command_});
}

Nanos Executor::renew_every() const {
  Nanos every = kRenewEvery;
  for (const auto& [hold, job] : jobs_) {
    every = std::min<Nanos>(
        every, Nanos{Millis{job.grant.terms.lease_ms}} / work::LeaseClock::kRenewalsPerLease);
  }
  return std::max<Nanos>(every, Millis{100});
}

void Executor::renew(TimePoint now, Actions& out) {
  if (jobs_.empty()) renew_at_ = kNever;
  if (!attached_ || superseded_ || now < renew_at_) return;
  renew_at_ = now + renew_every();
  work::Renewal renewal{settings_.self, {}};
  std::size_t bytes = 0;
  for (auto& [hold, job] : jobs_) {
    if (!is_leased(job)) continue;
    work::Renewed renewed{hold, job.percent, {}};
    if (!job.is_logged) renewed.checkpoint = job.checkpoint;
    const std::size_t more = renewed.checkpoint.size() + work::kElementOverheadBytes;
    if (!renewal.works.empty() && bytes + more > work::kCommandBytesAim) {
      send_renewal(std::exchange(renewal, {settings_.self, {}}), out);
      bytes = 0;
    }
    bytes += more;
    job.clock.sent(next_ticket_, now);
    renewal.works.push_back(std::move(renewed));
  }
  if (!renewal.works.empty()) send_renewal(std::move(renewal), out);
}

void Executor::send_renewal(work::Renewal renewal, Actions& out) {
  const Ticket ticket = next_ticket_++;
  auto& holds = renewals_[ticket];
  for (const auto& work : renewal.works) holds.push_back(work.hold);
  if (renewals_.size() > kRenewalsOpenMax) renewals_.erase(renewals_.begin());
  out.push_back(Renew{ticket, std::move(renewal)});
}

void Executor::note(TimePoint now, Actions& out) {
  if (!attached_ || superseded_ || now < note_at_) return;
  work::Note note{settings_.self, {}};
  std::size_t bytes = 0;
  for (auto& [hold, job] : jobs_) {
    if (!wants_note(job)) continue;
    const std::size_t more = job.checkpoint.size() + work::kElementOverheadBytes;
    if (!note.works.empty() && bytes + more > work::kCommandBytesAim) {
      send_note(std::exchange(note, {settings_.self, {}}), out);
      bytes = 0;
    }
    bytes += more;
    job.note_ticket = next_ticket_;
    note.works.push_back({hold, 0, job.percent, job.checkpoint});
    note_at_ = now + kNoteEvery;
  }
  if (!note.works.empty()) send_note(std::move(note), out);
}

void Executor::send_note(work::Note note, Actions& out) {
  out.push_back(Ask{next_ticket_++, std::move(note)});
}

// ---- jobs ------------------------------------------------------------------------------------

bool Executor::may_finish(const Job& job) {
  return job.grant.terms.on_disconnect == work::OnDisconnect::finish;
}

bool Executor::is_leased(const Job& job) const { return !job.lost; }

// What it reports at its end carries the checkpoint as well.
bool Executor::wants_note(const Job& job) {
  return !job.is_logged && !job.lost && job.note_ticket == 0 && job.phase != Phase::reporting;
}

TimePoint Executor::stop_at(const Job& job) const {
  return may_finish(job) ? kNever : job.clock.stop_at();
}

void Executor::enter(Job& job, Phase phase, TimePoint now) const {
  job.phase = phase;
  job.since = now;
}

void Executor::start(Job& job, TimePoint now, Actions& out) {
  enter(job, Phase::starting, now);
  job.told_stop_at = stop_at(job);
  out.push_back(Start{job.hold, job.grant, job.kill_grace, job.told_stop_at});
}

void Executor::stop(Job& job, Cause cause, TimePoint now, Actions& out) {
  if (job.phase == Phase::held) {
    job.stopping = cause;
    begin_report(job, {cause, false, 0, 0, {}, {}, {}, 0}, now);
  } else if (job.phase == Phase::starting || job.phase == Phase::running) {
    job.stopping = cause;
    enter(job, Phase::stopping, now);
    out.push_back(Stop{job.hold, cause});
  }
}

void Executor::begin_report(Job& job, Exit exit, TimePoint now) {
  job.exit = std::move(exit);
  if (!job.exit.checkpoint.empty()) job.checkpoint = job.exit.checkpoint;
  job.percent = std::max(job.percent, job.exit.percent);
  job.report_at = now;
  enter(job, Phase::reporting, now);
}

Executor::Job* Executor::find(const Hold& hold) {
  const auto at = jobs_.find(hold);
  return at == jobs_.end() ? nullptr : &at->second;
}

void Executor::drop(const Hold& hold, Actions& out) {
  if (jobs_.erase(hold) == 0) return;
  out.push_back(Discard{hold});
  claim_.at = std::min(claim_.at, TimePoint{});  // there is room: ask at once
  idle_ = Nanos::zero();
}

TimePoint Executor::next_deadline() const {
  TimePoint due = renew_at_;
  if (!attached_) due = kNever;  // nothing is renewed before
  if (superseded_) return kNever;
  if (is_found_ && !attached_ && attach_.ticket == 0) due = std::min(due, attach_.at);
  if (attached_ && claim_.ticket == 0 && (claim_.kept || wants_work())) {
    due = std::min(due, claim_.kept ? claim_.at : std::max(claim_.at, paused_until_));
  }
  for (const auto& [hold, job] : jobs_) {
    if (attached_ && wants_note(job)) due = std::min(due, note_at_);
    if (job.phase == Phase::reporting) {
      if (job.report_ticket == 0 && attached_) due = std::min(due, job.report_at);
    } else if (job.phase != Phase::stopping) {
      due = std::min(due, stop_at(job));
    }
  }
  return due;
}

std::vector<JobView> Executor::view() const {
  std::vector<JobView> views;
  for (const auto& [hold, job] : jobs_) {
    views.push_back({hold, job.grant.kind, job.phase, job.grant.attempt, job.percent, job.since,
                     stop_at(job), is_leased(job)});
  }
  return views;
}

}  // namespace riftbus::jobs
