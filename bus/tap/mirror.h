// Mirror: shows a node's traffic to those who tap it, without ever slowing the node.
//
// The owner offers each message that its bus accepts or sends. While nobody taps, that is one
// comparison; with taps, each filter is asked first, and only a message that somebody wants is put
// into words. What a tap wants waits in its own bounded queue until the owner drains it into a
// TapData; when the queue is full the newest message is dropped and counted, so that a slow tap
// loses messages and the bus loses nothing. The counts travel with each TapData.
//
// Nor may a tap that does not read fill the bus's own queues, or the kernel's: what is under way to
// it is bounded as well. A tap begins with kTapWindowBytes of frames, and each further TapStart
// allows kTapGrantBytes more, up to the same bound; an honest tap sends one whenever it has taken
// in that much (frame_cost() is the measure of both sides).
//
// A tap lives on a lease: whoever stops renewing is forgotten. Messages of kind tap.data are never
// mirrored: each would cause the next, forever.
//
// Pure: reads no clock, opens no socket. Not thread-safe. Roles are checked by the owner, who knows
// which key asked; payloads only with `payloads_granted`. Errors 1550 to 1552 are meant for a
// Refusal to the asker.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <vector>

#include "bus/tap/filter.h"
#include "bus/wire/message.h"
#include "config/result.h"
#include "config/types.h"

namespace riftbus::tap {

// Names one tap for the owner, who knows where to send its data: a connection, for example.
using TapHandle = Strong<struct TapHandleTag>;

// What one frame counts: its texts and payload, and 48 bytes for all the rest.
[[nodiscard]] std::size_t frame_cost(const wire::TapFrame& frame);
inline constexpr std::size_t kTapWindowBytes = 1 << 20;
inline constexpr std::size_t kTapGrantBytes = kTapWindowBytes / 4;

struct MirrorLimits {
  std::size_t taps_max = 8;
  std::size_t queue_frames_max = 4096;      // per tap
  std::size_t queue_bytes_max = 1 << 20;    // per tap, as they will be sent
  std::size_t payload_bytes_max = 1 << 16;  // a longer payload is left out, the rest is shown
  Millis lease_max{60'000};
};

class Mirror {
 public:
  explicit Mirror(NodeId self, MirrorLimits limits = {})
      : self_(std::move(self)), limits_(limits) {}

  // False: offer() would do nothing; the owner may take its observer off the bus.
  [[nodiscard]] bool active() const { return !taps_.empty(); }
  [[nodiscard]] std::size_t taps() const { return taps_.size(); }

  // Begins a tap, or renews one: the new filter holds from now on, counts go on. A lease of 0 ends
  // it: nothing more is taken in, what waits can still be drained until the next expire().
  // Errors: 1550 the filter, 1551 payloads not granted, 1552 too many taps.
  [[nodiscard]] Status start(TapHandle handle, const wire::TapStart& request, bool payloads_granted,
                             TimePoint now);
  // The connection is gone.
  void stop(TapHandle handle);

  void offer(wire::Direction direction, wire::Channel channel, const NodeId& peer,
             const wire::Envelope& envelope, std::string_view bytes, std::int64_t wall_ms) {
    if (active()) show(direction, channel, peer, envelope, bytes, wall_ms);
  }

  // Messages that taps wanted and did not get since this node started.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  // Taps with messages waiting, or drops not yet told, that may be sent some, in order of handles.
  [[nodiscard]] std::vector<TapHandle> ready() const;
  // The oldest messages of this tap, about `bytes_max` of them (one at least), with its counts.
  // What is drained counts as sent.
  [[nodiscard]] wire::TapData drain(TapHandle handle, std::size_t bytes_max);

  // Forgets taps whose lease has ended.
  void expire(TimePoint now);
  // When expire() next has work; TimePoint::max(): never.
  [[nodiscard]] TimePoint next_deadline() const;

 private:
  struct Tap {
    Filter filter;
    bool payloads = false;
    bool ending = false;
    std::size_t credit = kTapWindowBytes;  // may be sent before the next TapStart
    TimePoint lease_end;
    std::deque<wire::TapFrame> queue;
    std::size_t queue_bytes = 0;
    std::uint64_t matched = 0;
    std::uint64_t dropped = 0;
    std::uint64_t dropped_told = 0;
  };

  void show(wire::Direction direction, wire::Channel channel, const NodeId& peer,
            const wire::Envelope& envelope, std::string_view bytes, std::int64_t wall_ms);
  void enqueue(Tap& tap, wire::TapFrame frame);
  void drop(Tap& tap);

  NodeId self_;
  MirrorLimits limits_;
  std::map<TapHandle, Tap> taps_;
  std::uint64_t dropped_ = 0;
};

}  // namespace riftbus::tap
