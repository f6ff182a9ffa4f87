// Bundle: several envelopes to one receiver in one ZeroMQ frame.
//
// CURVE costs about a microsecond at each end for every frame, and so do libzmq's queues, however
// short the frame is. Where hundreds of small calls go to one peer within one turn of a loop
// (requests to the queue's leader, and its answers), sharing a frame saves most of that.
//
//   frame  = envelope | bundle
//   bundle = 0xC1 1*(length envelope)      length: u32, big-endian, not 0
//
// 0xC1 is the one byte that no msgpack begins with, so the two are told apart by their first byte.
// A bundle goes only to who said in Hello or HelloAnswer that it takes them. Each envelope in it is
// judged as if it had come alone; a bundle in a bundle is malformed like any other bad envelope.
//
// Pure; views point into the frame given. Bounded by the two constants.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "bus/wire/message.h"

namespace riftbus::wire {

inline constexpr std::size_t kBundleEnvelopesMax = 1024;
// No bundle of a writer is longer; an envelope that is goes alone. A frame that is short beside the
// queues of the sockets, and long enough that its own cost is lost in it.
inline constexpr std::size_t kBundleBytes = 64u << 10u;

// Which kinds share frames: small ones that come by the hundred within a turn. All others leave at
// once, each in a frame of its own.
[[nodiscard]] bool comes_in_crowds(Kind kind);

class Bundle {
 public:
  void add(std::string_view envelope);  // not empty (CHECKed)
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  // Whether it may join the others. If not, they go first: sockets hang up on a frame that is
  // longer than one envelope may be.
  [[nodiscard]] bool has_room_for(std::string_view envelope) const;
  [[nodiscard]] bool is_full() const {
    return count_ >= kBundleEnvelopesMax || bytes_.size() >= kBundleBytes;
  }
  // What to send: of one envelope just that. Ends with the next add() or clear().
  [[nodiscard]] std::string_view frame() const;
  void clear();

 private:
  std::string bytes_;
  std::size_t count_ = 0;
};

// The envelopes of a frame, of either form. False: a malformed bundle; `out` is empty then.
[[nodiscard]] bool split_frame(std::string_view frame, std::vector<std::string_view>& out);

}  // namespace riftbus::wire
