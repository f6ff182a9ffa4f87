#include "node/membership/awareness.h"

#include <gtest/gtest.h>

#include "test/node/membership/vocabulary.h"

namespace riftbus::membership {
namespace {

TEST(Awareness, StaysBetweenZeroAndSeven) {
  Awareness awareness(Seconds(3));
  awareness.worsen(10, kStart);
  EXPECT_EQ(awareness.score(), 7);
  EXPECT_EQ(awareness.factor(), 8);
  for (int i = 0; i < 10; ++i) awareness.improve();
  EXPECT_EQ(awareness.score(), 0);
  EXPECT_EQ(awareness.factor(), 1);
}

TEST(Awareness, ForgivesOneStepForEachSpellWithoutTrouble) {
  Awareness awareness(Seconds(3));
  awareness.worsen(2, kStart);
  EXPECT_EQ(awareness.next_deadline(), kStart + Seconds(3));
  awareness.advance(kStart + Millis(2999));
  EXPECT_EQ(awareness.score(), 2);
  awareness.advance(kStart + Seconds(3));
  EXPECT_EQ(awareness.score(), 1);
  awareness.advance(kStart + Seconds(60));
  EXPECT_EQ(awareness.score(), 0);
  EXPECT_EQ(awareness.next_deadline(), TimePoint::max());
}

TEST(Awareness, TroubleBeginsTheSpellAnew) {
  Awareness awareness(Seconds(3));
  awareness.worsen(1, kStart);
  awareness.worsen(1, kStart + Seconds(2));
  awareness.advance(kStart + Seconds(4));
  EXPECT_EQ(awareness.score(), 2);
}

}  // namespace
}  // namespace riftbus::membership
