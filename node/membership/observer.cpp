#include "node/membership/observer.h"

#include <algorithm>

namespace riftbus::membership {

using wire::Claim;
using wire::Evidence;
using wire::Standing;

void Observer::on_frame(const wire::Envelope& envelope, TimePoint now, Actions& out) {
  const auto found = posts_.find(envelope.origin);
  if (found == posts_.end()) return;
  const auto gap = found->second.watch.on_frame(envelope.instance, envelope.seq);
  if (!gap) return;
  ++core_.stats.resyncs;
  core_.ask(envelope.origin, Purpose::resync, {}, wire::Resync{gap->from, gap->to}, now, out);
}

void Observer::on_beat(const wire::Envelope& envelope, const wire::Beat& beat, TimePoint now) {
  const auto found = posts_.find(envelope.origin);
  if (found == posts_.end()) return;
  Watch& watch = found->second.watch;
  if (beat.incarnation < watch.incarnation() && envelope.instance != watch.record().instance) {
    watch.on_older_life(now);
    return;
  }
  watch.on_beat(beat, envelope.seq, core_.awareness.factor(), now);
}

void Observer::on_link(const NodeId& peer, bool up, TimePoint now, Actions& out) {
  const auto found = posts_.find(peer);
  if (found == posts_.end()) return;
  perform(found->second, found->second.watch.on_link(up, now), now, out);
}

void Observer::on_dialled(const Dialled& dialled, TimePoint now, Actions& out) {
  const auto found = posts_.find(dialled.peer);
  if (found == posts_.end()) return;
  Post& post = found->second;
  perform(post, post.watch.on_dialled(dialled.outcome, climate_for(post), now), now, out);
}

void Observer::on_pong(const Calls::Question& question, const wire::Pong& pong, TimePoint now,
                       Actions& out) {
  core_.awareness.improve();
  const bool is_reference = question.purpose == Purpose::reference;
  const auto found = posts_.find(is_reference ? question.subject : question.peer);
  if (found == posts_.end()) return;
  Post& post = found->second;
  if (is_reference) {
    post.watch.on_answer(question.peer, now);
    return;
  }
  post.watch.round_trip().learn(now - question.asked);
  perform(post, post.watch.on_pong(pong, question.asked, now), now, out);
}

void Observer::on_heard(const Calls::Question& question, const wire::Heard& heard, TimePoint now,
                        Actions& out) {
  const auto found = posts_.find(question.subject);
  if (found == posts_.end() || heard.subject != question.subject) return;
  Post& post = found->second;
  perform(post, post.watch.on_heard(question.peer, heard, climate_for(post), now), now, out);
}

void Observer::on_watch_answer(const Calls::Question& question, TimePoint now) {
  const auto found = posts_.find(question.peer);
  if (found != posts_.end()) found->second.watch.round_trip().learn(now - question.asked);
}

void Observer::on_accusation(const Claim& claim, TimePoint now, Actions& out) {
  const auto found = posts_.find(claim.subject);
  if (found == posts_.end() || claim.accuser == core_.id()) return;
  Post& post = found->second;
  if (const Member* member = core_.table.find(claim.subject)) refresh(post, *member, now, out);
  if (claim.incarnation < post.watch.incarnation()) return;
  // Only whom the rings put there (or nearly: views differ while they change) has observed it.
  const auto watchers = core_.table.rings().watchers_of(claim.subject, 2);
  if (std::find(watchers.begin(), watchers.end(), claim.accuser) == watchers.end()) return;
  perform(post, post.watch.on_accusation(claim.accuser, claim.evidence, climate_for(post), now),
          now, out);
}

void Observer::on_recruit(const NodeId& peer, Nanos lease, TimePoint now) {
  if (lease <= Nanos::zero()) {
    recruited_.erase(peer);
  } else if (recruited_.contains(peer) || recruited_.size() < kRecruitedMax) {
    recruited_[peer] = now + std::min(lease, kLease);
  }
  replan_due_ = std::min(replan_due_, now + kReplanDelay);
}

wire::Heard Observer::heard(const wire::AskHeard& question, TimePoint now) const {
  const auto found = posts_.find(question.subject);
  if (found != posts_.end()) return found->second.watch.heard(now);
  wire::Heard heard;
  heard.subject = question.subject;
  if (const Member* member = core_.table.find(question.subject)) {
    heard.incarnation = member->incarnation;
  }
  return heard;
}

void Observer::advance(TimePoint now, Actions& out) {
  follow_table(now, out);
  if (now >= replan_due_) replan(now, out);
  for (auto& [id, post] : posts_) {
    if (now >= post.watch.next_deadline()) {
      perform(post, post.watch.advance(climate_for(post), now), now, out);
    }
    if (now >= post.renew_due && !post.linger_until) renew(post, now, out);
  }
  follow_table(now, out);  // our own verdicts
}

// A changed belief about a subject reaches its watch here, whoever caused it.
void Observer::follow_table(TimePoint now, Actions& out) {
  if (core_.table.version() == table_version_) return;
  table_version_ = core_.table.version();
  for (auto at = posts_.begin(); at != posts_.end();) {
    const Member* member = core_.table.find(at->first);
    if (member == nullptr || !is_live(member->standing)) {
      at = drop(at, false, out);
      continue;
    }
    refresh(at->second, *member, now, out);
    ++at;
  }
  replan_due_ = std::min(replan_due_, std::max(now, replanned_ + kReplanDelay));
}

// A higher incarnation is the member's own answer to what was held against it, whoever tells of it:
// our accusation is void, even if the next one, of others, has come already.
void Observer::refresh(Post& post, const Member& member, TimePoint now, Actions& out) {
  Watch& watch = post.watch;
  if (member.incarnation <= watch.incarnation() &&
      member.record.incarnation <= watch.record().incarnation) {
    return;
  }
  const bool moved = member.record.addresses != watch.record().addresses;
  // A new process knows nothing of our lease.
  if (moved || member.record.instance != watch.record().instance) post.renew_due = now;
  watch.restart(member.record, member.incarnation, now);
  if (!moved) return;
  out.push_back(Unsubscribe{member.record.id});
  out.push_back(Subscribe{member.record.id});
}

void Observer::replan(TimePoint now, Actions& out) {
  replan_due_ = TimePoint::max();
  replanned_ = now;
  std::set<NodeId> wanted;
  for (auto& id : core_.table.rings().subjects_of(core_.id())) wanted.insert(std::move(id));
  std::erase_if(recruited_, [&](const auto& entry) { return entry.second <= now; });
  for (const auto& [id, until] : recruited_) {
    const Member* member = core_.table.find(id);
    if (member == nullptr || !is_live(member->standing)) continue;
    wanted.insert(id);
    replan_due_ = std::min(replan_due_, until);
  }
  for (auto at = posts_.begin(); at != posts_.end();) {
    Post& post = at->second;
    if (wanted.contains(at->first)) {
      post.linger_until.reset();
    } else if (!post.linger_until) {
      post.linger_until = now + kLingerIntervals * core_.interval();
    } else if (now >= *post.linger_until) {
      at = drop(at, true, out);
      continue;
    }
    if (post.linger_until) replan_due_ = std::min(replan_due_, *post.linger_until);
    ++at;
  }
  for (const auto& id : wanted) {
    if (!posts_.contains(id)) take(id, now, out);
  }
}

void Observer::take(const NodeId& subject, TimePoint now, Actions& out) {
  const Member* member = core_.table.find(subject);
  if (member == nullptr) return;
  const auto [at, inserted] = posts_.emplace(
      subject, Post{Watch(core_.id(), member->record, member->incarnation, core_.timing(), now),
                    now, std::nullopt});
  out.push_back(Subscribe{subject});
  renew(at->second, now, out);
}

Observer::Posts::iterator Observer::drop(Posts::iterator at, bool say_so, Actions& out) {
  out.push_back(Unsubscribe{at->first});
  if (say_so) out.push_back(Send{at->first, Correlation{}, wire::Watch{}});
  return posts_.erase(at);
}

void Observer::renew(Post& post, TimePoint now, Actions& out) {
  const wire::Watch lease{static_cast<std::uint32_t>(to_ms(kLease)), false};
  core_.ask(post.watch.record().id, Purpose::watch, {}, lease, now, out);
  post.renew_due = now + core_.jittered(kLeaseRenewal);
}

void Observer::shift(Nanos by, TimePoint now) {
  for (auto& [id, post] : posts_) {
    post.watch.shift(by, now);
    post.renew_due += by;
    if (post.linger_until) *post.linger_until += by;
  }
  for (auto& [id, until] : recruited_) until += by;
  if (replan_due_ != TimePoint::max()) replan_due_ += by;
}

void Observer::stop(Actions& out) {
  for (auto at = posts_.begin(); at != posts_.end();) at = drop(at, true, out);
  recruited_.clear();
}

TimePoint Observer::next_deadline() const {
  TimePoint next = replan_due_;
  for (const auto& [id, post] : posts_) {
    next = std::min(next, post.watch.next_deadline());
    if (!post.linger_until) next = std::min(next, post.renew_due);
  }
  return next;
}

bool Observer::misses(const NodeId& id) const {
  const auto found = posts_.find(id);
  return found != posts_.end() && found->second.watch.is_lost();
}

std::vector<WatchReport> Observer::report() const {
  std::vector<WatchReport> reports;
  reports.reserve(posts_.size());
  for (const auto& [id, post] : posts_) reports.push_back(post.watch.report());
  return reports;
}

}  // namespace riftbus::membership
