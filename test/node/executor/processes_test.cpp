// Who belongs to a job, while programs begin and end.
#include "node/executor/processes_linux.h"

#include <algorithm>

#include "test/node/executor/runner_world.h"

namespace riftbus::executor {
namespace {

constexpr int kLooks = 300;

// A program that begins itself anew all the time, and carries a job's folder.
class Restless {
 public:
  explicit Restless(const std::string& folder) {
    const std::string program = directory_ / "restless";
    std::ofstream(program) << "#!/bin/sh\nexec \"$0\"\n";
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    pid_ = fork();
    if (pid_ != 0) return;
    setenv("RIFTBUS_JOB_DIR", folder.c_str(), 1);
    execl(program.c_str(), program.c_str(), nullptr);
    _exit(127);
  }
  ~Restless() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Restless(const Restless&) = delete;
  Restless& operator=(const Restless&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  test::TemporaryDirectory directory_;
  pid_t pid_ = 0;
};

// The kernel shows no environment of a process that has just begun a program.
TEST(Processes, WhoIsJustBeginningAProgramIsFoundAllTheSame) {
  const std::string folder = "/nowhere/restless";
  const Restless restless(folder);
  ASSERT_TRUE(wait_until([&] {
    const auto found = find_by_job_dir(folder);
    return found && std::ranges::count(*found, restless.pid()) == 1;
  }));
  int missed = 0;
  for (int i = 0; i < kLooks; ++i) {
    const auto found = find_by_job_dir(folder);
    if (found && std::ranges::count(*found, restless.pid()) == 0) ++missed;
  }
  EXPECT_EQ(missed, 0) << "of " << kLooks;
}

TEST(Processes, WhoHasNoEnvironmentAtAllBelongsToNoJob) {
  const pid_t bare = fork();
  if (bare == 0) {
    char* const words[] = {const_cast<char*>("sleep"), const_cast<char*>("1000"), nullptr};
    char* const nothing[] = {nullptr};
    execve("/bin/sleep", words, nothing);
    _exit(127);
  }
  const auto found = find_by_job_dir("/nowhere");
  kill(bare, SIGKILL);
  waitpid(bare, nullptr, 0);
  ASSERT_TRUE(found) << "and can be asked";
  EXPECT_TRUE(found->empty());
}

}  // namespace
}  // namespace riftbus::executor
