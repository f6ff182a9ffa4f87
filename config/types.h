// The words in which a cluster is described: identities, quantities and time.
//
// Identities do not convert into each other or into numbers by accident: passing a term where an
// incarnation is meant does not compile. Time is always a point on the node's own boot clock
// (CLOCK_BOOTTIME: it counts suspended time and ignores NTP). The clock type has no now():
// a protocol core cannot read it, it is told the time.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace riftbus {

using Nanos = std::chrono::nanoseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

struct BootClock {
  using duration = Nanos;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
using TimePoint = BootClock::time_point;

// Whole milliseconds, rounded down: for messages and for people.
[[nodiscard]] constexpr std::int64_t to_ms(Nanos span) {
  return std::chrono::duration_cast<Millis>(span).count();
}

// A value with a name: Strong<struct TermTag> and Strong<struct SeqTag> do not mix.
template <class Tag, class Rep = std::uint64_t>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep value() const { return value_; }
  [[nodiscard]] constexpr Strong next() const { return Strong(value_ + 1); }
  constexpr auto operator<=>(const Strong&) const = default;

 private:
  Rep value_{};
};

// Life number of a member: the higher one is newer. Stored before use, so it never goes back.
using Incarnation = Strong<struct IncarnationTag>;
// Drawn at random by each process start: tells two lives with one id apart.
using Instance = Strong<struct InstanceTag>;
// Position in one sender's stream to one kind of receiver; starts at 1.
using Seq = Strong<struct SeqTag>;
// Ties an answer to its request; chosen by the requester, unique within its instance. 0: one-way.
using Correlation = Strong<struct CorrelationTag>;
// Version of the signed roster; only grows.
using RosterVersion = Strong<struct RosterVersionTag>;

// The operator's name for a node: 1 to 64 characters of [A-Za-z0-9._-], not starting with '.' or
// '-'. Opaque: never an address. Ordered bytewise. Default-constructed: "no node".
class NodeId {
 public:
  NodeId() = default;
  [[nodiscard]] static Result<NodeId> parse(std::string_view text);
  [[nodiscard]] static bool is_valid(std::string_view text);

  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  auto operator<=>(const NodeId&) const = default;

 private:
  explicit NodeId(std::string value) : value_(std::move(value)) {}
  std::string value_;
};

// "2.500s", "84ms": for people and logs; JSON carries numbers with their unit in the key.
[[nodiscard]] std::string format_span(Nanos span);

}  // namespace riftbus

template <>
struct std::hash<riftbus::NodeId> {
  std::size_t operator()(const riftbus::NodeId& id) const noexcept {
    return std::hash<std::string>{}(id.value());
  }
};
