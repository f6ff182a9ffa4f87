#include "tunnel/session/way_back.h"

#include <gtest/gtest.h>

namespace riftbus::tunnel {
namespace {

struct WayBackTest : testing::Test {
  Nanos next_pause() {
    const Nanos pause = way_back.due() - now;
    now = way_back.due();
    EXPECT_FALSE(way_back.take(now - Nanos(1)));
    EXPECT_TRUE(way_back.take(now));
    return pause;
  }

  Random random{3};
  WayBack way_back{random};
  TimePoint now{Seconds(1000)};
};

TEST_F(WayBackTest, WhereNothingIsCarriedNothingIsTried) {
  EXPECT_EQ(way_back.due(), TimePoint::max());
  EXPECT_FALSE(way_back.take(now));
  way_back.look(true, now);
  way_back.look(false, now);
  EXPECT_FALSE(way_back.take(now + WayBack::kPauseMax));
}

TEST_F(WayBackTest, TrialsGrowRarerAndNeverStop) {
  way_back.look(true, now);
  Nanos longest = WayBack::kPauseMin;
  for (int i = 0; i < 50; ++i) {
    const Nanos pause = next_pause();
    EXPECT_GE(pause, longest / 2);
    EXPECT_LE(pause, longest);
    longest = std::min(2 * longest, WayBack::kPauseMax);
  }
  EXPECT_EQ(longest, WayBack::kPauseMax);
}

TEST_F(WayBackTest, ADirectSessionThatSoonEndsIsNotTriedMoreOften) {
  way_back.look(true, now);
  for (int i = 0; i < 5; ++i) next_pause();
  const auto come_back_after = [&](Nanos held) {
    way_back.look(false, now);
    now += held;
    way_back.look(true, now);
    return way_back.due() - now;
  };
  EXPECT_GT(come_back_after(WayBack::kHeld - Nanos(1)), WayBack::kPauseMin);
  EXPECT_LE(come_back_after(WayBack::kHeld), WayBack::kPauseMin);
}

TEST_F(WayBackTest, AnOperatorBeginsItAnew) {
  way_back.look(true, now);
  for (int i = 0; i < 5; ++i) next_pause();
  way_back.begin_anew();
  way_back.look(false, now);
  way_back.look(true, now);
  EXPECT_LE(way_back.due() - now, WayBack::kPauseMin);
}

}  // namespace
}  // namespace riftbus::tunnel
