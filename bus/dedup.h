// Dedup: each call at most once, by (origin, instance, seq).
//
// A sender numbers all its calls in one stream, so one receiver sees rising numbers with gaps, and
// out of order where two connections race. SeenSeqs keeps the highest `window` numbers that
// arrived; what is at or below the highest number it forgot counts as seen. A call is lost that way
// only if more than `window` later calls to the same receiver overtook it.
//
// A new life of the origin has a new instance and its own numbers. A few lives are kept, because a
// CLI is a new life with each command and two of them may run at once; the longest unused goes.
//
// Pure and bounded: 8 bytes per number, `window` numbers, `instances` lives. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "config/types.h"

namespace riftbus::bus {

class SeenSeqs {
 public:
  explicit SeenSeqs(std::size_t window) : window_(window) {}
  // True: new, and remembered from now on.
  [[nodiscard]] bool admit(Seq seq);

 private:
  std::size_t window_;
  std::uint64_t forgotten_ = 0;     // highest number no longer in `seen_`; 0 is no valid Seq
  std::deque<std::uint64_t> seen_;  // ascending
};

class SeenCalls {
 public:
  SeenCalls(std::size_t window, std::size_t instances) : window_(window), instances_(instances) {}
  [[nodiscard]] bool admit(Instance instance, Seq seq);

 private:
  struct Life {
    Instance instance;
    SeenSeqs seqs;
  };
  std::size_t window_;
  std::size_t instances_;
  std::vector<Life> lives_;  // most recently used first
};

}  // namespace riftbus::bus
