#include "node/membership/round_trip.h"

#include <algorithm>

namespace riftbus::membership {

namespace {

constexpr int kOutlier = 3;

}  // namespace

void RoundTrip::learn(Nanos sample) {
  if (!mean_) {
    mean_ = sample;
    deviation_ = sample / 2;
    floor_ = sample;
    return;
  }
  floor_ = sample < floor_ ? sample : floor_ + (sample - floor_) / 16;
  const Nanos error = std::min(sample, kOutlier * *mean_) - *mean_;
  *mean_ += error / 8;
  deviation_ += ((error < Nanos::zero() ? -error : error) - deviation_) / 4;
}

}  // namespace riftbus::membership
