#include "bus/wake_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "config/check.h"

namespace riftbus::bus {

WakePipe::WakePipe() {
  RIFTBUS_CHECK(::pipe(ends_) == 0);
  for (const int end : ends_) {
    ::fcntl(end, F_SETFL, O_NONBLOCK);
    ::fcntl(end, F_SETFD, FD_CLOEXEC);
  }
}

WakePipe::~WakePipe() {
  ::close(ends_[0]);
  ::close(ends_[1]);
}

// A full pipe is fine: the loop has not yet seen the earlier wakes.
void WakePipe::wake() const { [[maybe_unused]] const auto written = ::write(ends_[1], "", 1); }

void WakePipe::clear() const {
  std::array<char, 256> wakes{};
  while (::read(ends_[0], wakes.data(), wakes.size()) > 0) {
  }
}

}  // namespace riftbus::bus
