// LogClock: what time it is in the log, for the leader that stamps entries.
//
// Until the leader's first entry is committed, the last stamp in its log. From then on, that stamp
// plus the time its own boot clock has counted since. So log time never runs ahead of real time: it
// loses what passes between leaders, which makes leases longer, never shorter, and it ignores every
// wall clock.
//
// Pure value; not thread-safe.
#pragma once

#include <algorithm>

#include "node/consensus/types.h"

namespace riftbus::consensus {

class LogClock {
 public:
  void stop() { runs_ = false; }
  void start(LogTime base, TimePoint now) {
    runs_ = true;
    base_ = base;
    started_ = now;
  }
  // `last`: the stamp that ends the log.
  [[nodiscard]] LogTime stamp(LogTime last, TimePoint now) const {
    if (!runs_) return last;
    const auto elapsed_ms = static_cast<std::uint64_t>(to_ms(now - started_));
    return std::max(last, LogTime(base_.value() + elapsed_ms));
  }

 private:
  bool runs_ = false;
  LogTime base_;
  TimePoint started_{};
};

}  // namespace riftbus::consensus
