// Frames: tapped messages for tests, as node n1 sees them unless the name says otherwise.
#pragma once

#include <string>

#include "bus/tap/field.h"

namespace riftbus::tap {

inline NodeId id(std::string_view text) { return NodeId::parse(text).value(); }

inline constexpr std::int64_t kNoonMs = 1'700'000'000'000 / 86'400'000 * 86'400'000 + 43'200'000;

// A call that `node` sends to `peer`; its seq is 1.
inline Seen call_out(std::string_view node, std::string_view peer, std::string_view kind,
                     std::uint64_t correlation, std::uint32_t bytes, std::string_view summary) {
  return {id(node),
          {kNoonMs, wire::Direction::out, wire::Channel::call, id(peer), id(node),
           std::string(kind), 1, correlation, bytes, std::string(summary), ""}};
}
// The same, received by `node`.
inline Seen call_in(std::string_view node, std::string_view peer, std::string_view kind,
                    std::uint64_t correlation, std::uint32_t bytes, std::string_view summary) {
  Seen seen = call_out(node, peer, kind, correlation, bytes, summary);
  seen.frame.direction = wire::Direction::in;
  seen.frame.origin = id(peer);
  return seen;
}
// A publication of `node` going out.
inline Seen published(std::string_view node, std::string_view kind, std::uint32_t bytes,
                      std::string_view summary) {
  return {id(node),
          {kNoonMs, wire::Direction::out, wire::Channel::pub, NodeId(), id(node), std::string(kind),
           1, 0, bytes, std::string(summary), ""}};
}
inline Seen at(Seen seen, std::int64_t ms_after_noon) {
  seen.frame.wall_ms = kNoonMs + ms_after_noon;
  return seen;
}

}  // namespace riftbus::tap
