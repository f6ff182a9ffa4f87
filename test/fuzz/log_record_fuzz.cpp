// Any bytes as a record of a voter's log: as they lie on disk, and with a seal that fits, which a
// fuzzer would never find.
//
// Beyond not crashing: without a right seal nothing is believed; what reads can be written again
// and reads the same; and the short way of reading a batch agrees with the long one.
#include <cstdint>
#include <string>
#include <string_view>

#include "node/disk/log_record.h"

namespace {

using riftbus::disk::LogOwner;

const LogOwner kOwner{riftbus::consensus::ClusterKey(5), riftbus::consensus::ServerId(6)};

template <class Record>
const Record* found(const riftbus::disk::Decoded<Record>& decoded) {
  return std::get_if<Record>(&decoded);
}

// How many kinds of record it was taken for.
int check_record(std::string_view bytes) {
  int kinds = 0;
  const auto batch = riftbus::disk::decode_batch(kOwner, bytes);
  if (const auto* one = found(batch)) {
    ++kinds;
    const auto again = riftbus::disk::decode_batch(kOwner, encode_batch(kOwner, *one));
    RIFTBUS_CHECK(found(again) != nullptr && found(again)->seq == one->seq);
    RIFTBUS_CHECK(found(again)->entries.size() == one->entries.size());
    for (std::size_t i = 0; i < one->entries.size(); ++i) {
      RIFTBUS_CHECK(*found(again)->entries[i] == *one->entries[i]);
    }
    const auto span = riftbus::disk::decode_batch_span(kOwner, bytes);
    RIFTBUS_CHECK(found(span) != nullptr && found(span)->seq == one->seq);
    RIFTBUS_CHECK(found(span)->first == one->first() && found(span)->last() == one->last());
  }
  const auto state = riftbus::disk::decode_state(bytes);
  if (const auto* one = found(state)) {
    ++kinds;
    const std::string text = encode_state(*one);
    const auto again = riftbus::disk::decode_state(text);
    RIFTBUS_CHECK(found(again) != nullptr && encode_state(*found(again)) == text);
  }
  const auto piece = riftbus::disk::decode_piece(kOwner, bytes);
  if (const auto* one = found(piece)) {
    ++kinds;
    RIFTBUS_CHECK(encode_piece(kOwner, *one) == bytes);
  }
  return kinds;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  RIFTBUS_CHECK(check_record(bytes) <= 1);
  if (size < 10) return 0;
  const std::string sealed = seal_record(kOwner, bytes);
  RIFTBUS_CHECK(check_record(sealed) <= 1);
  if (sealed != bytes) RIFTBUS_CHECK(check_record(bytes) == 0);
  return 0;
}
