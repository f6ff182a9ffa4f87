// Desk: serves operators: questions, pings and taps.
//
// A question is answered at once from memory; how far a relay is, when it is measured. A ping is
// sent on to the peer and answered when its Pong is back or the asker's time is up. Taps are
// leases: the mirror keeps a bounded queue for each, and the desk empties it towards the operator
// as fast as the operator reads; what does not fit is dropped and counted, so that no tap ever
// slows the bus.
//
// Roles come from the key that asked: reading takes any role, a tap needs tap or admin, payloads
// need admin. Loop thread only; everything passed by reference outlives it.
#pragma once

#include <map>
#include <set>

#include "bus/bus.h"
#include "bus/tap/mirror.h"
#include "bus/tap/observer.h"
#include "node/api/api.h"
#include "node/api/hops.h"

namespace riftbus::node {

inline constexpr std::size_t kPingsMax = 64;  // under way for operators; more are refused

class Desk {
 public:
  // `tap_queue_max`: messages that wait for one tap before further ones are dropped.
  Desk(bus::Bus& bus, const NodeId& self, std::size_t tap_queue_max);

  void on_query(const bus::Received& request, const std::set<Role>& roles, const NodeView& view);
  // From a key that is no member's: members' pings are the failure detector's.
  void on_ping(const bus::Received& request, const NodeView& view);
  void on_tap(const bus::Received& request, const std::set<Role>& roles, TimePoint now);
  // A tap of this process itself (HTTP), under a number of its own: begins or renews it, and takes
  // what it has gathered, payloads too if wanted. Whether the asker may, the caller has found out.
  [[nodiscard]] Result<wire::TapData> tap_here(std::uint64_t number, const wire::TapStart& wanted,
                                               std::size_t bytes_max, TimePoint now);
  // True: it was the answer to one of our pings.
  bool on_pong(const bus::Received& answer, const NodeView& view);
  // Ends pings without answer and taps without renewal; sends what the taps have gathered.
  void tick(const NodeView& view);
  [[nodiscard]] TimePoint next_deadline() const;
  [[nodiscard]] std::size_t taps() const { return mirror_.taps(); }
  [[nodiscard]] std::uint64_t tap_dropped() const { return mirror_.dropped(); }
  [[nodiscard]] bool has_work() const {
    return !pings_.empty() || mirror_.active() || hops_.next_deadline() != TimePoint::max();
  }

 private:
  struct Ping {
    PingOrder order;
    bus::ReplyTo asker;
    Correlation asker_correlation;
    TimePoint sent;
  };

  void begin_ping(const PingOrder& order, const bus::Received& request, const NodeView& view);
  void begin_hop(const HopOrder& order, const bus::Received& request, const NodeView& view);
  void answer_hops(const NodeView& view);
  void refuse(const bus::Received& request, std::uint16_t code, std::string what, std::string next);
  void drain_taps();
  void watch_bus();

  bus::Bus& bus_;
  tap::Mirror mirror_;
  tap::Observer observer_{mirror_};
  std::map<tap::TapHandle, Correlation> taps_;  // the correlation under which each one asked
  TimePoint drain_due_{};
  std::map<Correlation, Ping> pings_;
  Hops hops_;
  Correlation next_ping_;
};

}  // namespace riftbus::node
