// The small parts of the simulated world: order of time, disks, clocks, innocence.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "test/sim/disk.h"
#include "test/sim/host_clock.h"
#include "test/sim/schedule.h"
#include "test/sim/truth.h"

namespace riftbus::sim {
namespace {

TEST(Schedule, DoesWhatIsDueAtOneTimeInTheOrderOfAsking) {
  Schedule schedule;
  std::string done;
  schedule.after(Millis(2), [&] { done += "c"; });
  schedule.after(Millis(1), [&] {
    done += "a";
    schedule.after(Nanos(0), [&] { done += "b"; });
  });
  schedule.after(Millis(2), [&] { done += "d"; });
  EXPECT_TRUE(schedule.run_until(TimePoint(Seconds(1))));
  EXPECT_EQ(done, "abcd");
  EXPECT_EQ(schedule.now(), TimePoint(Seconds(1)));
}

TEST(Schedule, GivesUpOnSomethingThatSpins) {
  Schedule schedule;
  std::function<void()> spin = [&] { schedule.after(Nanos(0), spin); };
  schedule.after(Nanos(0), spin);
  schedule.set_jobs_max(1000);
  EXPECT_FALSE(schedule.run_until(TimePoint(Seconds(1))));
}

TEST(Seeds, OfDifferentPartsDiffer) {
  EXPECT_NE(split_seed(1, 2, 3), split_seed(1, 3, 2));
  EXPECT_NE(split_seed(1, 2, 3), split_seed(2, 2, 3));
  EXPECT_EQ(split_seed(1, 2, 3), split_seed(1, 2, 3));
}

TEST(Disk, ConfirmsAWriteOnlyWhenACrashCannotTakeItBack) {
  Schedule schedule;
  Disk disk(schedule, DiskOptions{Millis(5), Millis(5)}, 1);
  int confirmed = 0;
  disk.store("x", 1, [&] { ++confirmed; });
  EXPECT_EQ(disk.load("x"), 0U);
  schedule.run_until(TimePoint(Millis(6)));
  EXPECT_EQ(confirmed, 1);
  disk.crash();
  EXPECT_EQ(disk.load("x"), 1U);
  disk.wipe();
  EXPECT_EQ(disk.load("x"), 0U);
}

TEST(Disk, KeepsSomePrefixOfUnconfirmedWritesWhenTheProcessDies) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 1; seed <= 64; ++seed) {
    Schedule schedule;
    Disk disk(schedule, DiskOptions{Millis(5), Millis(5)}, seed);
    int confirmed = 0;
    disk.store("x", 1, [&] { ++confirmed; });
    disk.store("x", 2, [&] { ++confirmed; });
    disk.crash();
    seen.insert(disk.load("x"));
    schedule.run_until(TimePoint(Seconds(1)));
    EXPECT_EQ(confirmed, 0);
  }
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2}));
}

TEST(HostClock, NeverShowsALaterDeadlineTooEarly) {
  for (const std::int64_t ppm : {-5000, -50, 0, 50, 5000}) {
    const HostClock clock(Seconds(123), ppm);
    for (std::int64_t ms = 0; ms < 10'000'000; ms += 7'777) {
      const TimePoint local(Seconds(123) + Millis(ms));
      EXPECT_GE(clock.local(clock.to_virtual(local)), local);
    }
  }
}

class TruthTest : public ::testing::Test {
 protected:
  TruthTest() {
    for (int i = 0; i < 6; ++i) {
      network.add_host();
      truth.add_host();
      truth.set_running(static_cast<HostIndex>(i), true, at(0));
    }
  }
  static TimePoint at(int s) { return TimePoint(Seconds(s)); }
  Network network{LinkOptions{}, 1};
  Truth truth{Millis(750), Seconds(15)};
};

TEST_F(TruthTest, OneBrokenLinkIsNoExcuseForADeath) {
  network.cut(0, 1);
  network.cut(1, 0);
  truth.look_at(network, at(10));
  EXPECT_TRUE(truth.is_innocent(0, at(11)));
  network.cut(0, 2);
  truth.look_at(network, at(12));
  EXPECT_FALSE(truth.is_innocent(0, at(13)));
}

TEST_F(TruthTest, TroubleExcusesForAGracePeriodAfterItsEnd) {
  network.set_colour(0, 1);
  truth.look_at(network, at(10));
  truth.look_at(network, at(60));
  network.mend_all();
  truth.look_at(network, at(60));
  EXPECT_FALSE(truth.is_innocent(0, at(74)));
  EXPECT_TRUE(truth.is_innocent(0, at(76)));
}

TEST_F(TruthTest, AShortStopIsNoExcuseALongOneIs) {
  truth.on_stopped(0, at(10));
  EXPECT_TRUE(truth.is_innocent(0, at(10)));
  EXPECT_FALSE(truth.is_innocent(0, at(12)));
  truth.on_continued(0, at(12));
  EXPECT_FALSE(truth.is_innocent(0, at(20)));
  EXPECT_TRUE(truth.is_innocent(0, at(28)));
}

}  // namespace
}  // namespace riftbus::sim
