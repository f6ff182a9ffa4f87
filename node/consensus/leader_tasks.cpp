// What operators and policies ask of a leader: members, transfer, takeover.
#include <algorithm>

#include "node/consensus/codec.h"
#include "node/consensus/leader.h"

namespace riftbus::consensus {

// ---- members ---------------------------------------------------------------------------------

Refusal Leader::check(const Change& change, TimePoint now) const {
  if (hand_over_) return Refusal::transferring;
  // Without this, two leaders could each change the members they knew, and end up with majorities
  // that do not meet.
  if (!is_settled()) return Refusal::not_settled;
  if (core_.log.configuration_index() > core_.commit) return Refusal::change_pending;
  const Refusal refusal = core_.log.configuration().check(change);
  if (refusal != Refusal::none) return refusal;
  if (change.kind == Change::Kind::promote) {
    const auto peer = peers_.find(change.server);
    if (peer == peers_.end() || !is_fit(peer->second, now)) return Refusal::learner_lagging;
    // It may have voted before, and lost its disk: it has to have all that it may have
    // acknowledged.
    if (peer->second.match() < core_.log.configuration_index()) return Refusal::learner_lagging;
  }
  return Refusal::none;
}

Proposal Leader::change(const Change& change, TimePoint now) {
  const Refusal refusal = check(change, now);
  if (refusal != Refusal::none) return {refusal, {}, {}};
  const Configuration configuration = core_.log.configuration().with(change);
  const Proposal proposal{Refusal::none, core_.log.last().next(), core_.hard.term};
  append(EntryKind::configuration, encode_configuration(configuration), now);
  follow_configuration(now);
  return proposal;
}

// ---- handing over ----------------------------------------------------------------------------

bool Leader::is_fit(const Progress& peer, TimePoint now) const {
  return peer.heard() && !peer.lost_data() && now - peer.contact() < core_.timing().election &&
         peer.match() + kHandOverLagMax >= core_.commit;
}

ServerId Leader::fittest() const {
  ServerId best;
  Index match;
  for (const auto& [id, peer] : peers_) {
    if (!core_.log.configuration().is_voter(id) || !peer.heard() || peer.lost_data()) continue;
    if (best == ServerId() || peer.match() > match) {
      best = id;
      match = peer.match();
    }
  }
  return best;
}

Refusal Leader::transfer(ServerId to, TimePoint now) {
  if (hand_over_) return Refusal::transferring;
  if (to == ServerId()) to = fittest();
  if (to == core_.self()) return Refusal::already_so;
  if (!core_.log.configuration().is_voter(to) || !peers_.contains(to)) {
    return Refusal::unknown_server;
  }
  if (!is_fit(peers_.at(to), now)) return Refusal::learner_lagging;
  hand_over_ = HandOver{to, now + core_.timing().election};
  core_.announce(Happening::transfers, to);
  return Refusal::none;
}

void Leader::advance_hand_over(TimePoint now) {
  if (!hand_over_) return;
  const auto peer = peers_.find(hand_over_->to);
  if (now >= hand_over_->due || peer == peers_.end()) {
    core_.announce(Happening::transfer_failed, hand_over_->to);
    hand_over_.reset();
    return;
  }
  // It may be lost: asked again with each heartbeat.
  if (hand_over_->asked && now < hand_over_->ask_due) return;
  hand_over_->ask_due = now + core_.timing().heartbeat;
  if (peer->second.match() < core_.log.last()) return;
  core_.send(hand_over_->to, TimeoutNow{});
  hand_over_->asked = true;
}

// ---- bully: the best voter shall lead --------------------------------------------------------

ServerId Leader::better_leader(TimePoint now) const {
  if (core_.settings.policy != Policy::bully || core_.alive.empty()) return {};
  for (const auto& [id, peer] : peers_) {
    if (!core_.log.configuration().is_voter(id) || !core_.seems_alive(id)) continue;
    if (core_.rank_of(id) == 0 && is_fit(peer, now)) return id;
  }
  return {};
}

void Leader::advance_takeover(TimePoint now) {
  if (hand_over_) return;
  const ServerId better = better_leader(now);
  if (better != challenger_) {
    challenger_ = better;
    challenged_at_ = now;
  }
  if (better == ServerId() || now - challenged_at_ < core_.timing().takeover) return;
  challenged_at_ = now;  // if it fails, the same patience again
  static_cast<void>(transfer(better, now));
}

}  // namespace riftbus::consensus
