// Codec: commands and answers to bytes and back, for the log and for the bus.
//
// One msgpack array, [number of the alternative, body]; fields.h holds the order of the elements.
// decode is total, as in bus/wire/codec.h: any bytes give a command within the limits of types.h,
// or a reason, never an exception, and never more memory than a small multiple of the input.
// A whole message is at most 1 MiB (wire::kMessageBytesMax): an Add of many large payloads is
// split by its sender, and a claim is granted no more than fits (kGrantBytesMax).
//
// Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bus/wire/codec.h"
#include "node/work/command.h"

namespace riftbus::work {

template <class T>
struct Decoded {
  wire::Reject reject = wire::Reject::accepted;
  T value;  // whole only when accepted
  [[nodiscard]] bool ok() const { return reject == wire::Reject::accepted; }
};

[[nodiscard]] std::string encode(const Command& command);
[[nodiscard]] Decoded<Command> decode_command(std::string_view bytes);
[[nodiscard]] std::string encode(const Reply& reply);
[[nodiscard]] Decoded<Reply> decode_reply(std::string_view bytes);

}  // namespace riftbus::work
