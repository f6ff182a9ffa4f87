#include "node/membership/table.h"

#include <algorithm>

namespace riftbus::membership {

using wire::Claim;
using wire::Standing;

namespace {

// Strength within one incarnation.
int rank_of(Standing standing) {
  switch (standing) {
    case Standing::alive:
      return 0;
    case Standing::unreachable:
      return 1;
    case Standing::suspect:
      return 2;
    case Standing::dead:
      return 3;
    case Standing::left:
      return 4;
  }
  return 0;
}

Happening happening_of(Standing standing) {
  switch (standing) {
    case Standing::suspect:
      return Happening::suspected;
    case Standing::dead:
      return Happening::died;
    case Standing::left:
      return Happening::left;
    case Standing::unreachable:
      return Happening::unreachable;
    case Standing::alive:
      break;
  }
  return Happening::joined;
}

// Only the member itself can answer that, once it hears of it.
bool is_accused(Standing standing) {
  return standing == Standing::suspect || standing == Standing::unreachable;
}

// Whoever was first heard of by its end, without a record, was never there for us.
Happening happening_of_return(const Member& before) {
  return before.record.instance == Instance() ? Happening::joined : Happening::returned;
}

// What a new life, or a refutation, of a member in this standing means to an operator.
std::optional<Happening> happening_of_life(const Member& before, Instance instance) {
  if (!is_live(before.standing)) return happening_of_return(before);
  if (before.record.instance != instance) return Happening::replaced;
  if (before.standing != Standing::alive) return Happening::refuted;
  return std::nullopt;
}

}  // namespace

bool is_live(Standing standing) { return rank_of(standing) < rank_of(Standing::dead); }

Table::Table(NodeId self, unsigned rings, Nanos ripening)
    : self_(std::move(self)), ripening_(ripening), rings_(rings) {}

Table::Outcome Table::merge(const Claim& claim, Source source, TimePoint now) {
  switch (claim.standing) {
    case Standing::alive:
      return merge_alive(claim, source, now);
    case Standing::suspect:
    case Standing::unreachable:
      return merge_accusation(claim, now);
    case Standing::dead:
    case Standing::left:
      return merge_end(claim, source, now);
  }
  return Outcome{.rejected = true};
}

Table::Outcome Table::merge_alive(const Claim& claim, Source source, TimePoint now) {
  if (!claim.record || claim.record->id != claim.subject ||
      claim.record->incarnation != claim.incarnation) {
    return Outcome{.rejected = true};
  }
  const auto found = members_.find(claim.subject);
  if (found == members_.end()) {
    Member member{*claim.record, Standing::alive,       claim.incarnation,
                  now,           source == Source::own, {}};
    return insert(std::move(member), true, now);
  }
  Member& member = found->second;
  if (claim.incarnation < member.incarnation) return Outcome{.stale = true};
  Outcome outcome;
  if (claim.incarnation == member.incarnation) {
    outcome.stale = member.standing != Standing::alive;
    // We learned of this incarnation without its record (by a beat, or an accusation).
    if (member.record.incarnation == claim.incarnation) return outcome;
    outcome.changed = true;
    if (is_live(member.standing)) withdraw(member);
    member.record = *claim.record;
    if (is_live(member.standing)) enter(member);
    ++version_;
    return outcome;
  }
  outcome.changed = true;
  outcome.happening = happening_of_life(member, claim.record->instance);
  if (is_live(member.standing)) withdraw(member);
  if (outcome.happening) member.verified = false;
  member.record = *claim.record;
  member.incarnation = claim.incarnation;
  enter(member);
  judge(member, claim, now);
  if (outcome.happening == Happening::replaced) member.since = now;
  return outcome;
}

Table::Outcome Table::merge_accusation(const Claim& claim, TimePoint now) {
  const auto found = members_.find(claim.subject);
  if (found == members_.end()) return Outcome{};  // nobody we know; repair brings its record
  Member& member = found->second;
  if (claim.incarnation < member.incarnation) return Outcome{.stale = true};
  if (claim.incarnation == member.incarnation &&
      rank_of(claim.standing) <= rank_of(member.standing)) {
    return Outcome{};
  }
  Outcome outcome{.changed = true, .happening = happening_of(claim.standing)};
  if (is_live(member.standing)) withdraw(member);
  member.incarnation = claim.incarnation;
  enter(member);
  judge(member, claim, now);
  return outcome;
}

Table::Outcome Table::merge_end(const Claim& claim, Source source, TimePoint now) {
  const auto found = members_.find(claim.subject);
  if (found == members_.end()) {
    Member member{{}, claim.standing, claim.incarnation, now, false, {}};
    member.record.id = claim.subject;
    Outcome outcome = insert(std::move(member), true, now);
    outcome.happening.reset();  // it was never there for us
    return outcome;
  }
  Member& member = found->second;
  if (claim.incarnation < member.incarnation) return Outcome{.stale = true};
  if (claim.incarnation == member.incarnation &&
      rank_of(claim.standing) <= rank_of(member.standing)) {
    return Outcome{};
  }
  const bool lives = is_live(member.standing);
  if (lives && source == Source::hearsay && claim.standing == Standing::dead) {
    Claim doubt = claim;
    doubt.standing = Standing::suspect;
    Outcome outcome = merge_accusation(doubt, now);
    if (outcome.changed || !ripening_verdicts_.contains(claim.subject)) {
      set_due(claim.subject, now + ripening_);
      ripening_verdicts_[claim.subject] = claim;
    }
    return outcome;
  }
  if (lives) withdraw(member);
  member.incarnation = claim.incarnation;
  Outcome outcome{.changed = true, .happening = std::nullopt};
  if (lives) outcome.happening = happening_of(claim.standing);
  judge(member, claim, now);
  return outcome;
}

Table::Outcome Table::hear(const NodeId& id, Incarnation incarnation, TimePoint now) {
  const auto found = members_.find(id);
  if (found == members_.end()) return Outcome{};
  Member& member = found->second;
  if (incarnation < member.incarnation) return Outcome{.stale = true};
  if (incarnation == member.incarnation) {
    if (member.standing == Standing::alive) member.verified = true;
    // A ripening verdict was hearsay; our own ears outweigh it. The suspicion itself stays until
    // the member, who is told of it, refutes.
    if (ripening_verdicts_.contains(id)) set_due(id, due_time(member, now));
    return Outcome{.stale = member.standing != Standing::alive};
  }
  Outcome outcome{.changed = true};
  if (!is_live(member.standing)) outcome.happening = happening_of_return(member);
  if (is_accused(member.standing)) outcome.happening = Happening::refuted;
  if (is_live(member.standing)) withdraw(member);
  member.incarnation = incarnation;
  member.verified = true;
  enter(member);
  judge(member, Claim{id, incarnation, Standing::alive, {}, wire::Evidence::none, std::nullopt},
        now);
  return outcome;
}

void Table::set_self(const wire::Record& record, Standing standing, TimePoint now) {
  const Member* before = find(self_);
  const bool is_same = before != nullptr && before->standing == standing;
  const TimePoint since = is_same ? before->since : now;
  forget(self_);
  Member member{record, standing, record.incarnation, since, true, {}};
  insert(std::move(member), false, now);
}

Table::Outcome Table::insert(Member member, bool remember, TimePoint now) {
  if (members_.size() >= kMembersMax) return Outcome{.rejected = true};
  const NodeId id = member.record.id;
  const auto [at, inserted] = members_.emplace(id, std::move(member));
  Member& placed = at->second;
  Outcome outcome{.changed = inserted, .happening = happening_of(placed.standing)};
  if (is_live(placed.standing)) enter(placed);
  ++version_;
  if (!remember) return outcome;
  judge(placed, Claim{id, placed.incarnation, placed.standing, {}, wire::Evidence::none, {}}, now);
  return outcome;
}

void Table::judge(Member& member, const Claim& claim, TimePoint now) {
  const bool same = member.standing == claim.standing && !member.history.empty();
  member.standing = claim.standing;
  if (!same) member.since = now;
  if (!same || claim.standing != Standing::alive) {
    if (member.history.size() >= kHistoryMax) member.history.erase(member.history.begin());
    member.history.push_back(
        {now, claim.standing, claim.incarnation, claim.accuser, claim.evidence});
  }
  if (!is_live(claim.standing)) member.verified = false;
  if (claim.standing == Standing::dead) {
    dead_.insert(claim.subject);
  } else {
    dead_.erase(claim.subject);
  }
  set_due(claim.subject, due_time(member, now));
  ++version_;
}

std::optional<TimePoint> Table::due_time(const Member& member, TimePoint now) const {
  if (is_accused(member.standing)) return now + ripening_ / kRemindersPerRipening;
  if (is_live(member.standing)) return std::nullopt;
  if (member.standing == Standing::left) return now + kTombstoneLeft;
  const bool ephemeral = member.record.tags.contains(kEphemeralTag);
  return now + (ephemeral ? kTombstoneEphemeral : kTombstoneStable);
}

// A live member has a seat on the rings and a share in the digest.
void Table::enter(const Member& member) {
  const auto found = members_.find(member.record.id);
  rings_.insert(found->first, member.record.failure_domain);
  digest_.toggle(member.record.id, member.incarnation);
}

void Table::withdraw(const Member& member) {
  rings_.erase(member.record.id);
  digest_.toggle(member.record.id, member.incarnation);
}

bool Table::forget(const NodeId& id) {
  const auto found = members_.find(id);
  if (found == members_.end()) return false;
  if (is_live(found->second.standing)) withdraw(found->second);
  set_due(id, std::nullopt);
  dead_.erase(id);
  members_.erase(found);
  ++version_;
  return true;
}

void Table::set_due(const NodeId& id, std::optional<TimePoint> due) {
  if (const auto found = due_of_.find(id); found != due_of_.end()) {
    due_.erase({found->second, id});
    due_of_.erase(found);
    ripening_verdicts_.erase(id);
  }
  if (!due) return;
  due_of_.emplace(id, *due);
  due_.emplace(*due, id);
}

Table::Due Table::advance(TimePoint now) {
  Due due;
  while (!due_.empty() && due_.begin()->first <= now) {
    const NodeId id = due_.begin()->second;
    Member& member = members_.find(id)->second;
    if (!is_live(member.standing)) {
      forget(id);
      due.forgotten.push_back(id);
      continue;
    }
    const auto ripe = ripening_verdicts_.find(id);
    if (ripe == ripening_verdicts_.end()) {
      set_due(id, due_time(member, now));
      due.undecided.push_back(id);
      continue;
    }
    const Claim verdict = ripe->second;
    withdraw(member);
    judge(member, verdict, now);
    due.died.push_back(id);
  }
  return due;
}

void Table::shift(Nanos by) {
  std::set<std::pair<TimePoint, NodeId>> shifted;
  for (auto& [id, due] : due_of_) {
    due += by;
    shifted.emplace(due, id);
  }
  due_ = std::move(shifted);
}

TimePoint Table::next_deadline() const {
  return due_.empty() ? TimePoint::max() : due_.begin()->first;
}

const Member* Table::find(const NodeId& id) const {
  const auto found = members_.find(id);
  return found == members_.end() ? nullptr : &found->second;
}

std::vector<Claim> Table::claims_of(const NodeId& id) const {
  std::vector<Claim> claims;
  const Member* member = find(id);
  if (member == nullptr) return claims;
  if (is_live(member->standing) && member->record.incarnation == member->incarnation) {
    claims.push_back(
        {id, member->incarnation, Standing::alive, {}, wire::Evidence::none, member->record});
  }
  if (member->standing == Standing::alive) return claims;
  Claim claim{id, member->incarnation, member->standing, {}, wire::Evidence::none, std::nullopt};
  if (!member->history.empty()) {
    claim.accuser = member->history.back().accuser;
    claim.evidence = member->history.back().evidence;
  }
  claims.push_back(std::move(claim));
  return claims;
}

}  // namespace riftbus::membership
