// Network: which host can reach which, and how long a segment takes.
//
// A path between two hosts has a base delay of its own, jitter, and loss. Bytes travel in TCP, so
// a lost segment does not vanish: it comes back one retransmission timeout later (doubling while
// it is lost again), and everything behind it waits. Cuts are one-way; a partition is a colouring
// of the hosts; a vanished host is a black hole that answers nothing at all.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "config/random.h"
#include "config/types.h"

namespace riftbus::sim {

using HostIndex = std::uint32_t;

struct LinkOptions {
  Nanos delay_min = Millis(1);  // one way; each pair of hosts draws its base from [min, max]
  Nanos delay_max = Millis(20);
  Nanos jitter = Millis(5);         // added to each segment, mostly near 0
  double loss = 0;                  // of a segment, each way
  double duplicate = 0;             // of a PUB frame, late and out of order: it came by two relays
  std::size_t buffer_frames = 256;  // of one direction: high-water marks and kernel buffers
  Nanos rto_min = Millis(200);      // Linux's floor
  Nanos heartbeat_timeout = Seconds(15);  // ZeroMQ's own, after which a mute connection is shut
  Nanos handshake_timeout = Seconds(5);
  Nanos dial_timeout = Seconds(2);
  Nanos close_max{};  // in which a dying process closes its descriptors, one after the other
  Nanos reconnect_min = Millis(250);
  Nanos reconnect_max = Seconds(5);
};

struct Path {
  Random random;
  Nanos delay{};
  double loss = 0;
};

class Network {
 public:
  Network(const LinkOptions& options, std::uint64_t seed) : options_(options), seed_(seed) {}

  HostIndex add_host();
  [[nodiscard]] std::size_t hosts() const { return up_.size(); }
  [[nodiscard]] const LinkOptions& options() const { return options_; }

  // Can a segment get from one host to the other right now?
  [[nodiscard]] bool is_open(HostIndex from, HostIndex to) const;
  [[nodiscard]] bool is_open_both(HostIndex a, HostIndex b) const {
    return is_open(a, b) && is_open(b, a);
  }
  // No cut and no partition: whoever is up reaches whoever is up.
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] bool is_up(HostIndex host) const { return up_[host]; }

  void set_up(HostIndex host, bool up) { up_[host] = up; }
  void cut(HostIndex from, HostIndex to) { cuts_.insert({from, to}); }
  void mend(HostIndex from, HostIndex to) { cuts_.erase({from, to}); }
  // Hosts of different colours do not hear each other.
  void set_colour(HostIndex host, int colour) { colour_[host] = colour; }
  // All cuts and colours; vanished hosts stay away.
  void mend_all();
  void set_loss(double loss);
  // Every path alike, without jitter: then the first copy of a flood came by the fewest hops.
  void set_equal(Nanos delay);

  [[nodiscard]] Path& path(HostIndex a, HostIndex b);
  // One way for one segment, with the retransmissions it needed.
  [[nodiscard]] Nanos draw_transit(Path& path) const;
  // There and back for a SYN: its first retransmission takes a second.
  [[nodiscard]] Nanos draw_connect(Path& path) const;

 private:
  [[nodiscard]] Nanos draw_stall(Path& path, Nanos first) const;

  LinkOptions options_;
  std::uint64_t seed_;
  std::vector<bool> up_;
  std::vector<int> colour_;
  std::set<std::pair<HostIndex, HostIndex>> cuts_;
  std::map<std::pair<HostIndex, HostIndex>, Path> paths_;
};

}  // namespace riftbus::sim
