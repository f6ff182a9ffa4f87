// FineTimer: wakes a poll loop after less than a millisecond.
//
// poll() counts in milliseconds. For whoever gathers commands for half the time of an fsync,
// rounding up would be ten times the patience, and rounding down would spin.
//
// Contract: loop thread. arm() replaces what was armed before; poll descriptor(), then clear().
#pragma once

#include "config/types.h"

namespace riftbus::bus {

class FineTimer {
 public:
  FineTimer();
  ~FineTimer();
  FineTimer(const FineTimer&) = delete;
  FineTimer& operator=(const FineTimer&) = delete;

  void arm(Nanos span) const;
  void clear() const;
  [[nodiscard]] int descriptor() const { return fd_; }

 private:
  int fd_;
};

}  // namespace riftbus::bus
