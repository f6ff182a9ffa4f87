// Elector: asks for votes, gives its own, and counts.
//
//   follower --due--> pre_candidate --majority would--> candidate --majority did--> leader
//                          |                                |
//                          +------- heard a leader ---------+--> follower
//
// A pre-vote changes nothing anywhere: a voter that cannot win does not raise the term, so it
// disturbs nobody when it comes back. A vote is given once per term, to a log at least as good as
// one's own, and nobody hears of it (nor does its giver count it for himself) before it is on disk.
//
// Loyalty: who has heard a leader within T less one heartbeat refuses to vote at all, unless that
// leader itself asked for the transfer. It only protects a working leader from restless voters; it
// ends early when membership says the leader is dead or when the leader gets nothing done.
//
// Pure; not thread-safe.
#pragma once

#include <set>

#include "node/consensus/campaign_clock.h"
#include "node/consensus/core.h"

namespace riftbus::consensus {

class Elector {
 public:
  explicit Elector(Core& core) : core_(core), clock_(core.timing()) {}

  // ---- waiting
  void wait_for_leader(TimePoint now) { clock_.arm(CampaignClock::Wait::loyal, now, core_.random); }
  void retry_later(TimePoint now) { clock_.arm(CampaignClock::Wait::retry, now, core_.random); }
  void hurry(TimePoint now) { clock_.arm(CampaignClock::Wait::urgent, now, core_.random); }
  void leader_heard(TimePoint now) { clock_.extend(now); }
  // No campaigns before: this server was stuck as a leader.
  void hold_until(TimePoint until) { held_until_ = until; }
  [[nodiscard]] TimePoint due() const;

  // ---- asking
  void begin_pre_vote(TimePoint now);
  void begin_vote(bool transfer, TimePoint now);
  // Of any term: the answerer's configuration may no longer name us.
  void hear_of_removal(ServerId from, const VoteAnswer& answer);
  // Of this term, by the header.
  void on_answer(ServerId from, const VoteAnswer& answer);
  // Enough, and the own vote is durable.
  [[nodiscard]] bool has_majority() const;
  void forget_campaign();

  // ---- voting
  // `is_leader_stuck`: it gets nothing done. False: we are loyal to a leader.
  [[nodiscard]] bool is_free_to_vote(const VoteRequest& request, bool is_leader_stuck,
                                     TimePoint now) const;
  // The term is settled: the header's is not above ours any more.
  void answer(ServerId from, Term term, const VoteRequest& request, bool is_free, TimePoint now);

  [[nodiscard]] const std::set<ServerId>& granted() const { return granted_; }
  [[nodiscard]] const std::set<ServerId>& refused() const { return refused_; }

 private:
  void ask_all(const VoteRequest& request);
  [[nodiscard]] bool grants_pre_vote(const VoteRequest& request, bool is_free) const;
  [[nodiscard]] bool grants_vote(ServerId from, Term term, const VoteRequest& request) const;

  Core& core_;
  CampaignClock clock_;
  TimePoint held_until_{};
  std::set<ServerId> granted_;  // by others
  std::set<ServerId> refused_;
};

}  // namespace riftbus::consensus
