#include "bus/rate.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::bus {

TokenBucket::TokenBucket(std::uint32_t per_second, std::uint32_t burst)
    : per_second_(per_second), burst_(0) {
  RIFTBUS_CHECK(per_second > 0 && burst > 0);
  burst_ = span_of(burst);
}

bool TokenBucket::take(TimePoint now, std::uint64_t amount) {
  const TimePoint full_at = std::max(full_at_, now) + span_of(amount);
  if (full_at - now > burst_) return false;
  full_at_ = full_at;
  return true;
}

RateVerdict OriginRate::judge(TimePoint now, std::size_t bytes) {
  if (messages_.take(now) && bytes_.take(now, bytes)) return RateVerdict::accept;
  if (now < tell_after_) return RateVerdict::drop;
  tell_after_ = now + kTellEvery;
  return RateVerdict::drop_and_tell;
}

}  // namespace riftbus::bus
