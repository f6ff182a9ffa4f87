#include "node/membership/arrival.h"

#include <gtest/gtest.h>

namespace riftbus::membership {
namespace {

constexpr Nanos kSecond = Seconds(1);

// A sender whose uptime is 0 at our second 1000 and a link with a fixed latency of 20 ms.
class ArrivalTest : public testing::Test {
 protected:
  Arrival::Beat beat(Nanos sent, Nanos queued = Nanos::zero()) {
    return arrival_.on_beat(sent, kSecond, Millis(1500),
                            TimePoint(Seconds(1000)) + sent + Millis(20) + queued);
  }
  Arrival arrival_{kSecond};
};

TEST_F(ArrivalTest, BeginsWithOneAndAHalfIntervals) {
  EXPECT_EQ(arrival_.expected(), Millis(1500));
}

TEST_F(ArrivalTest, MeasuresTheDelayAgainstTheQuickestBeat) {
  EXPECT_EQ(beat(Seconds(1)).delay, Nanos::zero());
  const auto queued = beat(Seconds(2), Millis(300));
  EXPECT_NEAR(static_cast<double>(to_ms(queued.delay)), 300, 2);
  EXPECT_FALSE(queued.stale);
}

TEST_F(ArrivalTest, CallsABeatStaleThatWaitedLongerThanTheSilenceLimit) {
  beat(Seconds(1));
  const auto late = beat(Seconds(2), Seconds(20));
  EXPECT_TRUE(late.stale);
  EXPECT_FALSE(late.doubtful);
  EXPECT_FALSE(beat(Seconds(23)).stale) << "the next one on time is news again";
}

TEST_F(ArrivalTest, AStaleBeatTeachesNothingAboutTheRhythm) {
  for (int i = 1; i <= 20; ++i) beat(Seconds(i));
  const Nanos expected = arrival_.expected();
  beat(Seconds(21), Seconds(20));
  EXPECT_EQ(arrival_.expected(), expected);
}

TEST_F(ArrivalTest, CountsTheBeatsThatNeverCame) {
  beat(Seconds(1));
  EXPECT_EQ(beat(Seconds(2)).missed, 0U);
  EXPECT_EQ(beat(Seconds(5)).missed, 2U);
}

TEST_F(ArrivalTest, CountsTheMeanPerBeatSentNotPerBeatHeard) {
  for (int i = 1; i <= 60; i += 3) beat(Seconds(i));
  EXPECT_NEAR(static_cast<double>(to_ms(arrival_.mean())), 1000, 20);
}

TEST_F(ArrivalTest, GrowsPatientOnAJitteryLink) {
  for (int i = 1; i <= 40; ++i) beat(Seconds(i), i % 2 == 0 ? Millis(400) : Millis(0));
  EXPECT_GT(arrival_.expected(), Millis(2000));
}

TEST_F(ArrivalTest, OneStallDoesNotPoisonTheMean) {
  for (int i = 1; i <= 40; ++i) beat(Seconds(i));
  beat(Seconds(41), Millis(1400));
  beat(Seconds(42), Millis(400));
  for (int i = 43; i <= 60; ++i) beat(Seconds(i));
  EXPECT_LT(arrival_.expected(), Millis(1300));
}

TEST_F(ArrivalTest, ForgivesClocksThatDrift) {
  // The sender's clock runs 200 ppm slow: after a day the difference is 17 s.
  TimePoint now{Seconds(1000)};
  Nanos uptime{};
  int stale = 0;
  for (int i = 0; i < 86'400; i += 10) {
    now += Seconds(10);
    uptime += Millis(9998);
    if (arrival_.on_beat(uptime, kSecond, Millis(1500), now).stale) ++stale;
  }
  EXPECT_EQ(stale, 0);
}

TEST_F(ArrivalTest, AnAnswerCorrectsTheMeasureAfterTheSendersClockStoodStill) {
  for (int i = 1; i <= 10; ++i) beat(Seconds(i));
  // 20 s pass for us and none for it: all its beats look 20 s old.
  const auto frozen = [&](int i) {
    return arrival_.on_beat(Seconds(i), kSecond, Millis(1500), TimePoint(Seconds(1020 + i)));
  };
  EXPECT_TRUE(frozen(11).stale);
  arrival_.calibrate(Seconds(11), TimePoint(Seconds(1031)));
  EXPECT_FALSE(frozen(12).stale);
}

TEST_F(ArrivalTest, ANewLifeHasAnotherClock) {
  for (int i = 1; i <= 10; ++i) beat(Seconds(i));
  arrival_.restart(kSecond);
  const auto first = arrival_.on_beat(Seconds(1), kSecond, Millis(1500), TimePoint(Seconds(5000)));
  EXPECT_FALSE(first.stale);
}

TEST_F(ArrivalTest, AnAnswerThatWaitedIsAsOldAsItsUptimeSays) {
  for (int i = 1; i <= 10; ++i) beat(Seconds(i));
  const TimePoint asked(Seconds(1010));
  EXPECT_LE(arrival_.waited(Seconds(10), asked, asked + Millis(20)), Millis(20));
  EXPECT_GE(arrival_.waited(Seconds(10), asked, asked + Seconds(15)), Seconds(14));
}

TEST_F(ArrivalTest, AnUnmeasuredAnswerIsAsOldAsItsQuestion) {
  const TimePoint asked(Seconds(1010));
  EXPECT_EQ(arrival_.waited(Seconds(10), asked, asked + Seconds(15)), Seconds(15));
}

TEST_F(ArrivalTest, AnOverdueFirstBeatProvesNothingUntilAnotherFollowsInItsRhythm) {
  const TimePoint linked(Seconds(100));
  arrival_.expect_by(linked + 2 * kSecond);
  const auto heard = [&](Nanos uptime, Nanos after) {
    return arrival_.on_beat(uptime, kSecond, Millis(1500), linked + after).stale;
  };
  // Three beats waited while the network was cut, and come in a burst; the next one is live.
  const auto first = arrival_.on_beat(Seconds(1), kSecond, Millis(1500), linked + Seconds(11));
  EXPECT_TRUE(first.stale);
  EXPECT_TRUE(first.doubtful) << "nothing says yet that it waited";
  EXPECT_TRUE(heard(Seconds(2), Seconds(11)));
  EXPECT_TRUE(heard(Seconds(3), Millis(11'010)));
  EXPECT_TRUE(heard(Seconds(12), Millis(11'500)));
  EXPECT_FALSE(heard(Seconds(13), Millis(12'450)));
}

TEST_F(ArrivalTest, AFirstBeatInTimeIsItsOwnMeasure) {
  const TimePoint linked(Seconds(100));
  arrival_.expect_by(linked + 2 * kSecond);
  EXPECT_FALSE(arrival_.on_beat(Seconds(1), kSecond, Millis(1500), linked + Seconds(1)).stale);
}

}  // namespace
}  // namespace riftbus::membership
