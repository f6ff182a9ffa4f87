// Jobs as real processes: how they begin, how they end, and what bounds them.
#include "node/executor/runner.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <filesystem>

#include "test/node/executor/runner_world.h"

namespace riftbus::executor {
namespace {

TEST(Runner, AProgramGetsItsPayloadAndGivesAResult) {
  RunnerWorld world;
  const auto hold =
      world.start(RunnerWorld::shell("cat > copy; cat \"$RIFTBUS_PAYLOAD\" > \"$RIFTBUS_RESULT\";"
                                     "echo 40 > \"$RIFTBUS_PROGRESS\"; echo said; echo cried >&2;"
                                     "test \"$RIFTBUS_WORK_ID-$RIFTBUS_FENCE\" = 1-101"),
                  "work to do");
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::itself);
  EXPECT_EQ(exit->code, 0);
  EXPECT_EQ(exit->result, "work to do");
  EXPECT_EQ(exit->percent, 40);
  EXPECT_EQ(exit->tail, "cried\n");
  EXPECT_EQ(slurp(world.work(hold, "copy")), "work to do");
  EXPECT_EQ(*read_output(world.folder, hold.id, false, 100), "said\n");
  EXPECT_EQ(*read_output(world.folder, hold.id, true, 3), "ed\n");
}

TEST(Runner, ExitStatusAndSignalAreTold) {
  RunnerWorld world;
  const auto coded = world.wait_end(world.start(RunnerWorld::shell("echo why >&2; exit 3")));
  ASSERT_TRUE(coded);
  EXPECT_EQ(coded->code, 3);
  EXPECT_EQ(coded->tail, "why\n");
  const auto killed = world.wait_end(world.start(RunnerWorld::shell("kill -SEGV $$")));
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->signal, SIGSEGV);
}

TEST(Runner, AProgramThatCannotBeExecutedIsToldApartFromOneThatFailed) {
  RunnerWorld world;
  JobKind kind = RunnerWorld::shell("");
  kind.command = {"/nonexistent/program"};
  const auto exit = world.wait_end(world.start(kind));
  ASSERT_TRUE(exit);
  EXPECT_FALSE(exit->started);
  EXPECT_EQ(exit->tail, "cannot execute /nonexistent/program: No such file or directory");
  kind = RunnerWorld::shell("true");
  kind.working_dir = "/nonexistent";
  EXPECT_FALSE(world.wait_end(world.start(kind))->started);
}

TEST(Runner, AMissingHelperIsAnEndAndNoSilence) {
  RunnerWorld world;
  auto options = world.options();
  options.helper = "/nonexistent/riftbus-job";
  Runner runner(options);
  EXPECT_EQ(runner.open().error().code, kNoHelper);
  const auto kind = RunnerWorld::shell("true");
  const auto event = runner.start(RunnerWorld::start_of(77, kind), kind);
  ASSERT_TRUE(std::holds_alternative<jobs::Ended>(event));
  EXPECT_FALSE(std::get<jobs::Ended>(event).exit.started);
}

TEST(Runner, NothingOfTheDaemonIsInherited) {
  RunnerWorld world;
  const int open_here = dup(1);  // without FD_CLOEXEC, as a careless library would
  setpriority(PRIO_PROCESS, 0, 3);
  auto kind = RunnerWorld::shell(
      "ls /proc/self/fd | wc -l > fds; nice > nice; ps -o sid= -p $$ | tr -d ' ' > sid;"
      "cat /proc/self/oom_score_adj > oom; ulimit -c > core; env | cut -d= -f1 > names; echo $$ > "
      "pid");
  kind.nice = 7;
  kind.environment["EXTRA"] = "1";
  setenv("DAEMON_SECRET", "1", 1);
  const auto hold = world.start(kind);
  unsetenv("DAEMON_SECRET");
  close(open_here);
  setpriority(PRIO_PROCESS, 0, 0);
  ASSERT_TRUE(world.wait_end(hold));
  EXPECT_EQ(slurp(world.work(hold, "fds")), "4\n");  // three, and the listing's own
  EXPECT_EQ(slurp(world.work(hold, "nice")), "7\n");
  EXPECT_EQ(slurp(world.work(hold, "sid")), slurp(world.work(hold, "pid")));
  EXPECT_EQ(slurp(world.work(hold, "oom")), "0\n");
  EXPECT_EQ(slurp(world.work(hold, "core")), "0\n");
  const auto names = slurp(world.work(hold, "names"));
  EXPECT_NE(names.find("EXTRA\n"), std::string::npos);
  EXPECT_EQ(names.find("DAEMON_SECRET"), std::string::npos);
}

