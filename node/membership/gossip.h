// Gossip: news on their way out to everyone who watches us, and the memory of what was said.
//
// A claim is passed on exactly when it changed our own table, so it travels each edge once and
// stops by itself: changes are monotonic, and a second copy changes nothing. News of one step
// leave together. The frames said last are kept: a watcher that finds a gap in our sequence
// numbers asks for them again (Resync). Beats are counted too, but not kept: an old beat is no
// news.
//
// Counts like the owner: every Publish in order is the next sequence number, from 1.
// Pure; not thread-safe. Bounded: kFramesKept frames of at most kClaimsPerFrame claims.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "bus/wire/message.h"
#include "node/membership/membership.h"

namespace riftbus::membership {

// More claims than this travel in several messages. A claim with a record is about 300 bytes.
inline constexpr std::size_t kClaimsPerFrame = 32;

// The claims in messages of at most kClaimsPerFrame.
[[nodiscard]] std::vector<wire::Gossip> into_pages(std::vector<wire::Claim> claims);

class Gossip {
 public:
  static constexpr std::size_t kFramesKept = 64;

  // Leaves with the next flush().
  void add(wire::Claim claim) { waiting_.push_back(std::move(claim)); }
  // Returns the number of frames published.
  std::size_t flush(Actions& out);
  void publish_beat(const wire::Beat& beat, Actions& out);

  // All claims of the kept frames from..to, both included.
  [[nodiscard]] std::vector<wire::Claim> said(Seq from, Seq to) const;
  [[nodiscard]] Seq last() const { return last_; }

 private:
  struct Frame {
    Seq seq;
    wire::Gossip gossip;
  };
  std::vector<wire::Claim> waiting_;
  std::deque<Frame> kept_;
  Seq last_;
};

}  // namespace riftbus::membership
