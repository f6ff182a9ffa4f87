// Rings: who watches whom, computed by everybody alike from the same set of ids.
//
// k rings; on ring r the members are sorted by a hash of (r, id), and your successor watches you.
// Every ring passes through every member, so nobody is left unwatched and a flood along the edges
// (from the watched to its watchers) reaches all in about log_k(N) hops. Choosing k watchers by
// rendezvous hashing instead would leave some members without any edge to hear on.
//
// A successor that watches you already is skipped. On all rings but the first, up to
// kDomainSkip successors that would die with you (same failure domain) are passed over too; the
// first ring never looks at domains, so it stays whole whatever the domains are.
//
// The watched decides: subjects_of(me) are those p with me in watchers_of(p), found by looking at
// the few candidates behind me. Cost O(log N) to change, O(k^2 log N) to ask for subjects.
//
// Pure; not thread-safe. Ids given to insert() must stay where they are until erase().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "config/types.h"

namespace riftbus::membership {

class Rings {
 public:
  static constexpr std::size_t kRingsMax = 7;
  static constexpr std::size_t kDomainSkip = 3;
  static constexpr std::size_t kLargeCluster = 100;

  // `count` rings; 0: 4 below kLargeCluster members, 5 from there.
  explicit Rings(unsigned count) : count_(count < kRingsMax ? count : kRingsMax) {}

  // Empty domain: its own.
  void insert(const NodeId& id, std::string_view domain);
  void erase(const NodeId& id);
  [[nodiscard]] std::size_t size() const { return rings_[0].size(); }
  [[nodiscard]] std::size_t count() const;

  // Distinct, ring by ring; `extra` more successors follow, for when some of them do not come.
  [[nodiscard]] std::vector<NodeId> watchers_of(const NodeId& id, std::size_t extra = 0) const;
  // In no particular but a reproducible order.
  [[nodiscard]] std::vector<NodeId> subjects_of(const NodeId& id) const;
  // The next id on one ring, without any skipping; empty if there is no other.
  // Any seat of the first ring, by index below size(): for drawing a member at random.
  [[nodiscard]] const NodeId& seat(std::size_t index) const { return *rings_[0][index].id; }
  [[nodiscard]] NodeId successor(std::size_t ring, const NodeId& id) const;

 private:
  struct Seat {
    std::uint64_t place;
    const NodeId* id;
    std::uint64_t domain;
  };
  using Ring = std::vector<Seat>;  // sorted by place, then id
  using Chosen = std::vector<const NodeId*>;

  [[nodiscard]] std::size_t position_after(std::size_t ring, const NodeId& id) const;
  [[nodiscard]] const Seat* choose(std::size_t ring, const NodeId& id, std::uint64_t domain,
                                   const Chosen& chosen) const;
  [[nodiscard]] Chosen choose_all(const NodeId& id) const;
  [[nodiscard]] std::uint64_t domain_of(const NodeId& id) const;

  unsigned count_;
  std::array<Ring, kRingsMax> rings_;
};

}  // namespace riftbus::membership
