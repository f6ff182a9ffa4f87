// Glance: what a node says about itself without asking anybody, also its own loop.
//
// The loop publishes a new one every second; readers on other threads hold on to the one they took.
// So `/health` answers while the loop stands still, and says since when it does.
//
// Value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "config/types.h"
#include "node/mesh/journal.h"

namespace riftbus::node {

// As the former orchestrator wrote spans: seconds, with three places.
[[nodiscard]] constexpr double seconds_of(Nanos span) {
  return static_cast<double>(to_ms(span)) / 1000;
}

struct Glance {
  std::string node;
  std::string cluster;
  bool joined = false;
  bool leaving = false;
  bool keeps_log = false;
  std::string leader;  // empty: nobody, as this node sees it
  std::string role;    // as the former orchestrator said it: leader, follower, candidate
  std::optional<std::int64_t> leader_heard_ms;  // age of its last beat here; empty: not watched
  std::size_t alive = 0;                        // members other than this node
  std::size_t known = 0;
  bool runs_work = false;
  bool draining = false;
  std::size_t jobs_running = 0;
  std::size_t slots = 0;
  std::map<std::string, std::size_t> jobs_by_kind;
  double disk_percent = 0;  // measured every half minute, where waiting for a disk does not matter
  std::uint16_t http_port = 0;
  TimePoint started;
  Moment when;  // published
};

}  // namespace riftbus::node
