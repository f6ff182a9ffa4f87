// Hops: how far away a relay is, for `riftbus link trace`.
//
// A connection to its front is made and thrown away; what is reported is the round trip that the
// kernel measured for the TCP handshake (TCP_INFO), so it does not matter when we look. Nothing is
// sent: the front hangs up on a silent stranger.
//
// Contract: loop thread; never blocks; the owner calls step() at next_deadline(). Bounded by
// kHopsMax at once; each ends after kPatience at the latest.
#pragma once

#include <list>
#include <vector>

#include "bus/bus.h"
#include "node/api/api.h"

namespace riftbus::node {

class Hops {
 public:
  static constexpr std::size_t kHopsMax = 16;
  static constexpr Millis kPatience{2000};
  static constexpr Millis kLookEvery{2};

  struct Finished {
    HopOrder order;
    HopOutcome outcome;
    bus::ReplyTo asker;
    Correlation correlation;
  };

  Hops() = default;
  ~Hops();
  Hops(const Hops&) = delete;
  Hops& operator=(const Hops&) = delete;

  [[nodiscard]] bool is_full() const { return hops_.size() >= kHopsMax; }
  void start(const HopOrder& order, bus::ReplyTo asker, Correlation correlation, TimePoint now);
  void step(TimePoint now, std::vector<Finished>& out);
  [[nodiscard]] TimePoint next_deadline() const;

 private:
  struct Hop {
    Finished report;
    int descriptor = -1;
    TimePoint due{};
  };
  // False: not yet.
  static bool look(Hop& hop, TimePoint now);

  std::list<Hop> hops_;
  TimePoint looked_{};
};

}  // namespace riftbus::node
