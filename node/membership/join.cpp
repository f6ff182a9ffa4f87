#include "node/membership/join.h"

#include <algorithm>
#include <iterator>

namespace riftbus::membership {

void Join::start(TimePoint now, Actions& out) {
  for (const auto& seed : core_.settings.seeds) {
    const bool known = std::find(seeds_.begin(), seeds_.end(), seed) != seeds_.end();
    if (seed != core_.id() && !known) seeds_.push_back(seed);
  }
  if (!seeds_.empty()) {
    first_turn_ = static_cast<std::size_t>(core_.random.below(seeds_.size()));
    next_seed_ = static_cast<std::size_t>(core_.random.below(seeds_.size()));
  }
  heal_due_ = now + heal_pause();
  core_.joined = seeds_.empty();
  seeking_ = !seeds_.empty();
  if (seeking_) seek(now, out);
}

void Join::seek(TimePoint now, Actions& out) {
  host_ = NodeId();
  const std::size_t first = first_turn_++ % std::min(kFirstSeeds, seeds_.size());
  ask(seeds_[first], {}, now, out);
  if (next_seed_ == first) next_seed_ = (next_seed_ + 1) % seeds_.size();
  if (next_seed_ != first) ask(seeds_[next_seed_], {}, now, out);
  next_seed_ = (next_seed_ + 1) % seeds_.size();
  const auto quarter = retry_.count() / 4;
  seek_due_ = now + retry_ + Nanos(core_.random.between(-quarter, quarter));
  retry_ = std::min(kRetryMax, 2 * retry_);
}

void Join::ask(const NodeId& to, const NodeId& after, TimePoint now, Actions& out) {
  core_.ask(to, Purpose::join, after, wire::Join{core_.self.record(), after}, now, out);
}

wire::JoinAnswer Join::answer(const wire::Join& join, Incarnation seen) const {
  wire::JoinAnswer answer;
  answer.seen = seen;
  const NodeId& asker = join.record.id;
  const auto& members = core_.table.members();
  auto at = join.after.empty() ? members.begin() : members.upper_bound(join.after);
  const auto append = [&](const NodeId& id) {
    auto claims = core_.table.claims_of(id);
    answer.claims.insert(answer.claims.end(), std::make_move_iterator(claims.begin()),
                         std::make_move_iterator(claims.end()));
  };
  // What is said of the asker itself comes first: it may have to answer that before all else.
  if (join.after.empty()) append(asker);
  std::size_t count = 0;
  for (; at != members.end() && count < kPageMembers; ++at) {
    if (at->first != asker) append(at->first);
    ++count;
  }
  if (at != members.end()) answer.after = std::prev(at)->first;
  return answer;
}

void Join::on_answer(const Calls::Question& question, const wire::JoinAnswer& answer, TimePoint now,
                     Actions& out) {
  const bool newcomer = !core_.joined;
  if (seeking_ && host_.empty()) host_ = question.peer;
  if (seeking_ && host_ != question.peer) return;  // one host's pages are enough
  if (!newcomer) return_missing(question.peer, question.subject, answer, out);
  if (!answer.after.empty() && answer.after > question.subject) {
    ask(question.peer, answer.after, now, out);
    if (seeking_) seek_due_ = now + retry_;
    return;
  }
  seeking_ = false;
  core_.joined = true;
  seek_due_ = TimePoint::max();
}

void Join::return_missing(const NodeId& to, const NodeId& after, const wire::JoinAnswer& answer,
                          Actions& out) const {
  std::map<NodeId, Incarnation> told;
  for (const auto& claim : answer.claims) {
    auto& newest = told[claim.subject];
    newest = std::max(newest, claim.incarnation);
  }
  std::vector<wire::Claim> missing;
  const auto& members = core_.table.members();
  auto at = after.empty() ? members.begin() : members.upper_bound(after);
  for (; at != members.end() && (answer.after.empty() || at->first <= answer.after); ++at) {
    if (!is_live(at->second.standing) || at->first == core_.id()) continue;
    const auto found = told.find(at->first);
    if (found != told.end() && found->second >= at->second.incarnation) continue;
    auto claims = core_.table.claims_of(at->first);
    missing.insert(missing.end(), std::make_move_iterator(claims.begin()),
                   std::make_move_iterator(claims.end()));
  }
  core_.tell(to, std::move(missing), out);
}

// A dead member, or a seed that nobody told us of; empty if nobody is missing.
NodeId Join::draw_lost() const {
  std::vector<NodeId> lost;
  for (const auto& seed : seeds_) {
    const Member* member = core_.table.find(seed);
    if (member == nullptr && core_.is_allowed(seed)) lost.push_back(seed);
  }
  const auto& dead = core_.table.dead();
  const std::size_t all = lost.size() + dead.size();
  if (all == 0) return {};
  const auto drawn = static_cast<std::size_t>(core_.random.below(all));
  if (drawn < lost.size()) return lost[drawn];
  return *std::next(dead.begin(), static_cast<std::ptrdiff_t>(drawn - lost.size()));
}

Nanos Join::heal_pause() {
  const auto live = static_cast<std::int64_t>(std::max<std::size_t>(1, core_.table.live_count()));
  const auto hurry = std::clamp<std::int64_t>(static_cast<std::int64_t>(core_.table.dead().size()),
                                              1, kHealHurryMax);
  const Nanos mean = Nanos(std::chrono::minutes(1)) * live / (kHealPerMinute * hurry);
  return mean / 2 + Nanos(core_.random.between(0, mean.count()));
}

void Join::heal(TimePoint now, Actions& out) {
  heal_due_ = now + heal_pause();
  const NodeId lost = draw_lost();
  if (!lost.empty()) ask(lost, {}, now, out);
}

void Join::advance(TimePoint now, Actions& out) {
  if (now >= seek_due_) seek(now, out);
  // More are dead than when the pause was drawn: it was drawn for calmer times.
  const std::size_t dead = core_.table.dead().size();
  if (dead > dead_seen_ && heal_due_ != TimePoint::max()) {
    heal_due_ = std::min(heal_due_, now + heal_pause());
  }
  dead_seen_ = dead;
  if (now >= heal_due_) heal(now, out);
}

void Join::shift(Nanos by) {
  if (seek_due_ != TimePoint::max()) seek_due_ += by;
  if (heal_due_ != TimePoint::max()) heal_due_ += by;
}

TimePoint Join::next_deadline() const { return std::min(seek_due_, heal_due_); }

}  // namespace riftbus::membership
