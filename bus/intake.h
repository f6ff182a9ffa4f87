// Intake: decides whether bytes from a peer become a message for the owner.
//
// In order of cost: the origin's rate, the decoder, the comparison of the claimed origin with the
// owner of the connection's key, the channel, and whether the call was seen before. Whatever fails
// is counted by reason and logged at a bounded rate; nothing a peer sends can do more than that.
//
// Contract: loop thread. Bounded by limits.origins_max.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "bus/bus_limits.h"
#include "bus/counters.h"
#include "bus/dedup.h"
#include "bus/log.h"
#include "bus/rate.h"
#include "bus/wire/codec.h"

namespace riftbus::bus {

// tell_flooded, tell_rejected: dropped, and the sender deserves one Refusal. After tell_rejected
// the outcome's `reject` says why, and only the header of its envelope is valid.
enum class Admission : std::uint8_t { accepted, dropped, tell_flooded, tell_rejected };

class Intake {
 public:
  Intake(const Limits& limits, Counters& counters) : limits_(limits), counters_(counters) {}

  // Who may say as much as members do; everybody else is held to the bounds of a stranger.
  void set_members(std::set<NodeId> members);

  // `proven` owns the connection's key; nullptr only without CURVE on our listener, where the
  // message's own word must do. `outcome` is filled in.
  [[nodiscard]] Admission admit_call(const NodeId* proven, std::string_view bytes, TimePoint now,
                                     wire::DecodeOutcome& outcome);
  // `frame` is topic and envelope.
  [[nodiscard]] Admission admit_publication(const NodeId& proven, std::string_view frame,
                                            TimePoint now, wire::DecodeOutcome& outcome);

  // What a peer did wrong; the counter is the caller's business.
  enum class Misdeed : std::uint8_t {
    rejected,
    impersonation,
    wrong_channel,
    flood,
    bad_frame,
    no_hello,
    unauthenticated,
  };
  void report(Misdeed misdeed, std::string_view peer, std::string_view detail, TimePoint now);

 private:
  struct Origin {
    OriginRate rate;
    SeenCalls seen;
  };
  [[nodiscard]] Origin& origin_of(const NodeId& id);
  [[nodiscard]] OriginRate rate_of(const NodeId& id) const;
  // Nothing: admitted so far.
  [[nodiscard]] std::optional<Admission> judge_rate(Origin& origin, const NodeId& id,
                                                    std::size_t bytes, TimePoint now);
  [[nodiscard]] std::optional<Admission> decode(const NodeId* proven, std::string_view bytes,
                                                TimePoint now, wire::DecodeOutcome& outcome);

  static constexpr std::size_t kMisdeeds = 7;

  const Limits& limits_;
  Counters& counters_;
  std::set<NodeId> members_;
  std::unordered_map<NodeId, Origin> origins_;
  std::array<RateLimited, kMisdeeds> speakers_{};
};

}  // namespace riftbus::bus
