// Carry: one message of a byte stream between a node that nobody can dial and the SSH port of its
// relay's host, for nodes whose firewall lets nothing but the bus through.
//
// The stream's name is the correlation of its `open`, in both directions. README.md beside this
// file has the grammar, node/carry/stream.h the rules.
#pragma once

#include <cstdint>
#include <string>

namespace riftbus::wire {

enum class CarryStep : std::uint8_t { open = 1, data = 2, end = 3, close = 4 };
[[nodiscard]] const char* to_string(CarryStep step);

struct Carry {
  CarryStep step = CarryStep::open;
  std::uint64_t offset = 0;   // of this message in the sender's stream: what it had cost before
  std::uint64_t granted = 0;  // how far the other stream may go: never less than said before
  std::string bytes;          // with `data` only
  bool operator==(const Carry&) const = default;
};

// What a message with so many bytes costs its stream: a window bounds the small ones, too.
inline constexpr std::uint64_t kCarryFrameCost = 1024;
[[nodiscard]] constexpr std::uint64_t carry_cost(std::size_t bytes) {
  return bytes == 0 ? 0 : kCarryFrameCost + bytes;
}

}  // namespace riftbus::wire
