#include "node/consensus/elector.h"

#include <algorithm>

namespace riftbus::consensus {

TimePoint Elector::due() const {
  if (!core_.may_campaign()) return TimePoint::max();
  return std::max(held_until_, clock_.due(core_.settings.policy, core_.rank_of(core_.self())));
}

void Elector::begin_pre_vote(TimePoint now) {
  forget_campaign();
  core_.role = Role::pre_candidate;
  core_.leader = ServerId();
  ++core_.stats.pre_campaigns;
  retry_later(now);
  ask_all(
      VoteRequest{true, false, core_.hard.term.next(), core_.log.last(), core_.log.last_term()});
}

void Elector::begin_vote(bool transfer, TimePoint now) {
  forget_campaign();
  core_.role = Role::candidate;
  core_.leader = ServerId();
  core_.set_vote(core_.hard.term.next(), core_.self());
  ++core_.stats.campaigns;
  core_.announce(Happening::campaigns, core_.self());
  retry_later(now);
  ask_all(VoteRequest{false, transfer, core_.hard.term, core_.log.last(), core_.log.last_term()});
}

void Elector::ask_all(const VoteRequest& request) {
  for (const ServerId voter : core_.log.configuration().voters()) {
    if (voter != core_.self()) core_.send(voter, request);
  }
}

void Elector::hear_of_removal(ServerId from, const VoteAnswer& answer) {
  if (answer.removed_index == Index() || core_.is_told_removed) return;
  if (core_.leader != ServerId() || !core_.knows_voter(from)) return;
  // Who has that entry, and behind it one that takes it in again, knows better.
  const bool has_entry = answer.removed_index <= core_.commit ||
                         core_.log.term_at(answer.removed_index) == answer.removed_term;
  if (has_entry && core_.log.configuration_index() > answer.removed_index) return;
  core_.is_told_removed = true;
  forget_campaign();
  core_.role = Role::follower;
  core_.announce(Happening::removed, from);
}

void Elector::on_answer(ServerId from, const VoteAnswer& answer) {
  const bool pre = core_.role == Role::pre_candidate;
  if (!pre && core_.role != Role::candidate) return;
  if (answer.pre_vote != pre) return;
  if (answer.campaign != (pre ? core_.hard.term.next() : core_.hard.term)) return;
  (answer.granted ? granted_ : refused_).insert(from);
}

bool Elector::has_majority() const {
  if (core_.role != Role::pre_candidate && core_.role != Role::candidate) return false;
  const Configuration& configuration = core_.log.configuration();
  // A vote for oneself counts when it cannot be forgotten any more, like everybody's.
  const bool own = core_.role == Role::pre_candidate || core_.is_hard_durable();
  auto votes =
      static_cast<std::size_t>(std::count_if(granted_.begin(), granted_.end(), [&](ServerId voter) {
        return configuration.is_voter(voter);
      }));
  if (own && core_.is_voter()) ++votes;
  return votes >= configuration.majority();
}

void Elector::forget_campaign() {
  granted_.clear();
  refused_.clear();
}

bool Elector::is_free_to_vote(const VoteRequest& request, bool is_leader_stuck,
                              TimePoint now) const {
  if (request.transfer && !request.pre_vote) return true;
  if (core_.role == Role::leader) return false;  // it gives up by itself when it is alone
  if (core_.leader == ServerId() || is_leader_stuck) return true;
  if (!core_.seems_alive(core_.leader)) return true;
  return now - core_.leader_contact >= core_.timing().election - core_.timing().heartbeat;
}

void Elector::answer(ServerId from, Term term, const VoteRequest& request, bool is_free,
                     TimePoint now) {
  VoteAnswer answer{request.pre_vote, false, request.campaign};
  if (core_.has_removed(from)) {
    answer.removed_index = core_.log.configuration_index();
    answer.removed_term = core_.log.configuration_term();
  }
  if (request.pre_vote) {
    answer.granted = grants_pre_vote(request, is_free);
  } else if (grants_vote(from, term, request)) {
    answer.granted = true;
    forget_campaign();
    core_.role = Role::follower;  // no more pre-votes for oneself
    core_.set_vote(core_.hard.term, from);
    wait_for_leader(now);
  }
  core_.send(from, answer);
}

bool Elector::grants_pre_vote(const VoteRequest& request, bool is_free) const {
  return is_free && request.campaign > core_.hard.term &&
         core_.log.is_covered_by(request.last_index, request.last_term);
}

bool Elector::grants_vote(ServerId from, Term term, const VoteRequest& request) const {
  if (term != core_.hard.term || request.campaign != term) return false;
  if (core_.role == Role::candidate || core_.role == Role::leader) return false;
  if (core_.leader != ServerId()) return false;
  if (core_.hard.vote != ServerId() && core_.hard.vote != from) return false;
  return core_.log.is_covered_by(request.last_index, request.last_term);
}

}  // namespace riftbus::consensus
