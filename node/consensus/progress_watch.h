// ProgressWatch: is there work, and does none of it get done?
//
// A process whose disk hangs or whose state machine spins still answers heartbeats; only the lack
// of progress betrays it. Whoever has work to do must show a new number now and then; with nothing
// to do, no progress is no fault.
//
// Pure value; not thread-safe.
#pragma once

#include <cstdint>

#include "config/types.h"

namespace riftbus::consensus {

class ProgressWatch {
 public:
  void restart(TimePoint now) { since_ = now; }
  void observe(bool has_work, std::uint64_t done, TimePoint now) {
    // Work that has only just come is not late, however long ago it was looked at last.
    if (!has_work || !has_work_ || done != done_) since_ = now;
    done_ = done;
    has_work_ = has_work;
  }
  [[nodiscard]] bool is_stalled(Nanos limit, TimePoint now) const {
    return has_work_ && now - since_ >= limit;
  }
  [[nodiscard]] TimePoint due(Nanos limit) const {
    return has_work_ ? since_ + limit : TimePoint::max();
  }

 private:
  TimePoint since_{};
  std::uint64_t done_ = 0;
  bool has_work_ = false;
};

}  // namespace riftbus::consensus
