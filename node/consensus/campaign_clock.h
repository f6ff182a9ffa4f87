// CampaignClock: when a voter that misses a leader campaigns. All that a Policy decides.
//
//   raft    a random time in [T, 2T) after the leader was last heard: rarely two at once
//   bully   T + rank * step: the best voter that seems alive first, each next one a step later
//   hybrid  whichever of the two comes first
//
// After a campaign that came to nothing, T/2 takes the place of T, and bully gets a random part of
// a step on top, should two voters hold the same rank. When membership says that the leader is
// dead, the wait begins anew at that moment without the first T; the voters' loyalty, by the same
// word, ends as well.
//
// The wait is measured from one anchor with one random number, drawn when it was armed: a policy or
// a rank that changes meanwhile moves the end, it does not start a new wait.
//
// Safety never depends on any of this: a campaign is a question.
//
// Pure; not thread-safe.
#pragma once

#include <algorithm>

#include "config/random.h"
#include "node/consensus/consensus.h"

namespace riftbus::consensus {

class CampaignClock {
 public:
  enum class Wait : std::uint8_t { loyal, retry, urgent };

  explicit CampaignClock(const Timing& timing) : timing_(timing) {}

  void arm(Wait wait, TimePoint now, Random& random) {
    wait_ = wait;
    anchor_ = now;
    draw_ = random.unit();
  }
  // The leader was heard: the same wait, from now. No new draw, it happens all the time.
  void extend(TimePoint now) {
    wait_ = Wait::loyal;
    anchor_ = now;
  }
  // `rank` 0: the best.
  [[nodiscard]] TimePoint due(Policy policy, std::size_t rank) const {
    const TimePoint by_chance = anchor_ + base() + scaled(spread());
    const Nanos jitter = wait_ == Wait::retry ? scaled(timing_.rank_step) : Nanos::zero();
    const TimePoint by_rank =
        anchor_ + base() + timing_.rank_step * static_cast<std::int64_t>(rank) + jitter;
    switch (policy) {
      case Policy::raft:
        return by_chance;
      case Policy::bully:
        return by_rank;
      case Policy::hybrid:
        return std::min(by_chance, by_rank);
    }
    return by_chance;
  }

 private:
  [[nodiscard]] Nanos base() const {
    if (wait_ == Wait::urgent) return Nanos::zero();
    return wait_ == Wait::retry ? timing_.election / 2 : timing_.election;
  }
  [[nodiscard]] Nanos spread() const {
    return wait_ == Wait::loyal ? timing_.election : timing_.election / 2;
  }
  [[nodiscard]] Nanos scaled(Nanos span) const {
    return Nanos(static_cast<Nanos::rep>(static_cast<double>(span.count()) * draw_));
  }

  Timing timing_;
  Wait wait_ = Wait::loyal;
  TimePoint anchor_{};
  double draw_ = 0;
};

}  // namespace riftbus::consensus
