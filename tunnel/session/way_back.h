// WayBack: when a session that is carried by the bus tries the direct way again.
//
// A firewall that was in the way may be gone, and the relay may only have been down for a moment:
// the first trial comes after kPauseMin, the next ones ever more rarely, at most kPauseMax apart. A
// trial is a session beside the one that stands, so one that never gets as far as to show its key
// costs nothing; then it takes the other's place. A direct way that holds for less than kHeld was
// none: a firewall that lets a session begin and then cuts it is not asked more often for that.
// Pauses are jittered: a thousand nodes may share one firewall's change.
//
// Pure; `now` never decreases. Not thread-safe.
#pragma once

#include "config/random.h"
#include "config/types.h"

namespace riftbus::tunnel {

class WayBack {
 public:
  static constexpr Nanos kPauseMin = Seconds{5};
  static constexpr Nanos kPauseMax = Seconds{300};
  static constexpr Nanos kHeld = Seconds{600};

  // `random` outlives it.
  explicit WayBack(Random& random) : random_(random) {}

  // How the session stands now: up and carried, or not.
  void look(bool is_carried, TimePoint now);
  // A trial begins: true once for each that is due.
  [[nodiscard]] bool take(TimePoint now);
  // An operator asks for new sessions: as if nothing had been tried yet.
  void begin_anew() { pause_ = kPauseMin; }
  // TimePoint::max(): the session is not carried.
  [[nodiscard]] TimePoint due() const { return is_carried_ ? due_ : TimePoint::max(); }

 private:
  void plan(TimePoint now);

  Random& random_;
  bool is_carried_ = false;
  TimePoint left_{};  // when it was carried last
  TimePoint due_{};
  Nanos pause_ = kPauseMin;
};

}  // namespace riftbus::tunnel
