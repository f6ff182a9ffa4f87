// A disk that does not answer keeps no job alive beyond its lease.
#include "test/node/executor/runner_world.h"

namespace riftbus::executor {
namespace {

constexpr Seconds kSoon{8};  // of a busy machine; the disk never answers

// The job's output goes into a FIFO that nobody reads. Once that is full, riftbus-job's writes wait
// as they do for a disk that does not answer.
class StuckDisk {
 public:
  StuckDisk()
      : gate_(world.directory / "go"),
        kind_(RunnerWorld::shell("trap '' TERM; echo $$ > pid; " + gate_.wait() +
                                 "yes & while :; do sleep 1000; done")),
        runner(world.helped_by("mkfifo \"$1/stdout.log\"; exec 7<>\"$1/stdout.log\"; "
                               "\"$JOB\" \"$1\"\n")) {
    EXPECT_TRUE(runner.open().ok());
  }
  ~StuckDisk() { answer(); }
  StuckDisk(const StuckDisk&) = delete;
  StuckDisk& operator=(const StuckDisk&) = delete;

  // The program's pid, once nothing can be written any more.
  pid_t start(TimePoint stop_at) {
    auto start = RunnerWorld::start_of(1, kind_);
    start.stop_at = stop_at;
    hold = start.hold;
    world.started.push_back(hold);
    EXPECT_TRUE(std::holds_alternative<jobs::Started>(runner.start(start, kind_)));
    disk_ = ::open(world.path(hold, "stdout.log").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    EXPECT_GE(disk_, 0);
    const auto pid = world.wait_for_pid(hold, "pid");
    gate_.open();
    EXPECT_TRUE(wait_until([&] {
      pollfd polled{disk_, POLLOUT, 0};
      return poll(&polled, 1, 0) == 0;
    }));
    return pid;
  }
  // The disk works again.
  void answer() {
    if (disk_ >= 0) close(disk_);
    disk_ = -1;
  }

  RunnerWorld world;

 private:
  Gate gate_;
  JobKind kind_;
  int disk_ = -1;

 public:
  Runner runner;
  Hold hold;
};

TEST(Fencing, TheLeaseEndsTheJobWhileTheDiskDoesNotAnswer) {
  StuckDisk stuck;
  const auto stop_at = bus::boot_now() + Seconds{3};
  const auto pid = stuck.start(stop_at);
  EXPECT_TRUE(is_alive(pid));
  EXPECT_TRUE(wait_until([&] { return !is_alive(pid); }, Seconds{3} + kSoon));
  EXPECT_GE(bus::boot_now(), stop_at);
}

TEST(Fencing, ARenewalIsHeardWhileTheDiskDoesNotAnswer) {
  StuckDisk stuck;
  const auto first = bus::boot_now() + Seconds{3};
  const auto pid = stuck.start(first);
  const auto renewed = first + Seconds{2};
  EXPECT_TRUE(stuck.runner.extend(stuck.hold, renewed));
  EXPECT_TRUE(wait_until([&] { return !is_alive(pid); }, Seconds{5} + kSoon));
  EXPECT_GE(bus::boot_now(), renewed);
}

TEST(Fencing, TheDaemonStopsTheJobWhileTheDiskDoesNotAnswer) {
  StuckDisk stuck;
  const auto pid = stuck.start(TimePoint::max());
  EXPECT_TRUE(stuck.runner.stop(stuck.hold, Cause::stale));
  EXPECT_TRUE(wait_until([&] { return !is_alive(pid); }, kSoon));
  stuck.answer();
  const auto exit = stuck.world.wait_end(stuck.runner, stuck.hold);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->cause, Cause::stale);
  EXPECT_EQ(exit->signal, SIGKILL);
}

}  // namespace
}  // namespace riftbus::executor
