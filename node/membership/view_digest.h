// ViewDigest: whether two members know the same, in four bytes, and where they differ, in 256.
//
// Each live member contributes a hash of (id, incarnation), XORed into one of 64 buckets chosen by
// its id alone; XOR makes every change O(1) in any order. Suspicions are left out: they pass by
// themselves within seconds, and a refutation shows as a new incarnation. So are the dead and the
// departed: they are forgotten at different times in different places, and whoever still believes
// one alive shows it by its own digest.
//
//   hash   = XXH3_64(id bytes || incarnation as 8 bytes, little-endian)
//   bucket = XXH3_64(id bytes) mod 64;   buckets[bucket] ^= low 32 bits of hash
//   total  = XXH3_64(buckets as 4-byte little-endian words), low 32 bits
//
// Pure value; not thread-safe.
#pragma once

#include <array>
#include <cstdint>

#include "bus/wire/message.h"
#include "config/types.h"

namespace riftbus::membership {

class ViewDigest {
 public:
  // Adds the contribution, or takes it out again: XOR is its own inverse.
  void toggle(const NodeId& id, Incarnation incarnation);
  [[nodiscard]] std::uint32_t total() const;
  [[nodiscard]] const std::array<std::uint32_t, wire::kDigestBuckets>& buckets() const {
    return buckets_;
  }
  [[nodiscard]] static std::uint8_t bucket_of(const NodeId& id);

 private:
  std::array<std::uint32_t, wire::kDigestBuckets> buckets_{};
};

}  // namespace riftbus::membership
