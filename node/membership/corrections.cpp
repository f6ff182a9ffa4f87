#include "node/membership/corrections.h"

namespace riftbus::membership {

void Corrections::add(const NodeId& id, TimePoint now) {
  const auto found = rest_until_.find(id);
  if (id == core_.id() || (found != rest_until_.end() && now < found->second)) return;
  rest_until_[id] = now + kRestIntervals * core_.interval();
  waiting_.push_back(id);
}

void Corrections::advance(TimePoint now, Actions& out) {
  if (waiting_.empty() || now < burst_due_) return;
  for (std::size_t i = 0; i < kPerBurst && !waiting_.empty(); ++i) {
    core_.tell(waiting_.front(), core_.table.claims_of(waiting_.front()), out);
    waiting_.pop_front();
  }
  burst_due_ = now + kBurstPause;
  std::erase_if(rest_until_, [&](const auto& entry) { return entry.second <= now; });
}

TimePoint Corrections::next_deadline() const {
  return waiting_.empty() ? TimePoint::max() : burst_due_;
}

}  // namespace riftbus::membership
