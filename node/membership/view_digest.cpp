#include "node/membership/view_digest.h"

#include <xxhash.h>

#include <string>

namespace riftbus::membership {

namespace {

void append_little_endian(std::string& bytes, std::uint64_t value, int width) {
  for (int i = 0; i < width; ++i) {
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(value >> (8 * i))));
  }
}

}  // namespace

std::uint8_t ViewDigest::bucket_of(const NodeId& id) {
  return static_cast<std::uint8_t>(XXH3_64bits(id.value().data(), id.value().size()) %
                                   wire::kDigestBuckets);
}

void ViewDigest::toggle(const NodeId& id, Incarnation incarnation) {
  std::string bytes = id.value();
  append_little_endian(bytes, incarnation.value(), 8);
  buckets_[bucket_of(id)] ^= static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

std::uint32_t ViewDigest::total() const {
  std::string bytes;
  bytes.reserve(4 * buckets_.size());
  for (const auto bucket : buckets_) append_little_endian(bytes, bucket, 4);
  return static_cast<std::uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

}  // namespace riftbus::membership
