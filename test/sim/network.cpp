#include "test/sim/network.h"

#include <algorithm>

#include "test/sim/schedule.h"

namespace riftbus::sim {

namespace {
constexpr int kRetransmitsMax = 6;
}

HostIndex Network::add_host() {
  up_.push_back(true);
  colour_.push_back(0);
  return static_cast<HostIndex>(up_.size() - 1);
}

bool Network::is_open(HostIndex from, HostIndex to) const {
  if (!up_[from] || !up_[to] || colour_[from] != colour_[to]) return false;
  return cuts_.empty() || !cuts_.contains({from, to});
}

bool Network::is_whole() const {
  return cuts_.empty() &&
         std::all_of(colour_.begin(), colour_.end(), [](int colour) { return colour == 0; });
}

void Network::mend_all() {
  cuts_.clear();
  std::fill(colour_.begin(), colour_.end(), 0);
}

void Network::set_loss(double loss) {
  options_.loss = loss;
  for (auto& entry : paths_) entry.second.loss = loss;
}

void Network::set_equal(Nanos delay) {
  options_.jitter = Nanos{};
  options_.delay_min = options_.delay_max = delay;
  for (auto& entry : paths_) entry.second.delay = delay;
}

Path& Network::path(HostIndex a, HostIndex b) {
  const auto key = std::minmax(a, b);
  const auto found = paths_.find(key);
  if (found != paths_.end()) return found->second;
  Path made{Random(split_seed(seed_, key.first, key.second)), Nanos{}, options_.loss};
  made.delay = Nanos(made.random.between(options_.delay_min.count(), options_.delay_max.count()));
  return paths_.emplace(key, made).first->second;
}

Nanos Network::draw_stall(Path& path, Nanos first) const {
  Nanos stall{};
  for (int i = 0; i < kRetransmitsMax && path.random.chance(path.loss); ++i) {
    stall += first;
    first *= 2;
  }
  return stall;
}

Nanos Network::draw_transit(Path& path) const {
  const double u = path.random.unit();
  const auto jitter =
      Nanos(static_cast<std::int64_t>(static_cast<double>(options_.jitter.count()) * u * u));
  if (path.loss <= 0) return path.delay + jitter;
  const Nanos rto = std::max(options_.rto_min, 2 * path.delay + 4 * options_.jitter);
  return path.delay + jitter + draw_stall(path, rto);
}

Nanos Network::draw_connect(Path& path) const {
  Nanos span = 2 * path.delay + Nanos(path.random.between(0, options_.jitter.count()));
  if (path.loss > 0) span += draw_stall(path, Seconds(1));
  return span;
}

}  // namespace riftbus::sim
