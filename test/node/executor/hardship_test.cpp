// Slow and full disks, and readers that are gone: the job is neither lost nor left alone.
#include <filesystem>

#include "test/node/executor/runner_world.h"

namespace riftbus::executor {
namespace {

TEST(Hardship, AJobThatStartsTooSlowlyToSaySoIsWatchedAllTheSame) {
  RunnerWorld world;
  Runner runner(world.helped_by("\"$JOB\" \"$1\"; exit 75\n"));
  ASSERT_TRUE(runner.open().ok());
  const auto kind = RunnerWorld::shell("echo $$ > pid; exec sleep 1000");
  const auto start = RunnerWorld::start_of(1, kind);
  world.started.push_back(start.hold);
  EXPECT_TRUE(std::holds_alternative<jobs::Started>(runner.start(start, kind)));
  EXPECT_TRUE(is_alive(world.wait_for_pid(start.hold, "pid")));
  runner.stop(start.hold, Cause::cancel);
  const auto exit = world.wait_end(runner, start.hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::cancel);
}

TEST(Hardship, ARiftbusJobThatComesTooLateStartsNothing) {
  RunnerWorld world;
  Runner runner(world.helped_by("exit 75\n"));
  ASSERT_TRUE(runner.open().ok());
  const auto kind = RunnerWorld::shell("true");
  const auto start = RunnerWorld::start_of(1, kind);
  world.started.push_back(start.hold);
  const auto event = runner.start(start, kind);
  ASSERT_TRUE(std::holds_alternative<jobs::Ended>(event));
  EXPECT_FALSE(std::get<jobs::Ended>(event).exit.started);
  const auto folder = world.folder + "/" + folder_name(start.hold);
  const pid_t late = fork();
  if (late == 0) {
    execl(find_helper().c_str(), "riftbus-job", folder.c_str(), nullptr);
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(late, &status, 0), late);
  EXPECT_EQ(WEXITSTATUS(status), 75);
  EXPECT_FALSE(std::filesystem::exists(folder + "/state.json"));
}

TEST(Hardship, AWriteToAReaderThatIsGoneDoesNotEndTheJob) {
  RunnerWorld world;
  const auto exit =
      world.wait_end(world.start(RunnerWorld::shell("kill -PIPE $PPID; kill -XFSZ $PPID; exit 4")));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::itself);
  EXPECT_EQ(exit->code, 4);
}

TEST(Hardship, AnEndThatCannotBeWrittenIsWrittenLater) {
  RunnerWorld world;
  Gate gate(world.directory / "go");
  const auto hold =
      world.start(RunnerWorld::shell("echo $PPID > warden; " + gate.wait() + "exit 5"));
  const auto warden = world.wait_for_pid(hold, "warden");
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(world.path(hold, "state.json")); }));
  EXPECT_EQ(std::filesystem::file_size(world.path(hold, "reserve")), 64U * 1024U);
  // Every write fails now, as on a full disk.
  rlimit before{};
  rlimit none{0, RLIM_INFINITY};
  ASSERT_EQ(prlimit(warden, RLIMIT_FSIZE, nullptr, &before), 0);
  none.rlim_max = before.rlim_max;
  ASSERT_EQ(prlimit(warden, RLIMIT_FSIZE, &none, nullptr), 0);
  gate.open();
  ASSERT_TRUE(wait_until([&] { return !std::filesystem::exists(world.path(hold, "reserve")); }));
  for (const auto& event : world.runner.look()) {
    EXPECT_FALSE(std::holds_alternative<jobs::Ended>(event));
  }
  EXPECT_TRUE(is_alive(warden));
  ASSERT_EQ(prlimit(warden, RLIMIT_FSIZE, &before, nullptr), 0);
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::itself);
  EXPECT_EQ(exit->code, 5);
}

}  // namespace
}  // namespace riftbus::executor
