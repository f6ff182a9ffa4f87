#include "bus/ssh/allotment.h"

#include <gtest/gtest.h>

namespace riftbus::ssh {
namespace {

// Hands over what is allotted, `rate` bytes a second, for so long.
void run(Allotment& allotment, TimePoint& now, std::int64_t rate, Nanos span, bool is_congested) {
  for (const TimePoint end = now + span; now < end;) {
    const auto bytes = static_cast<std::int64_t>(allotment.bytes());
    now += Nanos(bytes * Nanos(Seconds(1)).count() / rate);
    if (is_congested) allotment.on_congested();
    allotment.on_written(static_cast<std::size_t>(bytes), now);
  }
}

TEST(Allotment, ASlowLinkIsGivenWhatItGetsRidOfInTwoMilliseconds) {
  Allotment allotment;
  TimePoint now{Seconds(100)};
  EXPECT_EQ(allotment.bytes(), Allotment::kMost);
  run(allotment, now, 2'500'000, Seconds(1), true);
  EXPECT_NEAR(static_cast<double>(allotment.bytes()), 5000, 500);
}

TEST(Allotment, AVerySlowOneIsNotGivenCrumbs) {
  Allotment allotment;
  TimePoint now{Seconds(100)};
  run(allotment, now, 100'000, Seconds(2), true);
  EXPECT_EQ(allotment.bytes(), Allotment::kLeast);
}

TEST(Allotment, AFastLinkAndOneThatNeverWaitsAreNotRestrained) {
  Allotment congested;
  Allotment idle;
  TimePoint now{Seconds(100)};
  run(congested, now, 500'000'000, Seconds(1), true);
  EXPECT_EQ(congested.bytes(), Allotment::kMost);
  run(idle, now, 1'000'000, Seconds(1), false);
  EXPECT_EQ(idle.bytes(), Allotment::kMost);
}

TEST(Allotment, APauseIsNoSlowLink) {
  Allotment allotment;
  TimePoint now{Seconds(100)};
  run(allotment, now, 500'000'000, Seconds(1), true);
  now += Seconds(60);
  allotment.on_congested();
  EXPECT_FALSE(allotment.on_written(1000, now));
  EXPECT_EQ(allotment.bytes(), Allotment::kMost);
}

TEST(Allotment, ALinkThatBecomesQuickIsSoonGivenMore) {
  Allotment allotment;
  TimePoint now{Seconds(100)};
  run(allotment, now, 2'500'000, Seconds(1), true);
  run(allotment, now, 250'000'000, Millis(200), true);
  EXPECT_EQ(allotment.bytes(), Allotment::kMost);
}

}  // namespace
}  // namespace riftbus::ssh
