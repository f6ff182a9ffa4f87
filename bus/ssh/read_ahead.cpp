#include "bus/ssh/read_ahead.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>

#include "config/check.h"

namespace riftbus::ssh {

namespace {

thread_local ReadAhead* t_current = nullptr;
thread_local std::array<char, ReadAhead::kBytes> t_bytes;  // touched by who reads only

}  // namespace

ReadAhead::ReadAhead(int descriptor) : descriptor_(descriptor) {
  RIFTBUS_CHECK(t_current == nullptr);
  t_current = this;
}

ReadAhead::~ReadAhead() { t_current = nullptr; }

ReadAhead* ReadAhead::of(int descriptor) {
  return t_current != nullptr && t_current->descriptor_ == descriptor ? t_current : nullptr;
}

ssize_t ReadAhead::take(void* data, std::size_t size) {
  if (!holds()) {
    const ssize_t got =
        ::recvfrom(descriptor_, t_bytes.data(), t_bytes.size(), MSG_DONTWAIT, nullptr, nullptr);
    if (got <= 0) return got;
    at_ = 0;
    end_ = static_cast<std::size_t>(got);
  }
  const std::size_t taken = std::min(size, end_ - at_);
  std::memcpy(data, t_bytes.data() + at_, taken);
  at_ += taken;
  return static_cast<ssize_t>(taken);
}

}  // namespace riftbus::ssh

// Under names of our own, because libc's headers define both inline when they fortify them.
// recvfrom() and ppoll() are what libc's recv() and poll() are, too.
extern "C" {
ssize_t riftbus_recv(int descriptor, void* data, std::size_t size, int flags) asm("recv");
int riftbus_poll(pollfd* items, nfds_t count, int timeout_ms) asm("poll");
}

ssize_t riftbus_recv(int descriptor, void* data, std::size_t size, int flags) {
  auto* ahead = flags == 0 ? riftbus::ssh::ReadAhead::of(descriptor) : nullptr;
  return ahead != nullptr ? ahead->take(data, size)
                          : ::recvfrom(descriptor, data, size, flags, nullptr, nullptr);
}

int riftbus_poll(pollfd* items, nfds_t count, int timeout_ms) {
  const bool asks_one = count == 1 && (items->events & POLLIN) != 0;
  const auto* ahead = asks_one ? riftbus::ssh::ReadAhead::of(items->fd) : nullptr;
  const bool is_readable = ahead != nullptr && ahead->holds();
  if (is_readable && items->events == POLLIN) {
    items->revents = POLLIN;
    return 1;
  }
  if (is_readable) timeout_ms = 0;
  const timespec span{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
  const int ready = ::ppoll(items, count, timeout_ms < 0 ? nullptr : &span, nullptr);
  if (!is_readable || ready < 0) return ready;
  items->revents = static_cast<short>(items->revents | POLLIN);
  return 1;
}
