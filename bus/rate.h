// Rates: how much one origin may say before the rest is dropped.
//
// A TokenBucket in the form of the generic cell rate algorithm (ITU-T I.371): instead of counting
// tokens it keeps the one instant at which the bucket would be full again, so it needs no refill
// and eight bytes. OriginRate joins two of them, messages and bytes, and decides when the origin
// is told so: once a second at most, because answering a flood message by message doubles it.
//
// Pure: time is passed in and never decreases. Not thread-safe.
#pragma once

#include <cstdint>

#include "config/types.h"

namespace riftbus::bus {

class TokenBucket {
 public:
  // Both above 0 (CHECKed).
  TokenBucket(std::uint32_t per_second, std::uint32_t burst);

  // Takes `amount` tokens if they are there; an amount above the burst never is.
  [[nodiscard]] bool take(TimePoint now, std::uint64_t amount = 1);

 private:
  [[nodiscard]] Nanos span_of(std::uint64_t amount) const {
    return Nanos(static_cast<std::int64_t>(amount * 1'000'000'000ull / per_second_));
  }
  std::uint64_t per_second_;
  Nanos burst_;
  TimePoint full_at_{};
};

enum class RateVerdict : std::uint8_t { accept, drop, drop_and_tell };

class OriginRate {
 public:
  static constexpr Seconds kTellEvery{1};

  OriginRate(TokenBucket messages, TokenBucket bytes) : messages_(messages), bytes_(bytes) {}
  [[nodiscard]] RateVerdict judge(TimePoint now, std::size_t bytes);

 private:
  TokenBucket messages_;
  TokenBucket bytes_;
  TimePoint tell_after_{};
};

}  // namespace riftbus::bus
