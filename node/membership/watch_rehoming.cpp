// The patient part of a Watch: a member all of whose relays are lost.
#include <algorithm>

#include "node/membership/watch.h"

namespace riftbus::membership {

// What a dial through relays says of them. Of the member it says nothing: it may have no session
// with that relay at this moment, or one that is about to end.
void Watch::on_relay_dialled(DialOutcome dialled, const Climate& climate, TimePoint now) {
  dialled_at_.reset();
  relays_lost_ = dialled == DialOutcome::relay_lost;
  if (relays_lost_) {
    if (!frozen_since_) frozen_since_ = now;
    relay_back_.reset();
  } else if ((frozen_since_ || climate.unreachable_since) && !relay_back_) {
    relay_back_ = now;
  }
}

// Nobody is accused while the answer would tell a lost relay from a lost member.
bool Watch::awaits_dial(TimePoint now) const {
  return is_relayed_ && dialled_at_ && now < *dialled_at_ + kDialMax;
}

// As long as it is silent: its relay may be lost a moment after the member was.
bool Watch::dials_again(TimePoint now) {
  if (!is_relayed_ || awaits_dial(now)) return false;
  dialled_at_ = now;
  return true;
}

TimePoint Watch::frozen_until(const Climate& climate) const {
  const TimePoint never = TimePoint::max();
  const TimePoint since =
      std::min(frozen_since_.value_or(never), climate.unreachable_since.value_or(never));
  if (since == never) return TimePoint{};
  const TimePoint last = since + kRehomeMax;
  return relay_back_ ? std::min(last, *relay_back_ + kReattachMax) : last;
}

// A relay was lost since it was last heard, says our own dial or somebody else's, and it had no
// time yet to come back.
bool Watch::is_frozen(const Climate& climate, TimePoint now) const {
  return is_relayed_ && now < frozen_until(climate);
}

Outcome Watch::rehome(const Climate& climate, TimePoint now) {
  frozen_until_ = frozen_until(climate);
  mode_ = Mode::rehoming;
  suspicion_.reset();
  doubt_since_.reset();
  redial_due_ = TimePoint::max();
  due_ = std::min(*frozen_until_, now + interval());
  return Outcome{.finding = Finding::relay_lost};
}

// Asked after until the time is over; then it is judged as anybody else, by answers of that moment.
Outcome Watch::advance_rehoming(const Climate& climate, TimePoint now) {
  if (!is_frozen(climate, now)) return begin_probe(climate, now);
  frozen_until_ = frozen_until(climate);
  due_ = std::min(*frozen_until_, now + interval());
  return Outcome{.ping = true, .ask = true, .dial = dials_again(now)};
}

}  // namespace riftbus::membership
