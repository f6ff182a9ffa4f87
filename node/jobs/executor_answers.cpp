#include <algorithm>

#include "node/jobs/executor.h"
#include "node/jobs/kinds.h"

namespace riftbus::jobs {

namespace {

// A program needs its whole grace within the lease, however short somebody made that.
constexpr int kGracesPerLease = 4;

bool is_ours(work::Outcome outcome) {
  return outcome == work::Outcome::ok || outcome == work::Outcome::repeated;
}

}  // namespace

void Executor::on(const Answered& answered, TimePoint now, Actions& out) {
  const Ticket ticket = answered.ticket;
  if (const auto* answers = std::get_if<std::vector<work::RenewedAnswer>>(&answered.answer)) {
    on_renewed(ticket, *answers, now, out);
    return;
  }
  const auto& reply = std::get<work::Reply>(answered.answer);
  if (const auto* claimed = std::get_if<work::Claimed>(&reply)) {
    if (ticket == claim_.ticket && ticket != 0) on_claimed(*claimed, now, out);
  } else if (const auto* verdicts = std::get_if<work::Verdicts>(&reply)) {
    if (ticket == attach_.ticket && ticket != 0) {
      on_attached(*verdicts, now, out);
    } else {
      on_noted(ticket, *verdicts, now);
      on_reported(ticket, *verdicts, now, out);
    }
  }
}

void Executor::on_attached(const work::Verdicts& verdicts, TimePoint now, Actions& out) {
  attach_.ticket = 0;
  if (verdicts.outcome == work::Outcome::superseded) {
    const bool is_known = verdicts.holder != Instance() && verdicts.holder != predecessor_;
    if (was_attached_ || !is_known) return supersede(now, out);
    // So that was our predecessor, as far as the queue knows.
    predecessor_ = verdicts.holder;
    attach_.at = now;
    return;
  }
  if (!is_ours(verdicts.outcome)) {
    attach_.at = now + kAskAgainMax;
    return;
  }
  attached_ = was_attached_ = true;
  attach_.tries = 0;
  // By position: two grants of one work may both have been asked about.
  const std::size_t count = std::min(verdicts.works.size(), attach_holds_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto& judged = verdicts.works[i];
    Job* job = find(attach_holds_[i]);
    if (job == nullptr || judged.id != job->hold.id || is_ours(judged.outcome)) continue;
    // Its report will be judged itself.
    if (job->phase != Phase::reporting) lose(*job, now, out);
  }
}

// Somebody newer speaks in this node's name. Nothing that runs here is ours any more.
void Executor::supersede(TimePoint now, Actions& out) {
  superseded_ = true;
  attached_ = false;
  out.push_back(Say{{}, "a newer daemon has this node's name: all work is stopped here"});
  for (auto& [hold, job] : jobs_) {
    job.lost = true;
    stop(job, Cause::stale, now, out);
  }
}

void Executor::on_claimed(const work::Claimed& claimed, TimePoint now, Actions& out) {
  claim_.ticket = 0;
  claim_.kept = false;
  if (claimed.outcome == work::Outcome::superseded) {
    attached_ = false;  // attaching decides who is the newer one
    attach_.at = now;
    return;
  }
  const bool found = claimed.outcome == work::Outcome::ok && !claimed.grants.empty();
  // What took its time was waited for by the leader: no need to wait here as well.
  const bool waited = now - claim_.first_try >= std::min<Nanos>(kWaitedFor, claim_wait_max());
  if (found || waited) idle_ = Nanos::zero();
  // The first one that found nothing may have been woken by work that somebody else then got.
  claim_.at = now + idle_;
  if (!found && !waited) idle_ = std::clamp<Nanos>(idle_ * 2, kIdleMin, kIdleMax);
  for (const auto& grant : claimed.grants) take_grant(grant, claimed.fence, now, out);
}

void Executor::take_grant(const work::Grant& grant, work::Fence fence, TimePoint now,
                          Actions& out) {
  const Hold hold{grant.id, fence};
  if (!grant.held || jobs_.contains(hold)) return;
  const Nanos lease = Millis{grant.terms.lease_ms};
  const auto kind = settings_.kinds.find(grant.kind);
  Nanos grace = lease / kGracesPerLease;
  if (kind != settings_.kinds.end()) {
    grace = std::min<Nanos>(grace, Seconds{kind->second.kill_grace_s});
  }
  Job fresh(hold, grant, grace, claim_.first_try);
  fresh.reserve = reserved_by(grant.terms);
  fresh.percent = grant.percent;
  Job& job = jobs_.insert_or_assign(hold, std::move(fresh)).first->second;
  enter(job, Phase::held, now);
  renew_at_ = std::min(renew_at_, now + renew_every());
  if (draining_) {
    stop(job, Cause::evict, now, out);
  } else if (now >= stop_at(job)) {
    stop(job, Cause::lease, now, out);  // the answer came too late to begin
  } else if (kind == settings_.kinds.end()) {
    begin_report(job, {Cause::itself, false, 0, 0, "this node has no such kind", {}, {}, 0}, now);
  } else if (!grant.hold) {
    start(job, now, out);
  }
}

// Who is not ours any more is told so by its renewal.
void Executor::on_noted(Ticket ticket, const work::Verdicts& verdicts, TimePoint now) {
  if (ticket == 0) return;
  for (auto& [hold, job] : jobs_) {
    if (job.note_ticket != ticket) continue;
    job.note_ticket = 0;
    const work::WorkId id = hold.id;
    const auto judged = std::find_if(verdicts.works.begin(), verdicts.works.end(),
                                     [&](const auto& each) { return each.id == id; });
    job.is_logged = judged != verdicts.works.end() && is_ours(judged->outcome);
    note_failures_ = 0;
    if (!job.is_logged) note_at_ = std::max(note_at_, now + kAskAgainMax);
  }
}

void Executor::on_reported(Ticket ticket, const work::Verdicts& verdicts, TimePoint now,
                           Actions& out) {
  if (ticket == 0) return;
  std::vector<Hold> known;
  const auto asked =
      static_cast<std::size_t>(std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& each) {
        return each.second.report_ticket == ticket;
      }));
  const bool is_long = verdicts.outcome == work::Outcome::oversize && asked > 1;
  for (auto& [hold, job] : jobs_) {
    if (job.report_ticket != ticket) continue;
    if (is_long) {  // nothing was looked at: all are said again, fewer at a time
      job.report_ticket = 0;
      job.report_at = now;
      continue;
    }
    const work::WorkId id = hold.id;
    const auto judged = std::find_if(verdicts.works.begin(), verdicts.works.end(),
                                     [&](const auto& each) { return each.id == id; });
    const auto outcome = judged == verdicts.works.end() ? verdicts.outcome : judged->outcome;
    if (outcome == work::Outcome::again) {
      job.report_ticket = 0;
      job.report_at = now + kAskAgainMax;
      continue;
    }
    if (!is_ours(outcome)) {
      out.push_back(Say{hold, std::string("its end was not accepted: ") + to_string(outcome)});
    }
    known.push_back(hold);
  }
  if (is_long) report_count_ = asked / 2;
  if (!known.empty()) report_count_ = kReportsMax;
  for (const auto& hold : known) drop(hold, out);
}

