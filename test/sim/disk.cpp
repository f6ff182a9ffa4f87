#include "test/sim/disk.h"

#include <algorithm>
#include <utility>

namespace riftbus::sim {

void Disk::store(std::string key, std::uint64_t value, std::function<void()> done) {
  pending_.push_back(Pending{std::move(key), value, std::move(done)});
  const Nanos fsync(random_.between(options_.fsync_min.count(), options_.fsync_max.count()));
  busy_until_ = std::max(busy_until_, schedule_.now()) + fsync;
  schedule_.at(busy_until_, [this, life = life_] { finish_first(life); });
}

void Disk::finish_first(std::uint64_t life) {
  if (life != life_ || pending_.empty()) return;
  Pending first = std::move(pending_.front());
  pending_.pop_front();
  durable_[first.key] = first.value;
  first.done();
}

std::uint64_t Disk::load(const std::string& key) const {
  const auto found = durable_.find(key);
  return found == durable_.end() ? 0 : found->second;
}

void Disk::crash() {
  ++life_;
  const auto kept = random_.below(pending_.size() + 1);
  for (std::size_t i = 0; i < kept; ++i) durable_[pending_[i].key] = pending_[i].value;
  pending_.clear();
  busy_until_ = schedule_.now();
}

void Disk::wipe() { durable_.clear(); }

}  // namespace riftbus::sim
