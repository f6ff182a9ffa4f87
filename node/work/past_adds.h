// PastAdds: what the last kAddsKept batches were answered, by their nonces, so that a repeated Add
// adds nothing twice.
//
// Asked and told once by every Add, and always full in a busy queue: so a table with open
// addressing and linear probing (Knuth, volume 3, 6.4, algorithms L and R) over a ring of the
// answers, in which the newest takes the place of the oldest. Nothing depends on the order in
// which nonces lie in the table.
//
// Limits: nonces that were chosen to collide make each look-up go through all of them, 16 us.
//
// Pure; not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "node/work/types.h"

namespace riftbus::work {

class PastAdds {
 public:
  struct Past {
    std::uint64_t nonce = 0;
    std::vector<WorkId> ids;
    bool operator==(const Past&) const = default;
  };

  // nullptr: unknown, or too long ago. Valid until the next change.
  [[nodiscard]] const std::vector<WorkId>* find(std::uint64_t nonce) const;
  // One that find() does not know (CHECKed).
  void add(std::uint64_t nonce, const std::vector<WorkId>& ids);

  [[nodiscard]] std::size_t size() const { return ring_.size(); }
  // Of the oldest, 0; and so on.
  [[nodiscard]] const Past& at(std::size_t place) const {
    return ring_[(oldest_ + place) % ring_.size()];
  }

 private:
  static constexpr std::size_t kPlaces = 2 * kAddsKept;  // a power of two
  static_assert((kPlaces & (kPlaces - 1)) == 0 && kAddsKept < 0xFFFF);

  [[nodiscard]] static std::size_t next(std::size_t place) { return (place + 1) % kPlaces; }
  // Where it stands in the table, or the empty place where it would.
  [[nodiscard]] std::size_t place_of(std::uint64_t nonce) const;
  void forget(std::uint64_t nonce);

  std::vector<Past> ring_;
  std::size_t oldest_ = 0;
  std::vector<std::uint16_t> table_;  // position in the ring and one; 0: empty
};

}  // namespace riftbus::work
