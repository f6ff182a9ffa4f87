// The daemon dies, hangs or returns: what becomes of its jobs.
#include <filesystem>

#include "test/node/executor/runner_world.h"

namespace riftbus::executor {
namespace {

// Another process that starts a job as the daemon would, and then does nothing more. It is killed
// or stopped by the test.
pid_t start_in_another_process(const RunnerWorld& world, const jobs::Start& start,
                               const JobKind& kind) {
  const pid_t driver = fork();
  if (driver == 0) {
    Runner runner(world.options());
    if (!runner.open()) _exit(1);
    if (!std::holds_alternative<jobs::Started>(runner.start(start, kind))) _exit(2);
    for (;;) pause();
  }
  return driver;
}

void end(pid_t driver) {
  kill(driver, SIGKILL);
  waitpid(driver, nullptr, 0);
}

TEST(Recover, AJobOutlivesItsDaemonAndIsAdopted) {
  RunnerWorld world;
  Gate gate(world.directory / "go");
  const auto kind =
      RunnerWorld::shell("echo $$ > pid; " + gate.wait() + "printf done > \"$RIFTBUS_RESULT\"");
  auto start = RunnerWorld::start_of(1, kind);
  start.stop_at = bus::boot_now() + kPatience * 2;
  world.started.push_back(start.hold);
  const auto driver = start_in_another_process(world, start, kind);
  const auto pid = world.wait_for_pid(start.hold, "pid");
  end(driver);
  EXPECT_TRUE(is_alive(pid));
  const auto found = *world.runner.recover();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].hold, start.hold);
  EXPECT_EQ(found[0].kind, "shell");
  EXPECT_EQ(found[0].stop_at, start.stop_at);
  EXPECT_EQ(found[0].terms.lease_ms, start.grant.terms.lease_ms);
  EXPECT_FALSE(found[0].ended);
  gate.open();
  const auto exit = world.wait_end(start.hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->result, "done");
}

TEST(Recover, AnEndThatNobodySawIsFound) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell("exit 9");
  const auto start = RunnerWorld::start_of(1, kind);
  world.started.push_back(start.hold);
  const auto driver = start_in_another_process(world, start, kind);
  ASSERT_TRUE(wait_until([&] {
    const auto state = read_state(world.folder + "/" + folder_name(start.hold));
    return state && state->ended;
  }));
  end(driver);
  Runner again(world.options());
  ASSERT_TRUE(again.open().ok());
  std::vector<jobs::FoundJob> found;
  // riftbus-job writes the end just before it goes.
  ASSERT_TRUE(wait_until([&] {
    found = *again.recover();
    return found.size() == 1 && found[0].ended;
  }));
  EXPECT_EQ(found[0].exit.code, 9);
}

TEST(Recover, TheLeaseEndsTheJobWhileTheDaemonIsStopped) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell("trap '' TERM; echo $$ > pid; while :; do sleep 1000; done");
  auto start = RunnerWorld::start_of(1, kind);
  start.stop_at = bus::boot_now() + Seconds{4};
  world.started.push_back(start.hold);
  const auto driver = start_in_another_process(world, start, kind);
  const auto pid = world.wait_for_pid(start.hold, "pid");
  kill(driver, SIGSTOP);
  ASSERT_TRUE(wait_until([&] { return !is_alive(pid); }));
  EXPECT_GE(bus::boot_now(), start.stop_at);
  ASSERT_TRUE(wait_until([&] {
    const auto state = read_state(world.folder + "/" + folder_name(start.hold));
    return state && state->ended;
  }));
  const auto state = read_state(world.folder + "/" + folder_name(start.hold));
  EXPECT_EQ(state->exit.cause, Cause::lease);
  end(driver);
}

TEST(Recover, WhoSleptThroughTheEndOfTheLeaseHasNoGraceLeftWhateverItIsStoppedFor) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell(
      "trap '' TERM; echo $PPID > warden; echo $$ > pid; while :; do sleep 1000; done");
  auto start = RunnerWorld::start_of(1, kind);
  start.kill_grace = kPatience * 2;
  const auto hold = world.start(start, kind);
  const auto pid = world.wait_for_pid(hold, "pid");
  const auto warden = world.wait_for_pid(hold, "warden");
  kill(warden, SIGSTOP);
  EXPECT_TRUE(world.runner.extend(hold, bus::boot_now() - start.kill_grace));
  EXPECT_TRUE(world.runner.stop(hold, Cause::evict));
  EXPECT_TRUE(is_alive(pid));
  kill(warden, SIGCONT);
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::evict);
  EXPECT_FALSE(is_alive(pid));
}

