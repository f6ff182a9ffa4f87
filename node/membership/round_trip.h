// RoundTrip: how long an answer takes, smoothed as in TCP (RFC 6298: 1/8 and 1/4).
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
  // mean + 4 deviations: an answer not here by then is late. 0 without a sample.
  [[nodiscard]] Nanos patience() const { return mean_ ? *mean_ + 4 * deviation_ : Nanos::zero(); }

 private:
  std::optional<Nanos> mean_;
  Nanos deviation_{};
};

}  // namespace riftbus::membership
