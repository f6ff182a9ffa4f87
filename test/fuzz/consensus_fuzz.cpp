// Any bytes as a message of the replicated log, an entry, a configuration or a snapshot's metadata.
//
// Beyond not crashing: what reads is within the bounds of a message, can be written again, and the
// second reading gives what the first one gave.
#include <cstdint>
#include <string_view>

#include "config/check.h"
#include "node/consensus/codec.h"

namespace {

namespace consensus = riftbus::consensus;

// What reads twice reads the same: compared as bytes, since entries are behind pointers.
template <class Value, class Decode, class Encode>
void check(const Value& value, Decode decode, Encode encode) {
  const std::string bytes = encode(value);
  const auto again = decode(bytes);
  RIFTBUS_CHECK(again.has_value());
  RIFTBUS_CHECK(encode(*again) == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto message = consensus::decode(bytes)) {
    check(*message, consensus::decode, [](const auto& m) { return consensus::encode(m); });
    RIFTBUS_CHECK(!to_string(*message).empty());
  }
  if (const auto entry = consensus::decode_entry(bytes)) {
    check(*entry, consensus::decode_entry, consensus::encode_entry);
    RIFTBUS_CHECK(entry->payload.size() <= consensus::kEntryBytesMax);
  }
  if (const auto configuration = consensus::decode_configuration(bytes)) {
    check(*configuration, consensus::decode_configuration, consensus::encode_configuration);
    RIFTBUS_CHECK(configuration->voter_count() > 0);
  }
  if (const auto meta = consensus::decode_snapshot_meta(bytes)) {
    check(*meta, consensus::decode_snapshot_meta, consensus::encode_snapshot_meta);
  }
  return 0;
}
