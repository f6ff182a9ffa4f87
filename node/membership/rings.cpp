#include "node/membership/rings.h"

#include <xxhash.h>

#include <algorithm>

namespace riftbus::membership {

namespace {

std::uint64_t place_of(std::size_t ring, const NodeId& id) {
  return XXH3_64bits_withSeed(id.value().data(), id.value().size(), ring + 1);
}

bool is_before(std::uint64_t place, const NodeId& id, std::uint64_t other_place,
               const NodeId& other) {
  return place != other_place ? place < other_place : id < other;
}

bool holds(const std::vector<const NodeId*>& ids, const NodeId* id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

std::size_t Rings::count() const {
  if (count_ != 0) return count_;
  return size() < kLargeCluster ? 4 : 5;
}

// Index of the first seat behind the id's own place, whether or not the id sits there.
std::size_t Rings::position_after(std::size_t ring, const NodeId& id) const {
  const auto& seats = rings_[ring];
  const std::uint64_t place = place_of(ring, id);
  const auto found = std::partition_point(seats.begin(), seats.end(), [&](const Seat& seat) {
    return !is_before(place, id, seat.place, *seat.id);
  });
  return static_cast<std::size_t>(found - seats.begin());
}

void Rings::insert(const NodeId& id, std::string_view domain) {
  const std::string_view own = domain.empty() ? std::string_view(id.value()) : domain;
  const std::uint64_t hashed = XXH3_64bits_withSeed(own.data(), own.size(), domain.empty() ? 1 : 2);
  for (std::size_t ring = 0; ring < kRingsMax; ++ring) {
    auto& seats = rings_[ring];
    const auto at = static_cast<std::ptrdiff_t>(position_after(ring, id));
    if (at > 0 && *seats[static_cast<std::size_t>(at - 1)].id == id) {
      seats[static_cast<std::size_t>(at - 1)].domain = hashed;
      continue;
    }
    seats.insert(seats.begin() + at, Seat{place_of(ring, id), &id, hashed});
  }
}

void Rings::erase(const NodeId& id) {
  for (std::size_t ring = 0; ring < kRingsMax; ++ring) {
    auto& seats = rings_[ring];
    const std::size_t at = position_after(ring, id);
    if (at == 0 || *seats[at - 1].id != id) return;
    seats.erase(seats.begin() + static_cast<std::ptrdiff_t>(at - 1));
  }
}

std::uint64_t Rings::domain_of(const NodeId& id) const {
  const std::size_t at = position_after(0, id);
  if (at == 0 || *rings_[0][at - 1].id != id) return 0;
  return rings_[0][at - 1].domain;
}

const Rings::Seat* Rings::choose(std::size_t ring, const NodeId& id, std::uint64_t domain,
                                 const Chosen& chosen) const {
  const auto& seats = rings_[ring];
  const Seat* first = nullptr;
  std::size_t passed_over = 0;
  std::size_t at = position_after(ring, id);
  for (std::size_t step = 0; step < seats.size(); ++step, ++at) {
    const Seat& seat = seats[at % seats.size()];
    if (*seat.id == id || holds(chosen, seat.id)) continue;
    if (ring == 0 || seat.domain != domain) return &seat;
    if (first == nullptr) first = &seat;
    if (++passed_over > kDomainSkip) break;
  }
  return first;
}

Rings::Chosen Rings::choose_all(const NodeId& id) const {
  Chosen chosen;
  chosen.reserve(kRingsMax);
  const std::uint64_t domain = domain_of(id);
  for (std::size_t ring = 0; ring < count(); ++ring) {
    const Seat* seat = choose(ring, id, domain, chosen);
    if (seat == nullptr) break;
    chosen.push_back(seat->id);
  }
  return chosen;
}

std::vector<NodeId> Rings::watchers_of(const NodeId& id, std::size_t extra) const {
  Chosen chosen = choose_all(id);
  for (std::size_t i = 0; i < extra; ++i) {
    const Seat* seat = choose(0, id, 0, chosen);
    if (seat == nullptr) break;
    chosen.push_back(seat->id);
  }
  std::vector<NodeId> watchers;
  watchers.reserve(chosen.size());
  for (const NodeId* watcher : chosen) watchers.push_back(*watcher);
  return watchers;
}

std::vector<NodeId> Rings::subjects_of(const NodeId& id) const {
  // A watcher sits at most this far behind its subject: count - 1 duplicates, kDomainSkip of the
  // same domain, and one step to itself.
  const std::size_t reach = std::min(size(), count() + kDomainSkip + 1);
  Chosen candidates;
  std::vector<NodeId> subjects;
  for (std::size_t ring = 0; ring < count(); ++ring) {
    const auto& seats = rings_[ring];
    std::size_t at = position_after(ring, id) + seats.size();
    for (std::size_t step = 0; step < reach; ++step) {
      const NodeId* candidate = seats[--at % seats.size()].id;
      if (*candidate == id || holds(candidates, candidate)) continue;
      candidates.push_back(candidate);
      const Chosen watchers = choose_all(*candidate);
      const bool mine = std::any_of(watchers.begin(), watchers.end(),
                                    [&](const NodeId* watcher) { return *watcher == id; });
      if (mine) subjects.push_back(*candidate);
    }
  }
  return subjects;
}

NodeId Rings::successor(std::size_t ring, const NodeId& id) const {
  const auto& seats = rings_[ring];
  if (seats.empty()) return {};
  const NodeId& next = *seats[position_after(ring, id) % seats.size()].id;
  return next == id ? NodeId() : next;
}

}  // namespace riftbus::membership
