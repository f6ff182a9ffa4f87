// A Link that leads through a relay: whether there is a better way by now.
#include <algorithm>
#include <utility>

#include "bus/link.h"

namespace riftbus::bus {

LinkChange Link::advance_trial(TimePoint now) {
  if (trial_.empty()) {
    if (now >= next_trial_) launch_trial(now);
    return LinkChange::none;
  }
  std::string kept = trouble_;
  const Fate fate = judge(trial_.front(), now);
  const std::string error = std::exchange(trouble_, std::move(kept));
  if (fate == Fate::pending) return LinkChange::none;
  if (fate == Fate::ready) return move(now);
  paths_.on_failure(trial_.front().address, error, now);
  ++world_.counters.attempts_failed;
  ++world_.poll_generation;
  trial_.clear();
  next_trial_ = now;
  if (!trials_.empty()) return LinkChange::none;
  trial_pause_ = std::min<Nanos>(2 * trial_pause_, kTrialMax);
  const std::int64_t pause = trial_pause_.count();
  next_trial_ += Nanos(world_.random.between(pause / 2, pause));
  return LinkChange::none;
}

void Link::launch_trial(TimePoint now) {
  if (is_busy_) {
    next_trial_ = now + kTrialSoon;
    return;
  }
  if (trials_.empty()) {
    for (const PathReport& path : paths_.report(now)) {
      if (path.address.kind == wire::AddressKind::relay) continue;
      for (std::string& host : world_.resolver.lookup(path.address.host, now)) {
        trials_.push_back({path.address, std::move(host)});
      }
    }
    std::reverse(trials_.begin(), trials_.end());
  }
  next_trial_ = now + kTrialMax;
  if (trials_.empty()) return;
  const Candidate candidate = std::move(trials_.back());
  trials_.pop_back();
  try {
    open_attempt(trial_, candidate, now);
  } catch (const zmq::error_t& error) {  // out of sockets or descriptors, or not an address
    trial_.clear();
    paths_.on_failure(candidate.address, error.what(), now);
  }
  ++world_.poll_generation;
}

// What came over the old connection is read before it goes.
LinkChange Link::move(TimePoint now) {
  remains_ = std::move(attempts_);
  attempts_ = std::move(trial_);
  end_trials();
  up_ = false;
  has_moved_ = true;
  since_ = now;
  ++world_.counters.links_down;
  ++world_.poll_generation;
  return LinkChange::down;
}

void Link::end_trials() {
  trial_.clear();
  trials_.clear();
  next_trial_ = TimePoint::max();
  has_moved_ = false;
}

}  // namespace riftbus::bus
