// PastAdds: what the last kAddsKept batches were answered, by their nonces, so that a repeated Add
// adds nothing twice.
//
// Asked and told once by every Add, and always full in a busy queue: so a table with open
// addressing and linear probing (Knuth, volume 3, 6.4, algorithms L and R) over a ring of the
// answers, in which the newest takes the place of the oldest. The table holds enough of each
// nonce's hash that the ring, which is too large for a processor's cache, is looked at for equal
// ones only. Nothing depends on the order in which nonces lie in the table.
//
// Limits: nonces that were chosen to collide make each look-up go through all of them, 16 us.
//
// Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "node/work/record_watch.h"

namespace riftbus::work {

class PastAdds {
 public:
  struct Past {
    std::uint64_t nonce = 0;
    std::vector<WorkId> ids;
    bool operator==(const Past&) const = default;
  };

  // `watches`: told of what goes; outlives this object.
  explicit PastAdds(const RecordWatches& watches) : watches_(watches) {}

  // nullptr: unknown, or too long ago. Valid until the next change.
  [[nodiscard]] const std::vector<WorkId>* find(std::uint64_t nonce) const;
  // One that find() does not know (CHECKed).
  void add(std::uint64_t nonce, const std::vector<WorkId>& ids);

  [[nodiscard]] std::size_t size() const { return ring_.size(); }
  // How many have gone since this object was made.
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }
  // Of the oldest, 0; and so on.
  [[nodiscard]] const Past& at(std::size_t place) const {
    return ring_[(oldest_ + place) % ring_.size()];
  }

 private:
  static constexpr std::size_t kPlaces = 2 * kAddsKept;  // a power of two
  static_assert((kPlaces & (kPlaces - 1)) == 0 && kPlaces <= 1U << 16U);
  struct Place {
    std::uint16_t hash = 0;
    std::uint16_t position = 0;  // in the ring, and one; 0: empty
  };

  [[nodiscard]] static std::size_t home_of(std::uint16_t hash) { return hash % kPlaces; }
  [[nodiscard]] static std::size_t next(std::size_t place) { return (place + 1) % kPlaces; }
  // Where it stands in the table, or the empty place where it would.
  [[nodiscard]] std::size_t place_of(std::uint64_t nonce) const;
  void forget(std::uint64_t nonce);

  const RecordWatches& watches_;
  std::uint64_t forgotten_ = 0;
  std::vector<Past> ring_;
  std::size_t oldest_ = 0;
  std::vector<Place> table_;
};

}  // namespace riftbus::work
