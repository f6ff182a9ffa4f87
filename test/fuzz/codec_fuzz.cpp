// Any bytes: decode() gives a reason or an envelope; an envelope survives encode and decode.
// The topic frame and the bundle around it are split by the same input.
// room: riftbus_wire
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bus/wire/bundle.h"
#include "bus/wire/codec.h"
#include "bus/wire/topic.h"
#include "config/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace riftbus;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto parts = wire::split_pub_frame(bytes)) {
    RIFTBUS_CHECK(wire::make_pub_frame(parts->topic, parts->envelope) == bytes);
  }
  std::vector<std::string_view> parts;
  if (wire::split_frame(bytes, parts)) {
    wire::Bundle bundle;
    for (const auto part : parts) {
      if (!part.empty()) bundle.add(part);
    }
    // A writer sends one envelope without the frame of a bundle; both forms of it are read.
    if (parts.size() > 1) RIFTBUS_CHECK(bundle.frame() == bytes);
  }
  const auto outcome = wire::decode(bytes);
  if (!outcome.ok()) return 0;
  RIFTBUS_CHECK(wire::to_string(outcome.envelope).size() < 4096);
  const std::string again = wire::encode(outcome.envelope);
  const auto second = wire::decode(again);
  RIFTBUS_CHECK(second.ok());
  RIFTBUS_CHECK(second.envelope == outcome.envelope);
  RIFTBUS_CHECK(wire::encode(second.envelope) == again);
  return 0;
}
