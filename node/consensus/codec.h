// Codec: messages, configurations and entries to bytes and back.
//
// msgpack arrays in the manner of bus/wire: positions instead of names, each struct's elements
// listed once for both directions (fields.h), unknown trailing elements ignored, absent ones left
// at their defaults. A message is
//
//   [version, cluster, generation, from, to, term, kind, body]
//
// and travels as the opaque payload of one kind of bus message. Entries and configurations are
// stored on disk in the same form.
//
// decode() is total: any bytes give a value or nothing, never an exception and never much more
// memory than the input. What it accepts is within the bounds of types.h; whether entries follow
// each other and who may say so is the core's business. encode() writes what it is given: a message
// within the bounds of its parts stays within kConsensusMessageBytesMax.
//
// Pure functions, safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "node/consensus/messages.h"

namespace riftbus::consensus {

inline constexpr std::uint8_t kCodecVersion = 1;

[[nodiscard]] std::string encode(const Message& message);
[[nodiscard]] std::optional<Message> decode(std::string_view bytes);

[[nodiscard]] std::string encode_configuration(const Configuration& configuration);
// Also refuses one without voters, with an id twice, or with too many servers.
[[nodiscard]] std::optional<Configuration> decode_configuration(std::string_view bytes);

[[nodiscard]] std::string encode_entry(const Entry& entry);
// Its payload lies in `bytes`.
[[nodiscard]] std::optional<Entry> decode_entry(std::string_view bytes);

[[nodiscard]] std::string encode_snapshot_meta(const SnapshotMeta& meta);
[[nodiscard]] std::optional<SnapshotMeta> decode_snapshot_meta(std::string_view bytes);

}  // namespace riftbus::consensus
