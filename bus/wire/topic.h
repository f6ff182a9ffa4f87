// Topic: how an envelope travels on PUB/SUB.
//
// One ZeroMQ frame, "<topic>\0<envelope>". One and not two, because on a CURVE connection every
// frame costs 35 bytes, and a Beat has only about 50. ZeroMQ filters by the front of the frame:
// subscribe to "beat\0" for exactly that topic, to "" for all.
//
// Pure functions; views point into the frame given. A topic is 1 to kTopicBytesMax characters of
// [a-z0-9._-].
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bus/wire/codec.h"

namespace riftbus::wire {

inline constexpr std::string_view kTopicBeat = "beat";
inline constexpr std::string_view kTopicGossip = "gossip";

struct PubFrame {
  std::string_view topic;
  std::string_view envelope;  // for decode()
};

[[nodiscard]] bool is_topic(std::string_view topic);
// `topic` is one (CHECKed).
[[nodiscard]] std::string make_pub_frame(std::string_view topic, std::string_view envelope);
// Nothing: no topic, or no envelope behind it.
[[nodiscard]] std::optional<PubFrame> split_pub_frame(std::string_view frame);

// What to subscribe to for exactly this topic: the topic and its zero byte.
[[nodiscard]] std::string subscription_for(std::string_view topic);
// The topic on which a kind is published; nothing: the kind travels as a call only.
[[nodiscard]] std::optional<std::string_view> topic_of(Kind kind);

}  // namespace riftbus::wire
