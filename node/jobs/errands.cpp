#include "node/jobs/errands.h"

#include <utility>

namespace riftbus::jobs {

void Errands::take(Start start) {
  const Hold hold = start.hold;
  orders_[hold].start = std::move(start);
  starts_.push_back(hold);
}

void Errands::take(const Extend& extend) {
  const auto at = orders_.find(extend.hold);
  if (at == orders_.end()) return;
  if (at->second.start) {
    at->second.start->stop_at = extend.stop_at;
  } else {
    at->second.stop_at = extend.stop_at;
  }
}

std::optional<Ended> Errands::take(const Stop& stop) {
  const auto at = orders_.find(stop.hold);
  if (at == orders_.end()) return std::nullopt;
  if (!at->second.start) {
    at->second.stop = stop.cause;
    return std::nullopt;
  }
  orders_.erase(at);
  Exit exit;
  exit.cause = stop.cause;
  exit.started = false;
  return Ended{stop.hold, exit};
}

void Errands::take(const Discard& discard) {
  const auto at = orders_.find(discard.hold);
  if (at == orders_.end()) return;
  if (!std::exchange(at->second.discard, true)) discards_.push_back(discard.hold);
}

std::vector<Words> Errands::next_words() {
  std::vector<Words> all;
  for (auto& [hold, orders] : orders_) {
    if (!orders.can_hear() || (!orders.stop_at && !orders.stop)) continue;
    all.push_back({hold, std::exchange(orders.stop_at, std::nullopt),
                   std::exchange(orders.stop, std::nullopt)});
  }
  return all;
}

void Errands::put_back(const Words& words) {
  const auto at = orders_.find(words.hold);
  if (at == orders_.end()) return;
  if (!at->second.stop_at) at->second.stop_at = words.stop_at;
  if (!at->second.stop) at->second.stop = words.stop;
}

std::optional<Errands::Errand> Errands::next_errand() {
  if (!discards_.empty()) {
    const Discard discard{discards_.front()};
    discards_.pop_front();
    return discard;
  }
  while (!starts_.empty()) {
    const auto at = orders_.find(starts_.front());
    starts_.pop_front();
    if (at == orders_.end() || !at->second.start) continue;
    at->second.is_starting = true;
    Start start = std::move(*at->second.start);
    at->second.start.reset();
    return start;
  }
  return std::nullopt;
}

void Errands::done(const Errand& errand) {
  if (const auto* discard = std::get_if<Discard>(&errand)) {
    orders_.erase(discard->hold);
  } else if (const auto at = orders_.find(std::get<Start>(errand).hold); at != orders_.end()) {
    at->second.is_starting = false;
  }
}

}  // namespace riftbus::jobs
