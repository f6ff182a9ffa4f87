#include "node/work/past_adds.h"

#include "config/check.h"
#include "node/work/ledger.h"

namespace riftbus::work {

namespace {

std::uint16_t hash_of(std::uint64_t nonce) { return static_cast<std::uint16_t>(mix(nonce)); }

}  // namespace

std::size_t PastAdds::place_of(std::uint64_t nonce) const {
  const std::uint16_t hash = hash_of(nonce);
  for (std::size_t place = home_of(hash);; place = next(place)) {
    const Place& there = table_[place];
    if (there.position == 0) return place;
    if (there.hash == hash && ring_[there.position - 1U].nonce == nonce) return place;
  }
}

const std::vector<WorkId>* PastAdds::find(std::uint64_t nonce) const {
  if (table_.empty()) return nullptr;
  const std::uint16_t found = table_[place_of(nonce)].position;
  return found == 0 ? nullptr : &ring_[found - 1U].ids;
}

void PastAdds::add(std::uint64_t nonce, const std::vector<WorkId>& ids) {
  if (table_.empty()) table_.assign(kPlaces, {});
  std::size_t position = ring_.size();
  if (ring_.size() < kAddsKept) {
    ring_.emplace_back();
  } else {
    watches_.tell([](RecordWatch& watch) { watch.before_add_goes(); });
    ++forgotten_;
    position = oldest_;
    oldest_ = (oldest_ + 1) % kAddsKept;
    forget(ring_[position].nonce);
  }
  const std::size_t place = place_of(nonce);
  RIFTBUS_CHECK(table_[place].position == 0);
  table_[place] = {hash_of(nonce), static_cast<std::uint16_t>(position + 1)};
  ring_[position].nonce = nonce;
  ring_[position].ids = ids;  // the oldest one's memory serves the newest
}

// Closes the gap: whoever was pushed behind it by a collision moves up.
void PastAdds::forget(std::uint64_t nonce) {
  std::size_t gap = place_of(nonce);
  for (std::size_t at = next(gap); table_[at].position != 0; at = next(at)) {
    const std::size_t from_home = (at - home_of(table_[at].hash)) % kPlaces;
    if (from_home < (at - gap) % kPlaces) continue;  // its home lies behind the gap
    table_[gap] = table_[at];
    gap = at;
  }
  table_[gap] = {};
}

}  // namespace riftbus::work
