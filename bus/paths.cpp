#include "bus/paths.h"

#include <algorithm>

namespace riftbus::bus {

Nanos estimated_rtt(wire::AddressKind kind) {
  switch (kind) {
    case wire::AddressKind::loopback:
      return std::chrono::microseconds(100);
    case wire::AddressKind::lan:
      return Millis(1);
    case wire::AddressKind::public_ip:
      return Millis(40);
    case wire::AddressKind::tailscale:
      return Millis(50);
    case wire::AddressKind::relay:
      return Millis(100);
  }
  return Millis(100);
}

const char* to_string(Breaker breaker) {
  switch (breaker) {
    case Breaker::closed:
      return "closed";
    case Breaker::half_open:
      return "half-open";
    case Breaker::open:
      return "open";
  }
  return "?";
}

Paths::Paths(const Limits& limits) : limits_(limits) {}

bool Paths::set_addresses(const std::vector<wire::Address>& addresses) {
  std::vector<Path> next;
  for (const wire::Address& address : addresses) {
    if (next.size() >= limits_.addresses_per_peer_max) break;
    const auto same = [&](const Path& path) { return path.address == address; };
    if (std::any_of(next.begin(), next.end(), same)) continue;
    Path* known = find(address);
    if (known != nullptr) {
      next.push_back(*known);
    } else {
      next.emplace_back().address = address;
    }
  }
  const bool changed =
      !std::equal(next.begin(), next.end(), paths_.begin(), paths_.end(),
                  [](const Path& a, const Path& b) { return a.address == b.address; });
  paths_ = std::move(next);
  if (last_good_ && find(*last_good_) == nullptr) last_good_.reset();
  return changed;
}

std::vector<wire::Address> Paths::take_candidates(TimePoint now) {
  std::vector<const Path*> ranked;
  for (Path& path : paths_) {
    if (path.open_until) {
      if (now < *path.open_until) continue;
      path.open_until = now + open_span(path);
      path.on_trial = true;
    }
    ranked.push_back(&path);
  }
  rank(ranked);
  std::vector<wire::Address> candidates;
  for (const Path* path : ranked) candidates.push_back(path->address);
  return candidates;
}

TimePoint Paths::next_candidate(TimePoint now) const {
  TimePoint next = TimePoint::max();
  for (const Path& path : paths_) {
    next = std::min(next, path.open_until ? std::max(now, *path.open_until) : now);
  }
  return next;
}

void Paths::on_success(const wire::Address& address, Nanos rtt, TimePoint now) {
  Path* path = find(address);
  if (path == nullptr) return;
  path->rtt = path->rtt ? *path->rtt + (rtt - *path->rtt) / 8 : rtt;
  path->failures = 0;
  path->open_until.reset();
  path->on_trial = false;
  ++path->history.successes;
  path->history.last_success = now;
  last_good_ = address;
}

void Paths::on_failure(const wire::Address& address, const std::string& error, TimePoint now) {
  Path* path = find(address);
  if (path == nullptr) return;
  path->on_trial = false;
  ++path->history.failures;
  path->history.last_failure = now;
  path->history.last_error = error;
  if (++path->failures >= limits_.breaker_failures) {
    path->open_until = now + open_span(*path);
  }
}

void Paths::forgive() {
  for (Path& path : paths_) {
    path.open_until.reset();
    path.on_trial = false;
    path.failures = std::min(path.failures, limits_.breaker_failures - 1);
  }
}

void Paths::hasten_trials(TimePoint at) {
  for (Path& path : paths_) {
    if (path.open_until) path.open_until = std::min(*path.open_until, at);
  }
}

bool Paths::knows(const wire::Address& address) const {
  return std::any_of(paths_.begin(), paths_.end(),
                     [&](const Path& path) { return path.address == address; });
}

std::optional<Nanos> Paths::rtt(const wire::Address& address) const {
  for (const Path& path : paths_) {
    if (path.address == address) return path.rtt;
  }
  return std::nullopt;
}

std::vector<PathReport> Paths::report(TimePoint now) const {
  std::vector<const Path*> ranked;
  for (const Path& path : paths_) ranked.push_back(&path);
  rank(ranked);
  std::vector<PathReport> reports;
  for (const Path* path : ranked) {
    PathReport& report = reports.emplace_back(path->history);
    report.address = path->address;
    report.rtt = path->rtt;
    report.failures_in_row = path->failures;
    if (!path->open_until) continue;
    report.trial_due = *path->open_until;
    const bool trial = path->on_trial || now >= *path->open_until;
    report.breaker = trial ? Breaker::half_open : Breaker::open;
  }
  return reports;
}

void Paths::rank(std::vector<const Path*>& paths) const {
  std::stable_sort(paths.begin(), paths.end(),
                   [this](const Path* a, const Path* b) { return better(*a, *b); });
}

Paths::Path* Paths::find(const wire::Address& address) {
  const auto found = std::find_if(paths_.begin(), paths_.end(),
                                  [&](const Path& path) { return path.address == address; });
  return found == paths_.end() ? nullptr : &*found;
}

Nanos Paths::open_span(const Path& path) const {
  Nanos span = limits_.breaker_open_min;
  for (int i = limits_.breaker_failures; i < path.failures; ++i) {
    if (span >= limits_.breaker_open_max) break;
    span *= 2;
  }
  return std::min<Nanos>(span, limits_.breaker_open_max);
}

bool Paths::better(const Path& a, const Path& b) const {
  const int a_failures = std::min(a.failures, limits_.breaker_failures);
  const int b_failures = std::min(b.failures, limits_.breaker_failures);
  if (a_failures != b_failures) return a_failures < b_failures;
  const bool a_last = last_good_ == a.address;
  const bool b_last = last_good_ == b.address;
  if (a_last != b_last) return a_last;
  return a.rtt.value_or(estimated_rtt(a.address.kind)) <
         b.rtt.value_or(estimated_rtt(b.address.kind));
}

}  // namespace riftbus::bus
