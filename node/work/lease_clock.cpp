#include "node/work/lease_clock.h"

#include <algorithm>

namespace riftbus::work {

LeaseClock::LeaseClock(Nanos lease, Nanos kill_grace, TimePoint claimed)
    : lease_(lease), kill_grace_(kill_grace), base_(claimed), last_try_(claimed) {}

void LeaseClock::sent(std::uint64_t request, TimePoint now) {
  // One that was forgotten or answered must not become young again by being repeated.
  if (request <= newest_) return;
  newest_ = request;
  last_try_ = now;
  open_.emplace(request, now);
  if (open_.size() > kOpenMax) open_.erase(open_.begin());
}

void LeaseClock::acknowledged(std::uint64_t request) {
  const auto at = open_.find(request);
  if (at == open_.end()) return;
  base_ = std::max(base_, at->second);
  open_.erase(open_.begin(), std::next(at));
}

void LeaseClock::refused(TimePoint now) {
  if (refused_) return;
  refused_ = true;
  refused_at_ = now;
}

TimePoint LeaseClock::stop_at() const {
  constexpr std::int64_t kMillion = 1'000'000;
  const Nanos lost = lease_ / kMillion * kDriftPpm;
  const TimePoint stop = base_ + lease_ - lost - kill_grace_;
  return refused_ ? std::min(stop, refused_at_) : stop;
}

TimePoint LeaseClock::renew_at() const { return last_try_ + lease_ / kRenewalsPerLease; }

}  // namespace riftbus::work
