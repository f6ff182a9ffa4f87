#include "node/membership/self.h"

#include <algorithm>
#include <utility>

namespace riftbus::membership {

Self::Self(const Settings& settings)
    : record_(settings.record),
      first_(std::max(settings.stored.next(),
                      Incarnation(std::max<std::uint64_t>(settings.wall_ms, 1)))) {
  record_.id = settings.self;
  record_.instance = settings.instance;
  record_.incarnation = Incarnation{};
  record_.interval_ms = static_cast<std::uint32_t>(to_ms(settings.timing.interval));
}

void Self::start(Actions& out) {
  target_ = first_;
  out.push_back(StoreIncarnation{target_});
}

bool Self::on_stored(Incarnation incarnation) {
  // An older request that came back late: a higher one is on its way.
  if (incarnation != target_ || record_.incarnation == target_) return false;
  if (next_record_) {
    const auto kept = std::exchange(record_, std::move(*next_record_));
    next_record_.reset();
    record_.id = kept.id;
    record_.instance = kept.instance;
    record_.interval_ms = kept.interval_ms;
  }
  record_.incarnation = incarnation;
  stored_once_ = true;
  return true;
}

bool Self::rise_above(Incarnation seen, Actions& out) {
  if (seen < target_) return rising();
  // An incarnation at the very end of the number line cannot be passed: a hostile claim, ignored.
  if (seen == Incarnation(UINT64_MAX)) return false;
  target_ = seen.next();
  out.push_back(StoreIncarnation{target_});
  return true;
}

void Self::change(const wire::Record& record, Actions& out) {
  next_record_ = record;
  if (!stored_once_ || rising()) return;
  rise_above(target_, out);
}

void Self::tell_later(const NodeId& id) {
  if (!id.empty() && id != record_.id && tell_.size() < kTellMax) tell_.insert(id);
}

std::vector<NodeId> Self::take_told() {
  const auto told = std::exchange(tell_, {});
  return {told.begin(), told.end()};
}

wire::Claim Self::alive_claim() const {
  return {record_.id, record_.incarnation,  wire::Standing::alive,
          {},         wire::Evidence::none, record_};
}

}  // namespace riftbus::membership
