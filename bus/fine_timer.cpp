#include "bus/fine_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "config/check.h"

namespace riftbus::bus {

namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

}  // namespace

FineTimer::FineTimer() : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  RIFTBUS_CHECK(fd_ >= 0);
}

FineTimer::~FineTimer() { ::close(fd_); }

void FineTimer::arm(Nanos span) const {
  const std::int64_t count = std::max<std::int64_t>(span.count(), 1);  // 0 would disarm it
  itimerspec when{};
  when.it_value = {count / kNanosPerSecond, count % kNanosPerSecond};
  RIFTBUS_CHECK(::timerfd_settime(fd_, 0, &when, nullptr) == 0);
}

void FineTimer::clear() const {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto count = ::read(fd_, &expirations, sizeof expirations);
}

}  // namespace riftbus::bus
