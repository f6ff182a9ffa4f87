// FrameObserver: sees each message that the bus accepts or sends, for the tap.
//
// Called on the loop thread, between the message's acceptance (or the successful hand-over to the
// socket) and the owner's own handling; must not block and must not call the bus. With no observer
// set, the cost is one comparison with nullptr. Rejected input is not shown: it is counted.
#pragma once

#include <string_view>

#include "bus/wire/message.h"

namespace riftbus::bus {

class FrameObserver {
 public:
  virtual ~FrameObserver() = default;
  // `peer` is the other end, empty on publications going out. `bytes` is the encoded envelope;
  // both references end with the call.
  virtual void on_frame(wire::Direction direction, wire::Channel channel, const NodeId& peer,
                        const wire::Envelope& envelope, std::string_view bytes) = 0;
};

}  // namespace riftbus::bus
