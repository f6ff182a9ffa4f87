// Who belongs to a job, while programs begin and end.
#include "node/executor/processes_linux.h"

#include <algorithm>

#include "test/node/executor/runner_world.h"

namespace riftbus::executor {
namespace {

constexpr int kLooks = 300;

// Another process that begins a program and is killed by the test.
class Child {
 public:
  Child(const std::string& program, std::vector<std::string> words,
        std::vector<std::string> variables) {
    const auto pointers = [](std::vector<std::string>& texts) {
      std::vector<char*> each;
      for (auto& text : texts) each.push_back(text.data());
      each.push_back(nullptr);
      return each;
    };
    pid_ = fork();
    if (pid_ != 0) return;
    execve(program.c_str(), pointers(words).data(), pointers(variables).data());
    _exit(127);
  }
  ~Child() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool is_named(const std::string& name) const {
    return slurp("/proc/" + std::to_string(pid_) + "/comm") == name + "\n";
  }

 private:
  pid_t pid_ = -1;
};

using Pids = std::vector<pid_t>;

// The kernel shows no environment of a process that has just begun a program.
TEST(Processes, WhoIsJustBeginningAProgramIsFoundAllTheSame) {
  const test::TemporaryDirectory directory;
  const std::string program = directory / "restless";
  std::ofstream(program) << "#!/bin/sh\nexec \"$0\"\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const std::string folder = directory / "job";
  const Child restless(program, {program}, {"PATH=/usr/bin:/bin", "RIFTBUS_JOB_DIR=" + folder});
  ASSERT_GT(restless.pid(), 0);
  ASSERT_TRUE(wait_until([&] { return restless.is_named("restless"); }));
  int found = 0;
  for (int i = 0; i < kLooks; ++i) {
    const auto seen = find_by_job_dir(folder);
    if (seen.is_sure && seen.pids == Pids{restless.pid()}) ++found;
  }
  EXPECT_EQ(found, kLooks);
}

TEST(Processes, WhoHasNoEnvironmentAtAllBelongsToNoJobAndIsNotWaitedFor) {
  const Child bare("/bin/sleep", {"sleep", "1000"}, {});
  ASSERT_GT(bare.pid(), 0);
  ASSERT_TRUE(wait_until([&] { return bare.is_named("sleep"); }));
  Nanos quickest = kPatience;
  for (int i = 0; i < 10; ++i) {
    const auto begun = bus::boot_now();
    const auto found = find_by_job_dir("/nowhere");
    quickest = std::min<Nanos>(quickest, bus::boot_now() - begun);
    EXPECT_TRUE(found.is_sure);
    EXPECT_EQ(found.pids, Pids());
  }
  EXPECT_LT(quickest, Millis{150});
}

// Its first thread is a zombie, its environment is known to the others only.
TEST(Processes, WhoLivesOnInOtherThreadsIsFoundAndKilled) {
  const std::string folder = "/nowhere/threads";
  const char* const kEndsItsFirstThread =
      "import ctypes, threading, time\n"
      "threading.Thread(target=time.sleep, args=(1000,)).start()\n"
      "ctypes.CDLL(None).pthread_exit(None)\n";
  const Child child("/usr/bin/python3", {"python3", "-c", kEndsItsFirstThread},
                    {"RIFTBUS_JOB_DIR=" + folder});
  ASSERT_GT(child.pid(), 0);
  const auto stat = "/proc/" + std::to_string(child.pid()) + "/stat";
  ASSERT_TRUE(wait_until([&] { return slurp(stat).find(") Z ") != std::string::npos; }));
  ASSERT_TRUE(is_alive(child.pid())) << "in another thread";
  EXPECT_EQ(find_by_job_dir(folder).pids, Pids{child.pid()});
  EXPECT_TRUE(kill_remains(folder, 0, 0));
  EXPECT_FALSE(is_alive(child.pid()));
}

}  // namespace
}  // namespace riftbus::executor
