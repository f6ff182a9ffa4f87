// When it cannot be told whether a job is over: it is not.
#include <filesystem>

#include "test/node/executor/runner_world.h"

namespace riftbus::executor {
namespace {

TEST(Doubt, WithoutADescriptorNoJobCountsAsDead) {
  RunnerWorld world;
  const auto hold = world.start(RunnerWorld::shell("echo $$ > pid; exec sleep 1000"));
  const auto pid = world.wait_for_pid(hold, "pid");
  static_cast<void>(world.runner.look());
  {
    const FewDescriptors none(0);
    EXPECT_TRUE(world.runner.look().empty());
    EXPECT_FALSE(kill_remains(world.path(hold, ""), 0, 0));
  }
  EXPECT_TRUE(is_alive(pid));
  EXPECT_EQ(world.runner.size(), 1U);
  EXPECT_TRUE(world.runner.stop(hold, Cause::cancel));
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::cancel);
}

TEST(Doubt, AJobIsWatchedUntilNothingOfItIsLeft) {
  RunnerWorld world;
  const auto hold = world.start(
      RunnerWorld::shell("setsid sh -c 'echo $$ > escaped; exec sleep 1000' & echo $PPID > warden;"
                         "wait"));
  const auto escaped = world.wait_for_pid(hold, "escaped");
  const auto warden = world.wait_for_pid(hold, "warden");
  kill(warden, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return !is_alive(warden); }));
  {
    const FewDescriptors one(1);  // for the lock, and none for /proc
    EXPECT_TRUE(world.runner.look().empty());
    EXPECT_EQ(world.runner.size(), 1U);
  }
  EXPECT_TRUE(is_alive(escaped));
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::runner_failed);
  EXPECT_FALSE(is_alive(escaped));
}

TEST(Doubt, AnotherLifeOfTheDaemonAdoptsWhatItCannotTellDead) {
  RunnerWorld world;
  const auto hold = world.start(RunnerWorld::shell("echo $$ > pid; exec sleep 1000"));
  const auto pid = world.wait_for_pid(hold, "pid");
  const auto lock = world.path(hold, "lock");
  std::filesystem::rename(lock, lock + ".aside");
  std::filesystem::create_symlink("lock", lock);  // of itself: cannot be opened
  Runner again(world.options());
  ASSERT_TRUE(again.open().ok());
  const auto found = *again.recover();
  EXPECT_EQ(found.size(), 1U);
  EXPECT_TRUE(again.look().empty());
  EXPECT_TRUE(is_alive(pid));
  std::filesystem::rename(lock + ".aside", lock);
  EXPECT_TRUE(again.stop(hold, Cause::evict));
  const auto exit = world.wait_end(again, hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::evict);
}

TEST(Doubt, APidOfAnEarlierBootNamesSomebodyElse) {
  RunnerWorld world;
  const Bystander bystander;
  world.record_job_of(bystander.pid(), start_time_of(bystander.pid()), "another boot");
  EXPECT_TRUE(world.runner.recover()->empty());
  EXPECT_TRUE(is_alive(bystander.pid()));
}

}  // namespace
}  // namespace riftbus::executor
