#include "node/membership/awareness.h"

#include <algorithm>

namespace riftbus::membership {

void Awareness::worsen(int by, TimePoint now) {
  score_ = std::clamp(score_ + by, 0, kScoreMax);
  calm_since_ = now;
}

void Awareness::improve() { score_ = std::max(0, score_ - 1); }

void Awareness::advance(TimePoint now) {
  while (score_ > 0 && now >= calm_since_ + spell_) {
    --score_;
    calm_since_ += spell_;
  }
}

void Awareness::shift(Nanos by) { calm_since_ += by; }

TimePoint Awareness::next_deadline() const {
  return score_ > 0 ? calm_since_ + spell_ : TimePoint::max();
}

}  // namespace riftbus::membership
