// Arrival: the rhythm in which one member's beats reach us, and which of them are news.
//
// TCP never loses a beat, it delays it: after a stall or after our own pause, old beats come in a
// burst, and they say nothing about now. Each beat carries its sender's uptime, so
//
//   delay = (our clock - its uptime) - the smallest such difference seen
//
// is the time it spent waiting somewhere. A beat counts as life at the moment it was sent (now -
// delay); one that waited longer than the silence limit is stale and refreshes nothing. The
// smallest difference creeps up by a thousandth of the time passed, so that two clocks which
// drift apart, or a route that became longer, are forgiven in the end.
//
// A first beat is its own measure. If it may have waited (we stood still, or it is overdue) it is
// stale as well, until a second one follows in the rhythm in which both were sent: what comes out
// of a queue comes in a burst.
//
// The gap between beats is smoothed as TCP smooths round trips (Jacobson 1988: mean by 1/8,
// deviation by 1/4), counted per beat sent: the uptime tells how many there were between two
// arrivals. One gap counts at most as four, so that a single stall does not poison the mean.
//
// Pure value; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>

#include "config/types.h"

namespace riftbus::membership {

class Arrival {
 public:
  explicit Arrival(Nanos interval);

  struct Beat {
    Nanos delay{};
    bool stale = false;
    bool doubtful = false;     // stale only because nothing yet says how long it waited
    std::uint64_t missed = 0;  // beats between this one and the one before that never came
  };
  Beat on_beat(Nanos uptime, Nanos interval, Nanos stale_after, TimePoint now);

  // An answer that was asked for at `asked` said this uptime: no beat can have been quicker than
  // that allows. Corrects the measure after the sender's clock stood still (a frozen machine),
  // which would otherwise make all its beats look old.
  void calibrate(Nanos uptime, TimePoint asked);

  // How long such an answer waited before it was read; unmeasured: since it was asked for.
  [[nodiscard]] Nanos waited(Nanos uptime, TimePoint asked, TimePoint now) const;

  // A new life: another uptime, another clock.
  void restart(Nanos interval);
  // We stood still: the next gap is our own and teaches nothing. What waited in our queue is read
  // until `drained`; a first beat among it would be its own measure, and proves nothing.
  void on_pause(TimePoint drained) {
    last_.reset();
    drained_ = drained;
  }
  // We began to listen: a first beat that comes later than this waited in the network, perhaps.
  void expect_by(TimePoint due) { first_due_ = due; }

  [[nodiscard]] Nanos mean() const { return mean_; }
  [[nodiscard]] Nanos deviation() const { return deviation_; }
  // mean + 4 deviations: after a longer silence than this it is time to ask.
  [[nodiscard]] Nanos expected() const { return mean_ + 4 * deviation_; }

 private:
  struct Sample {
    TimePoint at;
    Nanos uptime{};
  };
  void learn_gap(Nanos gap);
  // No measure yet, and this beat is not fit to be one.
  [[nodiscard]] bool is_doubtful(const Sample& beat) const;

  Nanos mean_;
  Nanos deviation_;
  std::optional<Sample> last_;
  std::optional<Nanos> offset_min_;
  TimePoint offset_at_{};
  TimePoint drained_{};
  TimePoint first_due_ = TimePoint::max();
};

}  // namespace riftbus::membership