void Executor::on_renewed(Ticket ticket, const std::vector<work::RenewedAnswer>& answers,
                          TimePoint now, Actions& out) {
  const auto asked = renewals_.find(ticket);
  if (asked == renewals_.end()) return;
  const std::vector<Hold> holds = asked->second;
  renewals_.erase(asked);
  renew_failures_ = 0;
  for (std::size_t i = 0; i < holds.size() && i < answers.size(); ++i) {
    Job* job = find(holds[i]);
    if (job == nullptr || answers[i].judged.id != holds[i].id) continue;
    if (!is_ours(answers[i].judged.outcome)) {
      // While its end is being reported, "not yours" may only mean that the report was heard.
      if (job->phase != Phase::reporting) lose(*job, now, out);
      continue;
    }
    job->clock.acknowledged(ticket);
    obey(*job, answers[i].order, now, out);
  }
}

void Executor::obey(Job& job, work::Order order, TimePoint now, Actions& out) {
  switch (order) {
    case work::Order::go_on:
      if (job.phase == Phase::held && now < stop_at(job)) start(job, now, out);
      return;
    case work::Order::wait:
      return;
    case work::Order::cancel:
      stop(job, Cause::cancel, now, out);
      return;
    case work::Order::preempt:
      stop(job, Cause::preempt, now, out);
      return;
  }
}

// No longer ours: whatever it does from here on has no effect, and must have none.
void Executor::lose(Job& job, TimePoint now, Actions& out) {
  if (job.lost) return;
  job.lost = true;
  job.clock.refused(now);
  const bool goes_on = may_finish(job) && job.phase != Phase::held;
  out.push_back(Say{job.hold, goes_on ? "no longer ours; it may finish, for the record"
                                      : "no longer ours: stopped"});
  if (!goes_on) stop(job, Cause::stale, now, out);
}

}  // namespace riftbus::jobs
