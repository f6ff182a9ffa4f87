// Traffic: messages and bytes by kind and direction, counted where they meet the socket.
//
// One array lookup and two additions per message, so it is always on: the scale bench, `status`
// and later metrics read it. Bytes are the envelope's (and topic's), without ZMTP, CURVE and TCP,
// which add about 35 + 52 bytes per message.
//
// Plain values, no thread of their own: read and written by the loop thread.
#pragma once

#include <array>
#include <cstdint>

#include "bus/wire/message.h"

namespace riftbus::bus {

struct Flow {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

class Traffic {
 public:
  static constexpr std::size_t kKinds = 64;  // wire::Kind values stay below; the last slot: others

  void count(wire::Direction direction, wire::Kind kind, std::size_t bytes) {
    Flow& flow = table(direction)[slot(kind)];
    ++flow.messages;
    flow.bytes += bytes;
  }
  [[nodiscard]] const Flow& of(wire::Direction direction, wire::Kind kind) const {
    return direction == wire::Direction::in ? in_[slot(kind)] : out_[slot(kind)];
  }
  [[nodiscard]] Flow total(wire::Direction direction) const {
    Flow sum;
    for (const Flow& flow : direction == wire::Direction::in ? in_ : out_) {
      sum.messages += flow.messages;
      sum.bytes += flow.bytes;
    }
    return sum;
  }

 private:
  using Table = std::array<Flow, kKinds>;
  [[nodiscard]] static std::size_t slot(wire::Kind kind) {
    const auto value = static_cast<std::size_t>(kind);
    return value < kKinds ? value : kKinds - 1;
  }
  [[nodiscard]] Table& table(wire::Direction direction) {
    return direction == wire::Direction::in ? in_ : out_;
  }
  Table in_{};
  Table out_{};
};

}  // namespace riftbus::bus
