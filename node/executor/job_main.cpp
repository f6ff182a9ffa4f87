// riftbus-job FOLDER: runs one job for riftbus-node and outlives it. Not for people.
//
// Exits with 0 as soon as the job runs, or its end is written; a copy of it stays with the job.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "node/executor/job_files.h"
#include "node/executor/warden.h"

namespace {

constexpr int kUsage = 64;
constexpr int kNotOurs = 75;
constexpr int kReadyWaitMs = 20'000;

int fail(const std::string& what, int status) {
  std::fprintf(stderr, "riftbus-job: %s\n", what.c_str());
  return status;
}

// The copy that stays: child of init, in a session of its own, with nothing open.
int stay(const std::string& folder, int ready) {
  setsid();
  // Whoever waits for our word may have gone, and a full disk or a limit on files must not kill the
  // one that watches over the job. The program gets all signals as they were.
  for (const int number : {SIGPIPE, SIGXFSZ}) signal(number, SIG_IGN);
  const int lock = open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) return kNotOurs;
  // Whoever gave the job up did so with the lock held, and took the record away.
  auto spec = riftbus::executor::read_spec(folder);
  if (!spec) return kNotOurs;
  if (chdir("/") != 0) return kNotOurs;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  {
    riftbus::executor::Warden warden(folder, std::move(*spec));
    warden.start();
    [[maybe_unused]] const auto put = write(ready, "+", 1);
    close(ready);
    warden.run();
  }
  // In this order: a daemon that is told of an end while the lock is held takes the job for alive,
  // and nobody tells it again.
  close(lock);
  riftbus::executor::wake_daemon(folder);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] != '/') return fail("usage: riftbus-job /absolute/folder", kUsage);
  const std::string folder = argv[1];
  close_range(3, ~0U, 0);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail("no pipe", kNotOurs);
  const pid_t child = fork();
  if (child < 0) return fail("no process", kNotOurs);
  if (child == 0) {
    close(ends[0]);
    return stay(folder, ends[1]);
  }
  close(ends[1]);
  pollfd polled{ends[0], POLLIN, 0};
  char sign = 0;
  const bool ready = poll(&polled, 1, kReadyWaitMs) == 1 && read(ends[0], &sign, 1) == 1;
  return ready ? 0 : fail("the job in " + folder + " is not to be started", kNotOurs);
}
