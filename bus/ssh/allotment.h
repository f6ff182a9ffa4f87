// Allotment: how much may be handed to a session at once.
//
// What the kernel holds for a slow link waits there, and on the link whatever else the host sends
// waits behind it: with 64 KiB at a time, 26 ms at 20 Mbit/s. So a session that has to wait for its
// socket is given what it was seen to get rid of in kAhead, and a session that does not, kMost.
// Above kMost / kAhead, 32 MB/s, nothing is restrained.
//
// Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>

#include "config/types.h"

namespace riftbus::ssh {

class Allotment {
 public:
  static constexpr std::size_t kMost = 64 * 1024;
  static constexpr std::size_t kLeast = 4 * 1024;
  static constexpr Nanos kAhead = Millis(2);
  static constexpr Nanos kLook = Millis(50);   // the rate is that of so long
  static constexpr Nanos kStale = Seconds(1);  // a look that took longer saw a pause

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  // It had to wait for its socket.
  void on_congested() { was_congested_ = true; }
  // So much was handed over. True: bytes() is another one.
  bool on_written(std::size_t written, TimePoint now) {
    written_ += written;
    const Nanos span = now - began_;
    if (span < kLook) return false;
    const std::size_t before = bytes_;
    if (span < kStale) {
      const auto ahead = static_cast<double>(written_) * static_cast<double>(kAhead.count()) /
                         static_cast<double>(span.count());
      bytes_ = was_congested_ ? std::clamp(static_cast<std::size_t>(ahead), kLeast, kMost) : kMost;
    }
    began_ = now;
    written_ = 0;
    was_congested_ = false;
    return bytes_ != before;
  }

 private:
  std::size_t bytes_ = kMost;
  std::size_t written_ = 0;
  TimePoint began_{};
  bool was_congested_ = false;
};

}  // namespace riftbus::ssh
