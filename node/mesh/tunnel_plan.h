// TunnelPlan: to which relays a node keeps tunnels at this moment.
//
// It wants two that are up, from the front of its ranking (node/mesh/relay_choice.h): the home, and
// a warm one, so that a relay's death costs no more than its detection; fewer, or none, if so told,
// for a node that others can dial. While one of them cannot be
// reached for kPatience, the next in line is taken as well; the first goes on being tried. Whoever
// is not among the first two that work is let go only when those have been up for kSteady: the new
// ways stand before an old one ends, and a node always finds back to its home.
//
// A relay that is being drained goes to the end of the line: it is left as soon as two others have
// been up for a while, and kept where there are no others.
//
// Pure: `now` never decreases. Bounded by kTunnelsMax.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "config/types.h"

namespace riftbus::node {

// What is seen of one relay: of the tunnel to it, and of what its host says of it.
struct TunnelSight {
  bool is_up = false;
  bool is_draining = false;
};

enum class TunnelRole : std::uint8_t { home, warm, spare, leaving };
[[nodiscard]] const char* to_string(TunnelRole role);

class TunnelPlan {
 public:
  static constexpr std::size_t kWanted = 2;      // up at the same time, unless so told
  static constexpr std::size_t kTunnelsMax = 4;  // at once
  static constexpr Seconds kPatience{20};
  static constexpr Seconds kSteady{30};

  explicit TunnelPlan(std::vector<NodeId> ranked) : ranked_(std::move(ranked)) {}

  // A relay that is not in `sights` is down and not drained.
  void step(const std::map<NodeId, TunnelSight>& sights, std::size_t wanted, TimePoint now);

  struct Wish {
    NodeId relay;
    TunnelRole role = TunnelRole::home;
    bool operator==(const Wish&) const = default;
  };
  // To whom tunnels shall be kept since the last step(), best first.
  [[nodiscard]] const std::vector<Wish>& wishes() const { return wishes_; }

 private:
  struct Known {
    bool is_wished = false;
    bool is_up = false;
    TimePoint since{};  // it is so, or has been wished for
  };
  [[nodiscard]] std::vector<NodeId> line(const std::map<NodeId, TunnelSight>& sights) const;
  void look(const std::map<NodeId, TunnelSight>& sights, TimePoint now);
  [[nodiscard]] bool may_hope(const NodeId& relay, TimePoint now) const;
  [[nodiscard]] bool is_steady(const NodeId& relay, TimePoint now) const;

  std::vector<NodeId> ranked_;
  std::map<NodeId, Known> known_;
  std::vector<Wish> wishes_;
};

}  // namespace riftbus::node
