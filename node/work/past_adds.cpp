#include "node/work/past_adds.h"

#include "config/check.h"
#include "node/work/ledger.h"

namespace riftbus::work {

namespace {

std::size_t home_of(std::uint64_t nonce, std::size_t places) {
  return static_cast<std::size_t>(mix(nonce)) % places;
}

}  // namespace

std::size_t PastAdds::place_of(std::uint64_t nonce) const {
  std::size_t place = home_of(nonce, kPlaces);
  while (table_[place] != 0 && ring_[table_[place] - 1U].nonce != nonce) place = next(place);
  return place;
}

const std::vector<WorkId>* PastAdds::find(std::uint64_t nonce) const {
  if (table_.empty()) return nullptr;
  const std::uint16_t found = table_[place_of(nonce)];
  return found == 0 ? nullptr : &ring_[found - 1U].ids;
}

void PastAdds::add(std::uint64_t nonce, const std::vector<WorkId>& ids) {
  if (table_.empty()) table_.assign(kPlaces, 0);
  std::size_t position = ring_.size();
  if (ring_.size() < kAddsKept) {
    ring_.emplace_back();
  } else {
    position = oldest_;
    oldest_ = (oldest_ + 1) % kAddsKept;
    forget(ring_[position].nonce);
  }
  const std::size_t place = place_of(nonce);
  RIFTBUS_CHECK(table_[place] == 0);
  table_[place] = static_cast<std::uint16_t>(position + 1);
  ring_[position].nonce = nonce;
  ring_[position].ids = ids;  // the oldest one's memory serves the newest
}

// Closes the gap: whoever was pushed behind it by a collision moves up.
void PastAdds::forget(std::uint64_t nonce) {
  std::size_t gap = place_of(nonce);
  for (std::size_t at = next(gap); table_[at] != 0; at = next(at)) {
    const std::size_t home = home_of(ring_[table_[at] - 1U].nonce, kPlaces);
    const std::size_t from_home = (at - home) % kPlaces;
    if (from_home < (at - gap) % kPlaces) continue;  // its home lies behind the gap
    table_[gap] = table_[at];
    gap = at;
  }
  table_[gap] = 0;
}

}  // namespace riftbus::work
