#include "bus/rate.h"

#include <gtest/gtest.h>

#include "test/bus/vocabulary.h"

namespace riftbus::bus {
namespace {

using test::kStart;

TEST(TokenBucket, GivesItsBurstAndThenItsRate) {
  TokenBucket bucket(10, 5);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(kStart)) << i;
  EXPECT_FALSE(bucket.take(kStart));
  EXPECT_FALSE(bucket.take(kStart + Millis(99)));
  EXPECT_TRUE(bucket.take(kStart + Millis(100)));
  EXPECT_FALSE(bucket.take(kStart + Millis(100)));
}

TEST(TokenBucket, NeverHoldsMoreThanItsBurst) {
  TokenBucket bucket(10, 5);
  int taken = 0;
  while (bucket.take(kStart + Seconds(3600))) ++taken;
  EXPECT_EQ(taken, 5);
}

TEST(TokenBucket, RefusesAnAmountAboveTheBurstForEver) {
  TokenBucket bucket(1000, 100);
  EXPECT_FALSE(bucket.take(kStart + Seconds(1000), 101));
  EXPECT_TRUE(bucket.take(kStart + Seconds(1000), 100));
}

TEST(TokenBucket, ARefusedAmountCostsNothing) {
  TokenBucket bucket(10, 5);
  EXPECT_FALSE(bucket.take(kStart, 6));
  EXPECT_TRUE(bucket.take(kStart, 5));
}

TEST(OriginRate, TellsAFloodingOriginOnceASecond) {
  OriginRate rate(TokenBucket(10, 1), TokenBucket(1 << 20, 1 << 20));
  EXPECT_EQ(rate.judge(kStart, 100), RateVerdict::accept);
  EXPECT_EQ(rate.judge(kStart, 100), RateVerdict::drop_and_tell);
  EXPECT_EQ(rate.judge(kStart + Millis(10), 100), RateVerdict::drop);
  EXPECT_EQ(rate.judge(kStart + Millis(100), 100), RateVerdict::accept);
  EXPECT_EQ(rate.judge(kStart + Millis(999), 100), RateVerdict::accept);
  EXPECT_EQ(rate.judge(kStart + Millis(1000), 100), RateVerdict::drop_and_tell);
}

TEST(OriginRate, CountsBytesAsWellAsMessages) {
  OriginRate rate(TokenBucket(1000, 1000), TokenBucket(1000, 1000));
  EXPECT_EQ(rate.judge(kStart, 900), RateVerdict::accept);
  EXPECT_EQ(rate.judge(kStart, 900), RateVerdict::drop_and_tell);
  EXPECT_EQ(rate.judge(kStart + Millis(800), 900), RateVerdict::accept);
}

}  // namespace
}  // namespace riftbus::bus
