// StandingOrders: what an operator told this node to do until told otherwise, over restarts.
//
// A drained node that is restarted for its update must not take work again by that; a policy that
// was chosen in an emergency must not give way to a crash. Each order can be taken back, and then
// the configuration holds again.
//
// A small text file, one order on each line, replaced whole and durably. What cannot be read or is
// not understood is reported and counts as no orders: the configuration holds.
//
// Blocking: used on the disk thread, and once at start before any other thread runs. Errors 1606.
#pragma once

#include <string>

#include "config/result.h"

namespace riftbus::node {

struct StandingOrders {
  bool draining = false;
  bool evicting = false;        // while draining: what runs is stopped, too
  std::string policy;           // raft, bully, hybrid; empty: as configured
  bool relay_draining = false;  // its relay is being emptied
  std::string membership;       // swim, hybrid, http; empty: as configured
  bool operator==(const StandingOrders&) const = default;
};

// No file: no orders.
[[nodiscard]] Result<StandingOrders> load_orders(const std::string& path);
[[nodiscard]] Status store_orders(const std::string& path, const StandingOrders& orders);

}  // namespace riftbus::node
