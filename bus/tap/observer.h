// Observer: hands what the bus sees to the Mirror, with the time of day for people.
//
// The owner sets it on its Bus while mirror.active() and takes it off again, so that a node nobody
// taps pays nothing at all. Loop thread. The mirror must outlive it.
#pragma once

#include "bus/clock.h"
#include "bus/frame_observer.h"
#include "bus/tap/mirror.h"

namespace riftbus::tap {

class Observer : public bus::FrameObserver {
 public:
  explicit Observer(Mirror& mirror) : mirror_(mirror) {}

  void on_frame(wire::Direction direction, wire::Channel channel, const NodeId& peer,
                const wire::Envelope& envelope, std::string_view bytes) override {
    mirror_.offer(direction, channel, peer, envelope, bytes, bus::wall_now_ms());
  }

 private:
  Mirror& mirror_;
};

}  // namespace riftbus::tap
