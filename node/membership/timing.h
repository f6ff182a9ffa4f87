// Timing: how fast a cluster notices things, and how patient it is, as one value per profile.
//
// Every span is a floor-to-ceiling band inside which the core adapts to measured round trips and
// jitter: the default profile is quick on a quiet network and patient on a bad one. The member
// advertises its own interval, so all of its watchers wait equally long for it.
#pragma once

#include "config/types.h"

namespace riftbus::membership {

// A lone accuser waits this many times as long as one whom all other watchers confirm.
inline constexpr int kSuspicionMaxFactor = 6;

struct Timing {
  // Between a member's beats. Sent with +-10 % jitter so that nodes do not march in step.
  Nanos interval{};
  // Silence that makes a watcher ask (never accuse): mean + 4 deviations of the gaps, within
  // [silence_min, silence_max].
  Nanos silence_min{};
  Nanos silence_max{};
  // Wait for the answer to a direct ping or an indirect question: from the smoothed round trip.
  Nanos probe_min{};
  Nanos probe_max{};
  // Suspicion before the verdict when all other watchers confirm; a lone accuser waits
  // kSuspicionMaxFactor times as long. Grows from the floor with measured round trips.
  Nanos suspicion_min{};
  Nanos suspicion_max{};
  // After two watchers were refused by the subject's own host: the time in which it may come back.
  Nanos refused_grace{};
  // Estimated time for one hop of a flood; suspicion_min is at least 2 * depth * hop.
  Nanos hop{};
  // Rings, and so watchers of each member; 0: 4 below 100 members, 5 from there.
  unsigned watchers = 0;

  bool operator==(const Timing&) const = default;
};

// lan: one data centre. wan (default): several providers. flaky: lossy or overloaded hosts.
[[nodiscard]] Timing lan_timing();
[[nodiscard]] Timing wan_timing();
[[nodiscard]] Timing flaky_timing();

}  // namespace riftbus::membership