TEST(Recover, ARenewedLeaseLetsItRunOnAndIsRememberedForTheNextDaemon) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell("echo $$ > pid; exec sleep 1000");
  const auto hold = world.start(RunnerWorld::start_of(1, kind), kind);
  const auto pid = world.wait_for_pid(hold, "pid");
  const auto first = bus::boot_now() + Seconds{1};
  EXPECT_TRUE(world.runner.extend(hold, first));
  const auto later = bus::boot_now() + kPatience * 2;
  EXPECT_TRUE(world.runner.extend(hold, later));
  ASSERT_TRUE(wait_until([&] { return bus::boot_now() > first + Millis{200}; }));
  EXPECT_TRUE(is_alive(pid));
  Runner again(world.options());
  ASSERT_TRUE(again.open().ok());
  const auto found = *again.recover();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].stop_at, later);
}

TEST(Recover, WhenRiftbusJobIsKilledNothingOfTheJobIsLeft) {
  RunnerWorld world;
  const auto hold =
      world.start(RunnerWorld::shell("setsid sh -c 'echo $$ > escaped; exec sleep 1000' & echo "
                                     "$PPID > warden; echo $$ > pid; wait"));
  const auto pid = world.wait_for_pid(hold, "pid");
  const auto warden = world.wait_for_pid(hold, "warden");
  const auto escaped = world.wait_for_pid(hold, "escaped");
  kill(warden, SIGKILL);
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::runner_failed);
  EXPECT_FALSE(is_alive(pid));
  EXPECT_FALSE(is_alive(escaped));
}

TEST(Recover, AfterBothWereKilledTheRemainsAreClearedAndNothingIsHeld) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell(
      "setsid sh -c 'echo $$ > escaped; exec sleep 1000' & echo $PPID > warden; wait");
  const auto start = RunnerWorld::start_of(1, kind);
  world.started.push_back(start.hold);
  const auto driver = start_in_another_process(world, start, kind);
  const auto escaped = world.wait_for_pid(start.hold, "escaped");
  const auto warden = world.wait_for_pid(start.hold, "warden");
  end(driver);
  kill(warden, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return !is_alive(warden); }));
  EXPECT_TRUE(world.runner.recover()->empty());
  EXPECT_FALSE(is_alive(escaped));
  EXPECT_FALSE(std::filesystem::exists(world.path(start.hold, "")));
}

TEST(Recover, AReusedPidIsLeftAlone) {
  RunnerWorld world;
  const Bystander bystander;
  const auto started = start_time_of(bystander.pid());
  world.record_job_of(bystander.pid(), started - 1, boot_id());
  EXPECT_TRUE(world.runner.recover()->empty());
  EXPECT_TRUE(is_alive(bystander.pid()));
  // The same record with the right start time names that very process.
  world.record_job_of(bystander.pid(), started, boot_id());
  // Its parent must take it away for the remains to be gone.
  signal(SIGCHLD, SIG_IGN);
  EXPECT_TRUE(world.runner.recover()->empty());
  signal(SIGCHLD, SIG_DFL);
  EXPECT_FALSE(is_alive(bystander.pid()));
}

TEST(Recover, ARecordOfAnEarlierBootIsNotHeld) {
  RunnerWorld world;
  const Hold hold{work::WorkId(1), work::Fence(101)};
  const auto folder = world.folder + "/" + folder_name(hold);
  std::filesystem::create_directories(folder);
  const auto kind = RunnerWorld::shell("true");
  auto spec = make_spec(RunnerWorld::start_of(1, kind), kind, "w1");
  spec.boot_id = "another";
  ASSERT_TRUE(write_spec(folder, spec).ok());
  JobState state;
  state.ended = true;
  ASSERT_TRUE(write_state(folder, state).ok());
  EXPECT_TRUE(world.runner.recover()->empty());
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(Recover, DamagedRecordsAreClearedAway) {
  RunnerWorld world;
  for (const auto* text : {"", "{", "[]", "{\"id\": -1}", "{\"id\": \"x\"}"}) {
    const Hold hold{work::WorkId(5), work::Fence(6)};
    const auto folder = world.folder + "/" + folder_name(hold);
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/spec.json") << text;
    std::ofstream(folder + "/state.json") << text;
    EXPECT_TRUE(world.runner.recover()->empty()) << text;
    EXPECT_FALSE(std::filesystem::exists(folder)) << text;
  }
}

TEST(JobFiles, FolderNamesAreReadBackAndNothingElseIs) {
  const Hold hold{work::WorkId(17), work::Fence(1ULL << 50U)};
  EXPECT_EQ(parse_folder_name(folder_name(hold)), hold);
  for (const auto* name : {"", "-", "1", "1-", "-1", "1-2x", "wake", "a-b", "1-2-3"}) {
    EXPECT_EQ(parse_folder_name(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace riftbus::executor
