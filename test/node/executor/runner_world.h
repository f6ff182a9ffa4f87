// Real jobs for a test: a runner in a directory of its own, and waiting for what happens.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "bus/clock.h"
#include "node/executor/processes_linux.h"
#include "node/executor/runner.h"
#include "node/jobs/kinds.h"
#include "test/bus/temporary_directory.h"

namespace riftbus::executor {

inline constexpr Seconds kPatience{30};

inline std::string slurp(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Until `happened` or the patience is over; looks often, because files cannot be waited for.
template <class Happened>
bool wait_until(Happened happened, Nanos patience = kPatience) {
  const auto end = bus::boot_now() + patience;
  while (!happened()) {
    if (bus::boot_now() >= end) return false;
    poll(nullptr, 0, 5);
  }
  return true;
}

// A process whose first thread is a zombie lives on in the others, and holds its locks with them.
inline bool is_alive(pid_t pid) {
  if (pid <= 0) return false;
  const auto stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  const auto at = stat.rfind(')');
  if (at == std::string::npos) return false;
  std::istringstream fields(stat.substr(at + 1));
  std::string state;
  fields >> state;
  std::string threads;  // proc(5): the state is field 3, the threads are field 20
  for (int field = 4; field <= 20; ++field) fields >> threads;
  return fields && (state != "Z" || threads != "1");
}

// This process may open `more` further descriptors, as long as it lives; what is open stays open.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t more) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = dup(0);
    close(lowest_free);
    const rlimit few{static_cast<rlim_t>(lowest_free) + more, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

// A process that has nothing to do with any job.
class Bystander {
 public:
  Bystander() : pid_(fork()) {
    while (pid_ == 0) pause();
  }
  ~Bystander() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Bystander(const Bystander&) = delete;
  Bystander& operator=(const Bystander&) = delete;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

// What a job waits at until it is opened: a lock that the test holds. No program inherits it.
class Gate {
 public:
  explicit Gate(std::string path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    EXPECT_EQ(flock(file_, LOCK_EX | LOCK_NB), 0) << path_;
  }
  ~Gate() { open(); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // For the job's shell: goes on once the gate is open.
  [[nodiscard]] std::string wait() const { return "flock -s " + path_ + " true; "; }
  void open() {
    if (file_ >= 0) close(file_);
    file_ = -1;
  }

 private:
  std::string path_;
  int file_;
};

class RunnerWorld {
 public:
  RunnerWorld() : folder(directory / "jobs"), runner(options()) {
    ::signal(SIGPIPE, SIG_IGN);  // as the daemon: a warden may end while it is written to
    const auto status = runner.open();
    EXPECT_TRUE(status.ok()) << status.error().to_string();
  }
  // Nothing of a test survives it, whatever went wrong.
  ~RunnerWorld() {
    for (const auto& hold : started) {
      EXPECT_TRUE(runner.stop(hold, Cause::evict));
      static_cast<void>(kill_remains(folder + "/" + folder_name(hold), 0, 0));
    }
  }

  [[nodiscard]] Runner::Options options() const {
    Runner::Options options;
    options.folder = folder;
    options.helper = find_helper();
    options.node = "w1";
    options.finished_kept = 2;
    options.disk_check_every = Millis{50};
    return options;
  }

  // In place of riftbus-job: `lines`, in which $JOB is the real one and $1 the folder.
  [[nodiscard]] Runner::Options helped_by(const std::string& lines) const {
    auto helped = options();
    const std::string script = directory / "helper";
    std::ofstream(script) << "#!/bin/sh\nJOB=" << helped.helper << "\n" << lines;
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    helped.helper = script;
    return helped;
  }

  static JobKind shell(const std::string& line) {
    JobKind kind;
    kind.name = "shell";
    kind.command = {"sh", "-c", line};
    kind.kill_grace_s = 1;
    return kind;
  }

  [[nodiscard]] static jobs::Start start_of(std::uint64_t id, const JobKind& kind) {
    jobs::Start start;
    start.hold = {work::WorkId(id), work::Fence(id + 100)};
    start.grant.id = start.hold.id;
    start.grant.kind = kind.name;
    start.grant.terms = jobs::terms_of(kind);
    start.kill_grace = Millis{300};
    start.stop_at = TimePoint::max();
    return start;
  }

  Hold start(const JobKind& kind, const std::string& payload = "") {
    auto what = start_of(next_id++, kind);
    what.grant.payload = payload;
    return start(what, kind);
  }
  Hold start(const jobs::Start& what, const JobKind& kind) {
    started.push_back(what.hold);
    const auto event = runner.start(what, kind);
    EXPECT_TRUE(std::holds_alternative<jobs::Started>(event));
    return what.hold;
  }

  // What a former life left of work 1: it ran as this process, and nobody wrote an end.
  void record_job_of(pid_t pid, std::uint64_t pid_started, const std::string& boot) const {
    const auto kind = shell("true");
    const auto start = start_of(1, kind);
    const auto left = folder + "/" + folder_name(start.hold);
    std::filesystem::create_directories(left);
    auto spec = make_spec(start, kind, "w1");
    spec.boot_id = boot;
    ASSERT_TRUE(write_spec(left, spec).ok());
    JobState state;
    state.pid = pid;
    state.pid_started = pid_started;
    ASSERT_TRUE(write_state(left, state).ok());
  }

  [[nodiscard]] std::string path(const Hold& hold, const std::string& name) const {
    return folder + "/" + folder_name(hold) + "/" + name;
  }
  [[nodiscard]] std::string work(const Hold& hold, const std::string& name) const {
    return path(hold, "work/" + name);
  }
  // A number that the job wrote into its working directory, once it is there.
  [[nodiscard]] pid_t wait_for_pid(const Hold& hold, const std::string& name) const {
    EXPECT_TRUE(wait_until([&] {
      const auto text = slurp(work(hold, name));
      return !text.empty() && text.back() == '\n';
    })) << name;
    return static_cast<pid_t>(std::strtol(slurp(work(hold, name)).c_str(), nullptr, 10));
  }

  // The end of the job, waiting on the runner's own wake.
  std::optional<Exit> wait_end(const Hold& hold) { return wait_end(runner, hold); }
  std::optional<Exit> wait_end(Runner& with, const Hold& hold) {
    const auto end = bus::boot_now() + kPatience;
    while (bus::boot_now() < end) {
      for (const auto& event : with.look()) {
        const auto* ended = std::get_if<jobs::Ended>(&event);
        if (ended != nullptr && ended->hold == hold) return ended->exit;
        if (const auto* moved = std::get_if<jobs::Progressed>(&event)) progress.push_back(*moved);
      }
      pollfd polled{with.wake_fd(), POLLIN, 0};
      poll(&polled, 1, 100);
    }
    ADD_FAILURE() << "the job does not end";
    return std::nullopt;
  }

  test::TemporaryDirectory directory;
  std::string folder;
  Runner runner;
  std::vector<Hold> started;
  std::vector<jobs::Progressed> progress;
  std::uint64_t next_id = 1;
};

}  // namespace riftbus::executor
