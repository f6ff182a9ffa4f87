// Slow and full disks, and readers that are gone: the job is neither lost nor left alone.
#include <linux/capability.h>
#include <sys/syscall.h>

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
  EXPECT_TRUE(runner.stop(start.hold, Cause::cancel));
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
  EXPECT_EQ(std::get<jobs::Ended>(event).exit.cause, Cause::node_trouble);
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

// From here on no file of this process grows beyond this.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes_max) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes_max, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit before_{};
};

TEST(Hardship, AJobDoesNotBeginWithHalfACheckpoint) {
  RunnerWorld world;
  const auto kind = RunnerWorld::shell("true");
  auto start = RunnerWorld::start_of(1, kind);
  start.grant.checkpoint = std::string(4000, 'c');
  world.started.push_back(start.hold);
  const SmallFiles small(2000);  // enough for its record
  const auto event = world.runner.start(start, kind);
  ASSERT_TRUE(std::holds_alternative<jobs::Ended>(event));
  EXPECT_EQ(std::get<jobs::Ended>(event).exit.cause, Cause::node_trouble);
}

TEST(Hardship, AWordThatCouldNotBeSaidIsNotTakenForSaid) {
  RunnerWorld world;
  const auto hold = world.start(RunnerWorld::shell("exec sleep 1000"));
  {
    const FewDescriptors none(0);
    EXPECT_FALSE(world.runner.stop(hold, Cause::cancel));
    EXPECT_FALSE(world.runner.extend(hold, TimePoint::max()));
  }
  EXPECT_TRUE(world.runner.stop(hold, Cause::cancel));
  ASSERT_TRUE(world.wait_end(hold));
  EXPECT_TRUE(world.runner.stop(hold, Cause::cancel)) << "nobody is left to hear it";
}

TEST(Hardship, JobsThatCannotBeListedAreNotTakenForNone) {
  RunnerWorld world;
  const auto hold = world.start(RunnerWorld::shell("exec sleep 1000"));
  Runner again(world.options());
  ASSERT_TRUE(again.open().ok());
  {
    const FewDescriptors none(0);
    const auto found = again.recover();
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().code, kBadJobFiles);
  }
  const auto found = again.recover();
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->at(0).hold, hold);
}

// As for a daemon that is not root: what is closed to its owner is closed.
class NoRightToAll {
 public:
  NoRightToAll() {
    get();
    const auto before = data_[0].effective;
    data_[0].effective &= ~((1U << CAP_DAC_OVERRIDE) | (1U << CAP_DAC_READ_SEARCH));
    set();
    data_[0].effective = before;
  }
  ~NoRightToAll() { set(); }
  NoRightToAll(const NoRightToAll&) = delete;
  NoRightToAll& operator=(const NoRightToAll&) = delete;

 private:
  void get() { EXPECT_EQ(syscall(SYS_capget, &header_, data_), 0); }
  void set() { EXPECT_EQ(syscall(SYS_capset, &header_, data_), 0); }

  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data_[2]{};
};

TEST(Hardship, FoldersThatAProgramClosedAreRemovedAllTheSame) {
  RunnerWorld world;
  const auto hold =
      world.start(RunnerWorld::shell("mkdir -p a/b/c; echo x > a/b/file; ln -s /proc/self a/link; "
                                     "chmod 500 a/b; chmod 0 a/b/c a"));
  ASSERT_TRUE(world.wait_end(hold));
  const NoRightToAll plain;
  world.runner.discard(hold);
  EXPECT_FALSE(std::filesystem::exists(world.path(hold, "")));
  const auto cleared = world.runner.clear_trash();
  EXPECT_TRUE(cleared.ok()) << cleared.error().to_string();
  EXPECT_TRUE(std::filesystem::is_empty(world.folder + "/trash"));
  EXPECT_TRUE(read_output(world.folder, hold.id, false, 100).ok()) << "its output is kept";
}

}  // namespace
}  // namespace riftbus::executor