TEST(Runner, AKindsEnvironmentReplacesTheDaemons) {
  RunnerWorld world;
  JobKind kind = RunnerWorld::shell("");
  kind.command = {"/usr/bin/env"};
  kind.environment = {{"PATH", "/own"}, {"RIFTBUS_NODE", "not this one"}};
  const auto hold = world.start(kind);
  ASSERT_TRUE(world.wait_end(hold));
  std::istringstream lines(*read_output(world.folder, hold.id, false, 100'000));
  std::multimap<std::string, std::string> all;
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    all.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  EXPECT_EQ(all.count("PATH"), 1U);
  EXPECT_EQ(all.find("PATH")->second, "/own");
  EXPECT_EQ(all.count("RIFTBUS_NODE"), 1U);
  EXPECT_EQ(all.find("RIFTBUS_NODE")->second, "w1");
}

TEST(Runner, ProgressAndCheckpointsAreSeenWhileItRuns) {
  RunnerWorld world;
  const auto hold = world.start(RunnerWorld::shell(
      "echo 30 > \"$RIFTBUS_PROGRESS\"; printf half > \"$RIFTBUS_CHECKPOINT\"; exec sleep 1000"));
  ASSERT_TRUE(wait_until([&] {
    for (const auto& event : world.runner.look()) {
      if (const auto* moved = std::get_if<jobs::Progressed>(&event)) {
        world.progress.push_back(*moved);
      }
    }
    return !world.progress.empty() && world.progress.back().checkpoint == "half";
  }));
  EXPECT_EQ(world.progress.back().percent, 30);
  EXPECT_TRUE(world.runner.stop(hold, Cause::preempt));
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->checkpoint, "half");
  EXPECT_EQ(exit->cause, Cause::preempt);
}

TEST(Runner, ACheckpointOfTheLastAttemptIsHandedOn) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell("cat \"$RIFTBUS_CHECKPOINT\" > got");
  auto start = RunnerWorld::start_of(1, kind);
  start.grant.checkpoint = "from before";
  const auto hold = world.start(start, kind);
  ASSERT_TRUE(world.wait_end(hold));
  EXPECT_EQ(slurp(world.work(hold, "got")), "from before");
}

TEST(Runner, AnAttemptThatTakesTooLongIsEnded) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell("echo began >&2; exec sleep 1000");
  auto start = RunnerWorld::start_of(1, kind);
  start.grant.terms.timeout_ms = 2000;
  const auto exit = world.wait_end(world.start(start, kind));
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::timeout);
  EXPECT_EQ(exit->tail, "stopped: one attempt took longer than timeout_s allows\nbegan\n");
}

TEST(Runner, WhatIgnoresTermIsKilledAfterItsGrace) {
  RunnerWorld world;
  const auto hold =
      world.start(RunnerWorld::shell("trap '' TERM; echo $$ > pid; while :; do sleep 1000; done"));
  const auto pid = world.wait_for_pid(hold, "pid");
  const auto asked = bus::boot_now();
  EXPECT_TRUE(world.runner.stop(hold, Cause::cancel));
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_GE(bus::boot_now() - asked, Millis{300});
  EXPECT_EQ(exit->signal, SIGKILL);
  EXPECT_EQ(exit->cause, Cause::cancel);
  EXPECT_FALSE(is_alive(pid));
}

TEST(Runner, ItsTermGivesAProgramTimeToWriteACheckpoint) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell(
      "trap 'printf saved > \"$RIFTBUS_CHECKPOINT\"; exit 0' TERM;"
      "echo $$ > pid; while :; do sleep 0.05; done");
  auto start = RunnerWorld::start_of(1, kind);
  start.kill_grace = kPatience;
  const auto hold = world.start(start, kind);
  static_cast<void>(world.wait_for_pid(hold, "pid"));
  EXPECT_TRUE(world.runner.stop(hold, Cause::preempt));
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 0);
  EXPECT_EQ(exit->checkpoint, "saved");
}

// A double fork into a session of its own: the classic escape of a daemon.
constexpr const char* kEscape =
    "setsid sh -c 'trap \"\" TERM HUP; (setsid sh -c \"echo \\$\\$ > escaped; trap \\\"\\\" TERM;"
    " while :; do sleep 1000; done\" &) ; exit 0' & wait; ";

TEST(Runner, WhatEscapedIsFoundWhenTheProgramEnds) {
  RunnerWorld world;
  const auto hold = world.start(RunnerWorld::shell(
      std::string(kEscape) + "while ! test -s escaped; do sleep 0.01; done; exit 0"));
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->code, 0);
  EXPECT_FALSE(is_alive(world.wait_for_pid(hold, "escaped")));
}

TEST(Runner, WhatEscapedIsFoundWhenTheJobIsStopped) {
  RunnerWorld world;
  const auto hold = world.start(RunnerWorld::shell(std::string(kEscape) + "exec sleep 1000"));
  const auto escaped = world.wait_for_pid(hold, "escaped");
  EXPECT_TRUE(is_alive(escaped));
  EXPECT_TRUE(world.runner.stop(hold, Cause::cancel));
  ASSERT_TRUE(world.wait_end(hold));
  EXPECT_FALSE(is_alive(escaped));
}

