// RoundTrip: how long an answer takes, smoothed as in TCP (RFC 6298: 1/8 and 1/4).
//
// One sample counts at most as three times the mean: the first question to a peer takes the time of
// a connection and a handshake as well, and says little about the next.
//
// Pure value; not thread-safe.
#pragma once

#include <optional>

#include "config/types.h"

namespace riftbus::membership {

class RoundTrip {
 public:
  void learn(Nanos sample);
  // Empty until the first sample.
  [[nodiscard]] std::optional<Nanos> mean() const { return mean_; }
  [[nodiscard]] Nanos deviation() const { return deviation_; }
  // The quick ones: follows smaller samples at once and larger ones slowly (by 1/16). What the
  // network takes, without handshakes and queues. 0 without a sample.
  [[nodiscard]] Nanos floor() const { return floor_; }
  // mean + 4 deviations: an answer not here by then is late. 0 without a sample.
  [[nodiscard]] Nanos patience() const { return mean_ ? *mean_ + 4 * deviation_ : Nanos::zero(); }

 private:
  std::optional<Nanos> mean_;
  Nanos deviation_{};
  Nanos floor_{};
};

}  // namespace riftbus::membership
