#include "node/membership/round_trip.h"

namespace riftbus::membership {

void RoundTrip::learn(Nanos sample) {
  if (!mean_) {
    mean_ = sample;
    deviation_ = sample / 2;
    return;
  }
  const Nanos error = sample - *mean_;
  *mean_ += error / 8;
  deviation_ += ((error < Nanos::zero() ? -error : error) - deviation_) / 4;
}

}  // namespace riftbus::membership