TEST(Runner, AFloodOfOutputKeepsItsLastPartWithinTheBound) {
  RunnerWorld world;
  auto kind = RunnerWorld::shell("yes flood | head -c 19999998; echo end; echo last words >&2");
  kind.output_mb_max = 1;
  const auto hold = world.start(kind);
  ASSERT_TRUE(world.wait_end(hold));
  const auto size = std::filesystem::file_size(world.path(hold, "stdout.log")) +
                    std::filesystem::file_size(world.path(hold, "stdout.log.1"));
  EXPECT_LE(size, 1024U * 1024U);
  EXPECT_GE(size, 512U * 1024U);
  EXPECT_EQ(*read_output(world.folder, hold.id, false, 10), "flood\nend\n");
}

TEST(Runner, AJobThatFillsTheDiskIsStopped) {
  RunnerWorld world;
  auto kind = RunnerWorld::shell(
      "i=0; while :; do i=$((i+1)); head -c 300000 /dev/zero > file$i; sleep 0.01; done");
  kind.disk_mb_max = 1;
  const auto hold = world.start(kind);
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::disk);
  world.runner.discard(hold);
  EXPECT_FALSE(std::filesystem::exists(world.path(hold, "")));
}

TEST(Runner, OneFileBeyondTheBoundIsRefusedByTheKernel) {
  RunnerWorld world;
  auto kind = RunnerWorld::shell("exec head -c 100000000 /dev/zero > big");
  kind.disk_mb_max = 1;
  const auto exit = world.wait_end(world.start(kind));
  ASSERT_TRUE(exit);
  EXPECT_TRUE(exit->signal == SIGXFSZ || exit->cause == Cause::disk || exit->code != 0);
}

TEST(Runner, ATooLongResultIsAFailureAndNotCutInSilence) {
  RunnerWorld world;
  const auto exit = world.wait_end(
      world.start(RunnerWorld::shell("head -c 20000 /dev/zero > \"$RIFTBUS_RESULT\"")));
  ASSERT_TRUE(exit);
  EXPECT_FALSE(exit->started);
  EXPECT_EQ(exit->tail, "its result is longer than 16384 bytes");
}

TEST(Runner, AFifoInPlaceOfAReportBlocksNobody) {
  RunnerWorld world;
  const auto hold =
      world.start(RunnerWorld::shell("mkfifo \"$RIFTBUS_PROGRESS\" \"$RIFTBUS_RESULT\"; ln -s "
                                     "/etc/hostname \"$RIFTBUS_CHECKPOINT\""));
  const auto exit = world.wait_end(hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->result, "");
  EXPECT_EQ(exit->checkpoint, "");
}

// In place of a PID 1 that waits for nobody: what loses its parent is this process's, and stays a
// zombie until the test waits for it.
class SlowInit {
 public:
  SlowInit() { EXPECT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0); }
  ~SlowInit() { prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }
  SlowInit(const SlowInit&) = delete;
  SlowInit& operator=(const SlowInit&) = delete;
};

// As the daemon would see it that looks when it is told to, and never by the clock.
std::optional<Exit> end_as_told(RunnerWorld& world, const Hold& hold) {
  pollfd polled{world.runner.wake_fd(), POLLIN, 0};
  while (poll(&polled, 1, static_cast<int>(to_ms(kPatience))) == 1) {
    for (const auto& event : world.runner.look()) {
      const auto* ended = std::get_if<jobs::Ended>(&event);
      if (ended != nullptr && ended->hold == hold) return ended->exit;
    }
  }
  return std::nullopt;
}

TEST(Runner, AnEndIsToldWhenItCanBeSeenAndWaitsForNobodyToReapIt) {
  RunnerWorld world;
  const SlowInit init;
  // Many, because what is told too early is now and then seen in time.
  for (int i = 0; i < 20; ++i) {
    const auto hold = world.start(RunnerWorld::shell("echo $PPID > warden; exit 3"));
    const auto exit = end_as_told(world, hold);
    ASSERT_TRUE(exit) << "the end of job " << i << " was told before it could be seen";
    EXPECT_EQ(exit->code, 3);
    const auto warden = world.wait_for_pid(hold, "warden");
    siginfo_t dead{};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(warden), &dead, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(waitpid(warden, nullptr, 0), warden);
  }
}

TEST(Runner, OutputOfFinishedJobsIsKeptUpToItsBound) {
  RunnerWorld world;
  std::vector<Hold> holds;
  for (int i = 0; i < 3; ++i) {
    holds.push_back(world.start(RunnerWorld::shell("echo $RIFTBUS_WORK_ID")));
    ASSERT_TRUE(world.wait_end(holds.back()));
    world.runner.discard(holds.back());
  }
  EXPECT_FALSE(read_output(world.folder, holds[0].id, false, 100).ok());
  EXPECT_EQ(*read_output(world.folder, holds[1].id, false, 100), "2\n");
  EXPECT_EQ(*read_output(world.folder, holds[2].id, false, 100), "3\n");
}

}  // namespace
}  // namespace riftbus::executor
