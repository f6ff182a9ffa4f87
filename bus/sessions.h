// Sessions: what is known of each connection to our ROUTER, by its automatic routing id.
//
// Routing ids are chosen by libzmq and never reused while it runs, so a session is one connection.
// A ReplyTo is the routing id in disguise: it needs no table, and a reply to a connection that has
// ended fails in libzmq. libzmq does not tell when one ends; sessions unused for long are forgotten
// when the table is full, the longest unused first.
//
// Contract: loop thread. Bounded by limits.connections_max.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "bus/bus.h"
#include "bus/wire/bundle.h"

namespace riftbus::bus {

struct Session {
  NodeId peer;
  bool greeted = false;
  std::uint64_t access_version = 0;  // of the roster that allowed it; 0: not asked yet
  TimePoint used{};
  bool takes_bundles = false;
  wire::Bundle answers;  // of this turn, not sent yet
};

class Sessions {
 public:
  static constexpr std::size_t kRoutingIdBytes = 5;

  explicit Sessions(std::size_t sessions_max) : sessions_max_(sessions_max) {}

  // Nothing: not an id that libzmq chose.
  [[nodiscard]] static std::optional<std::uint32_t> parse(std::string_view routing_id);
  [[nodiscard]] static ReplyTo reply_to(std::uint32_t number) { return ReplyTo(kMark | number); }
  // The routing id that a ReplyTo stands for; nothing for 0 and for what reply_to() never gave.
  struct RoutingId {
    char bytes[kRoutingIdBytes];
  };
  [[nodiscard]] static std::optional<RoutingId> routing_id(ReplyTo to);

  Session& use(std::uint32_t number, TimePoint now);
  [[nodiscard]] Session* find(ReplyTo to);
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }

 private:
  static constexpr std::uint64_t kMark = 1ull << 32u;
  void forget_oldest();

  std::size_t sessions_max_;
  std::unordered_map<std::uint32_t, Session> sessions_;
};

}  // namespace riftbus::bus
