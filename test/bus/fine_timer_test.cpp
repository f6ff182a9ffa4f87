#include "bus/fine_timer.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>

#include "bus/clock.h"

namespace riftbus::bus {
namespace {

bool is_readable(const FineTimer& timer, int patience_ms) {
  pollfd item{timer.descriptor(), POLLIN, 0};
  return ::poll(&item, 1, patience_ms) == 1;
}

TEST(FineTimer, WakesWithinAMillisecond) {
  const FineTimer timer;
  Nanos best = Seconds(1);
  for (int i = 0; i < 50; ++i) {  // a busy machine may be late now and then
    const TimePoint began = boot_now();
    timer.arm(Nanos(100'000));
    ASSERT_TRUE(is_readable(timer, 10'000));
    timer.clear();
    EXPECT_FALSE(is_readable(timer, 0));
    const Nanos took = boot_now() - began;
    EXPECT_GE(took, Nanos(100'000));
    best = std::min(best, took);
  }
  EXPECT_LT(best, Millis(1));
}

TEST(FineTimer, WhatIsArmedLaterReplacesWhatWasArmedBefore) {
  const FineTimer timer;
  timer.arm(Seconds(3600));
  timer.arm(Nanos(0));  // at once
  EXPECT_TRUE(is_readable(timer, 10'000));
}

}  // namespace
}  // namespace riftbus::bus
