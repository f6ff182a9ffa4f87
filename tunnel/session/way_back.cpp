#include "tunnel/session/way_back.h"

#include <algorithm>

namespace riftbus::tunnel {

void WayBack::look(bool is_carried, TimePoint now) {
  if (is_carried == is_carried_) return;
  is_carried_ = is_carried;
  if (!is_carried) {
    left_ = now;
    return;
  }
  if (now - left_ >= kHeld) pause_ = kPauseMin;
  plan(now);
}

bool WayBack::take(TimePoint now) {
  if (now < due()) return false;
  pause_ = std::min(pause_ * 2, kPauseMax);
  plan(now);
  return true;
}

void WayBack::plan(TimePoint now) {
  due_ = now + Nanos{random_.between(pause_.count() / 2, pause_.count())};
}

}  // namespace riftbus::tunnel
