// The asking half of a Watch: probes, refusals, suspicion and verdict.
#include <algorithm>

#include "node/membership/watch.h"

namespace riftbus::membership {

using wire::Evidence;

namespace {

// How old an answer may be to show at the verdict that our uplink works. They are asked for once
// per interval.
constexpr int kFreshIntervals = 3;

// Confirmations that make the verdict come soonest. From three other watchers on, one may be
// missing: a watcher that died with the subject must not cost seconds.
unsigned expected_confirmations(std::size_t others) {
  return static_cast<unsigned>(others >= 3 ? others - 1 : others);
}

}  // namespace

TimePoint Watch::next_deadline() const {
  switch (mode_) {
    case Mode::hearing:
      return std::min(due_, silent_at());
    case Mode::convicted:
      return TimePoint::max();
    default:
      return std::min(due_, redial_due_);
  }
}

Outcome Watch::advance(const Climate& climate, TimePoint now) {
  if (now < next_deadline()) return {};
  if (now >= redial_due_ && redial_now()) return Outcome{.dial = true};
  switch (mode_) {
    case Mode::hearing:
    case Mode::cut:
      return begin_probe(climate, now);
    case Mode::doubting:
      return begin_probe(climate, now);
    case Mode::probing:
      return end_probe(climate, now);
    case Mode::rehoming:
      return advance_rehoming(climate, now);
    case Mode::accusing:
      return advance_accusation(climate, now);
    case Mode::convicted:
      break;
  }
  return {};
}

Outcome Watch::begin_probe(const Climate& climate, TimePoint now) {
  mode_ = Mode::probing;
  probe_began_ = now;
  due_ = now + climate.probe_wait * climate.factor;
  const bool dials = lost_at_ != now && (is_relayed_ || (link_known_ && !linked_));
  if (dials) dialled_at_ = now;
  return Outcome{.ping = true, .ask = true, .dial = dials};
}

bool Watch::trusts_uplink(const Climate& climate, TimePoint since) const {
  const auto answers = static_cast<std::size_t>(
      std::count_if(answers_.begin(), answers_.end(),
                    [&](const auto& answer) { return answer.second >= since; }));
  // Many are silent at once: then only answers count, and more than one.
  if (climate.answers_needed > 0) return answers >= climate.answers_needed;
  return answers > 0 || climate.others.empty() || climate.is_small || climate.others_heard >= since;
}

Outcome Watch::end_probe(const Climate& climate, TimePoint now) {
  const bool answered = std::any_of(answers_.begin(), answers_.end(), [&](const auto& answer) {
    return answer.second >= probe_began_;
  });
  Outcome outcome;
  outcome.unanswered = !answered && !climate.others.empty();
  if (refused_ && !answered && witnesses_.empty()) {
    // Its host answers, no other watcher does: nobody but us can tell.
    outcome = accuse(Evidence::refused, climate, now);
    grace_due_ = now + kLoneGraceFactor * climate.timing.refused_grace * climate.factor;
    due_ = *grace_due_;
    outcome.unanswered = !climate.others.empty();
    return outcome;
  }
  if (now < silent_at() || awaits_dial(now)) {
    // A lost connection made us ask early, and nobody knows more yet: ask again until the silence
    // itself is long enough to mean something.
    probe_began_ = now;
    const TimePoint told = awaits_dial(now) ? *dialled_at_ + kDialMax : silent_at();
    due_ = std::min(std::max(told, silent_at()), now + climate.probe_wait * climate.factor);
    outcome.ask = true;
    outcome.dial = dials_again(now);
    return outcome;
  }
  if (trusts_uplink(climate, probe_began_)) {
    const bool unanswered = outcome.unanswered;
    outcome =
        is_frozen(climate, now) ? rehome(climate, now) : accuse(Evidence::silence, climate, now);
    outcome.unanswered = unanswered;
    return outcome;
  }
  Outcome doubted = doubt(climate, now);
  doubted.unanswered = outcome.unanswered;
  return doubted;
}

// Nobody answers us: more likely it is us. Asked again after a while; accused only when even that
// has lasted so long that it makes no difference.
Outcome Watch::doubt(const Climate& climate, TimePoint now) {
  if (!doubt_since_) doubt_since_ = now;
  if (now - *doubt_since_ >= kDoubtMax) return accuse(Evidence::silence, climate, now);
  mode_ = Mode::doubting;
  suspicion_.reset();
  // While only this one is silent, the others' next beats tell soon.
  due_ = now + (climate.answers_needed > 0 ? interval() * climate.factor : interval() / 2);
  return Outcome{.finding = Finding::doubt};
}

Outcome Watch::accuse(Evidence evidence, const Climate& climate, TimePoint now) {
  mode_ = Mode::accusing;
  if (!suspicion_) {
    const Nanos min = climate.suspicion_min * climate.factor;
    const Nanos max = kSuspicionMaxFactor * min;
    // Nobody there to confirm: the formula's "nobody expected" must not mean "at once".
    const bool alone = climate.others.empty();
    suspicion_.emplace(self_, expected_confirmations(climate.others.size()), alone ? max : min, max,
                       now);
    for (const auto& accuser : accusers_) suspicion_->confirm(accuser);
  }
  due_ = std::min(suspicion_->due(), now + interval());
  return Outcome{.finding = Finding::accuse, .evidence = evidence};
}

Outcome Watch::weigh_refusals(const Climate& climate, TimePoint now) {
  const bool alone = climate.others.empty();
  if (!refused_ || last_dial_ || (witnesses_.empty() && (!alone || grace_due_))) return {};
  if (grace_due_) {  // a second witness ends the longer wait of a lone one
    grace_due_ = std::min(*grace_due_, now + climate.timing.refused_grace * climate.factor);
    due_ = std::min(due_, *grace_due_);
    return {};
  }
  Outcome outcome = accuse(Evidence::refused, climate, now);
  const int factor = alone ? kLoneGraceFactor : 1;
  const Nanos grace = factor * climate.timing.refused_grace * climate.factor;
  grace_due_ = now + grace;
  due_ = now + grace / 2;
  return outcome;
}

Outcome Watch::on_dialled(DialOutcome dialled, const Climate& climate, TimePoint now) {
  if (mode_ == Mode::convicted) return {};
  if (is_relayed_) {
    on_relay_dialled(dialled, climate, now);
    const bool is_late = mode_ == Mode::accusing && relays_lost_;
    if (is_late && is_frozen(climate, now)) return rehome(climate, now);
    if (relays_lost_ || mode_ == Mode::rehoming) return {};
  }
  if (dialled == DialOutcome::accepted) {
    refused_ = false;
    witnesses_.clear();
    deniers_.clear();
    last_dial_ = false;
    if (grace_due_) {
      // It came back within its grace. The link will be up soon, and then it beats.
      come_to_life();
      grace_until_ = now + kGraceIntervals * interval();
    }
    redial_later(now);
    return {};
  }
  redial_due_ = TimePoint::max();
  if (dialled == DialOutcome::refused) {
    refused_ = true;
    if (last_dial_) return end_grace(climate, now);
    Outcome outcome = weigh_refusals(climate, now);
    outcome.ask = true;  // the others were refused by now, or hear it still
    return outcome;
  }
  if (last_dial_) {  // neither came back nor refuses
    refused_ = false;
    fall_back_to_silence(now);
  }
  return {};
}

void Watch::redial_later(TimePoint now) {
  if (mode_ == Mode::hearing || mode_ == Mode::cut || linked_ || !lost_at_) return;
  const Nanos first = interval() / kRedialsPerInterval;
  redial_pause_ = std::clamp(2 * redial_pause_, first, interval());
  redial_due_ = now + redial_pause_;
}

// True if a dial was accepted lately and there is reason to try once more.
bool Watch::redial_now() {
  const bool waiting = redial_due_ != TimePoint::max();
  redial_due_ = TimePoint::max();
  return waiting && !linked_ && mode_ != Mode::hearing && mode_ != Mode::cut;
}

// Refused again after the grace: dead, unless some watcher is not refused and may hear it yet.
Outcome Watch::end_grace(const Climate& climate, TimePoint now) {
  last_dial_ = false;
  if (now < climate.hold_until) {
    grace_due_ = due_ = climate.hold_until;
    return {};
  }
  const bool denied = std::any_of(climate.others.begin(), climate.others.end(),
                                  [&](const NodeId& other) { return deniers_.contains(other); });
  if (denied) {
    fall_back_to_silence(now);
    return {};
  }
  mode_ = Mode::convicted;
  return Outcome{.finding = Finding::verdict, .evidence = Evidence::refused};
}

void Watch::fall_back_to_silence(TimePoint now) {
  last_dial_ = false;
  grace_due_.reset();
  due_ = std::max(now, suspicion_ ? std::min(suspicion_->due(), now + interval()) : now);
}

// All the others have answered: only the member itself is still awaited, and not for long. Should
// its answer be slow, it has the whole suspicion to arrive.
void Watch::hurry(const Climate& climate) {
  const bool all =
      std::all_of(climate.others.begin(), climate.others.end(), [&](const auto& other) {
        const auto found = answers_.find(other);
        return found != answers_.end() && found->second >= probe_began_;
      });
  if (all && !climate.others.empty()) {
    due_ = std::min(due_, probe_began_ + climate.timing.probe_min * climate.factor);
  }
}

Outcome Watch::on_heard(const NodeId& peer, const wire::Heard& heard, const Climate& climate,
                        TimePoint now) {
  answers_[peer] = now;
  if (!heard.watching || mode_ == Mode::hearing || mode_ == Mode::convicted) return {};
  if (heard.incarnation < incarnation_) return {};
  const TimePoint heard_at = now - Millis(heard.age_ms);
  if (heard.incarnation > incarnation_) return found_cut(heard_at, now);
  // Its last beat may have reached others and not us: after a lost link only a beat sent clearly
  // later than the loss is news.
  const bool later = !lost_at_ || heard_at > *lost_at_ + climate.probe_wait;
  const bool fresh = Millis(heard.age_ms) < limit_ && Seq(heard.beat_seq) > beat_seq_;
  if (fresh && later) return found_cut(heard_at, now);
  if (fresh) last_alive_ = std::max(last_alive_, heard_at);  // it lived then, at least
  if (mode_ == Mode::probing) hurry(climate);
  if (!heard.refused) {
    deniers_.insert(peer);
    return {};
  }
  deniers_.erase(peer);
  Outcome outcome;
  if (witnesses_.insert(peer).second) outcome = weigh_refusals(climate, now);
  outcome.dial = outcome.dial || redial_now();
  return outcome;
}

// It lives: another hears it, or it answers; only our subscription does not bring its beats.
Outcome Watch::found_cut(TimePoint heard_at, TimePoint now) {
  const bool refused = refused_;
  come_to_life();
  last_alive_ = std::max(last_alive_, heard_at);
  if (!missed_once_) {
    // Most likely one lost beat, or a link that is being made again; the next beat shows.
    missed_once_ = true;
    grace_until_ = std::max(grace_until_, now + interval() / 2);
    return {};
  }
  mode_ = Mode::cut;
  refused_ = refused;  // still so; others may ask
  due_ = now + std::max<Nanos>(limit_, kGraceIntervals * interval());
  Outcome outcome;
  if (!cut_said_) outcome.finding = Finding::link_fault;
  cut_said_ = true;
  return outcome;
}

Outcome Watch::on_accusation(const NodeId& accuser, Evidence evidence, const Climate& climate,
                             TimePoint now) {
  if (mode_ == Mode::convicted) return {};
  accusers_.insert(accuser);
  if (evidence == Evidence::refused) {
    witnesses_.insert(accuser);
    deniers_.erase(accuser);
  }
  Outcome outcome = weigh_refusals(climate, now);
  outcome.dial = evidence == Evidence::refused && redial_now();
  if (mode_ == Mode::accusing) {
    if (suspicion_ && suspicion_->confirm(accuser) && !grace_due_) {
      due_ = std::min(due_, suspicion_->due());
    }
    return outcome;
  }
  if (mode_ != Mode::hearing && mode_ != Mode::cut) return outcome;
  // Believe nothing, but look: at once if it was refused there, or is overdue here.
  const bool overdue = now - last_alive_ > interval() + interval() / 5;
  if (evidence != Evidence::refused && !overdue) return outcome;
  outcome = begin_probe(climate, now);
  outcome.dial = outcome.dial || evidence == Evidence::refused;
  return outcome;
}

Outcome Watch::advance_accusation(const Climate& climate, TimePoint now) {
  if (grace_due_) {
    if (last_dial_) {  // the dial itself brought nothing: silence decides
      refused_ = false;
      fall_back_to_silence(now);
      return {};
    }
    if (now < *grace_due_) {  // half of it is over: by now the others must have been refused too
      due_ = *grace_due_;
      deniers_.clear();
      return Outcome{.ask = true};
    }
    last_dial_ = true;
    due_ = now + climate.timing.probe_max;
    return Outcome{.dial = true};
  }
  if (suspicion_ && now >= suspicion_->due()) {
    if (now < climate.hold_until) {
      due_ = climate.hold_until;
      return {};
    }
    const bool waited_enough = doubt_since_ && now - *doubt_since_ >= kDoubtMax;
    if (!waited_enough && !trusts_uplink(climate, now - kFreshIntervals * interval())) {
      return doubt(climate, now);
    }
    mode_ = Mode::convicted;
    return Outcome{.finding = Finding::verdict, .evidence = Evidence::silence};
  }
  // Still waiting: an answer now is worth more than one that came late.
  due_ = now + interval();
  if (suspicion_) due_ = std::min(due_, suspicion_->due());
  return Outcome{.ping = true, .ask = true, .dial = dials_again(now)};
}

}  // namespace riftbus::membership
