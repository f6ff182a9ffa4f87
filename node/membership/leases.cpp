#include "node/membership/leases.h"

#include <algorithm>

namespace riftbus::membership {

namespace {

constexpr Nanos kLeaseMax = std::chrono::minutes(20);  // whatever the watcher says
constexpr Nanos kRecruitedFor = Seconds(60);

}  // namespace

void Leases::on_watch(const NodeId& watcher, Nanos lease, TimePoint now) {
  if (lease <= Nanos::zero()) {
    leases_.erase(watcher);
  } else if (leases_.contains(watcher) || leases_.size() < kLeasesMax) {
    leases_[watcher] = now + std::min(lease, kLeaseMax);
  }
}

std::size_t Leases::wanted() const {
  return std::min(core_.table.rings().count(), core_.table.live_count() - 1);
}

// Once per interval: leases run out slowly, and being short of them is no emergency.
void Leases::advance(TimePoint now, Actions& out) {
  if (now < look_due_) return;
  look_due_ = now + core_.interval();
  std::erase_if(leases_, [&](const auto& lease) {
    if (!core_.is_allowed(lease.first)) return true;
    const Member* member = core_.table.find(lease.first);
    // A watcher may know us before we have heard of it: that is no reason to forget its lease.
    return lease.second <= now || (member != nullptr && !is_live(member->standing));
  });
  if (core_.table.live_count() == 0 || leases_.size() >= wanted()) {
    short_since_.reset();
    return;
  }
  if (!short_since_) short_since_ = now;
  if (now - *short_since_ < kPatienceIntervals * core_.interval()) return;
  short_since_ = now;
  recruit(wanted() - leases_.size(), out);
}

void Leases::recruit(std::size_t missing, Actions& out) {
  const wire::Watch request{static_cast<std::uint32_t>(to_ms(kRecruitedFor)), true};
  for (const auto& watcher : core_.table.rings().watchers_of(core_.id(), missing)) {
    if (leases_.contains(watcher)) continue;
    out.push_back(Send{watcher, Correlation{}, request});
  }
}

void Leases::shift(Nanos by) {
  for (auto& [watcher, until] : leases_) until += by;
  if (short_since_) *short_since_ += by;
  look_due_ += by;
}

TimePoint Leases::next_deadline() const { return look_due_; }

std::vector<NodeId> Leases::watchers() const {
  std::vector<NodeId> watchers;
  watchers.reserve(leases_.size());
  // A key that was revoked since the last look may not speak: it does not watch either.
  for (const auto& [watcher, until] : leases_) {
    if (core_.is_allowed(watcher)) watchers.push_back(watcher);
  }
  return watchers;
}

}  // namespace riftbus::membership
