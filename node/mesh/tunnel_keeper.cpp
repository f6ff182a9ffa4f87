#include "node/mesh/tunnel_keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "bus/clock.h"
#include "bus/log.h"
#include "config/relay_places.h"

namespace riftbus::node {

namespace {

constexpr int kNotStarted = 127;  // as a shell has it
constexpr int kEndGrainMs = 20;

// Between fork and exec of a process with other threads only the simplest calls are allowed.
[[noreturn]] void become(char** argv, const char* old_status, pid_t node) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  if (::getppid() != node) ::_exit(kNotStarted);
  ::unlink(old_status);  // of a former life, whose process number may be somebody else's by now
  const int null = ::open("/dev/null", O_RDWR);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execv(argv[0], argv);
  ::_exit(kNotStarted);
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) == kNotStarted) return "riftbus-tunnel does not start: is it installed?";
  return "exit status " + std::to_string(WEXITSTATUS(status)) + "; see the log";
}

}  // namespace

TunnelKeeper::TunnelKeeper(std::string program, std::vector<std::string> arguments,
                           std::string folder, Journal& journal)
    : program_(std::move(program)),
      arguments_(std::move(arguments)),
      folder_(std::move(folder)),
      journal_(journal) {}

void TunnelKeeper::tend(const std::vector<NodeId>& wished, Moment now) {
  bury(now);
  for (auto& [relay, run] : runs_) {
    run.is_wished = std::find(wished.begin(), wished.end(), relay) != wished.end();
    if (!run.is_wished && run.pid != 0) end(run, now.at);
  }
  for (const auto& relay : wished) {
    Run& run = runs_[relay];
    run.is_wished = true;
    if (run.pid == 0 && now.at >= run.due) start(relay, run, now);
  }
}

void TunnelKeeper::start(const NodeId& relay, Run& run, Moment now) {
  std::vector<std::string> words{program_, "--attach", relay.value()};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string status = folder_ + "/" + tunnel_file_of(relay);
  const pid_t node = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(argv.data(), status.c_str(), node);
  run.started = now.at;
  run.kill_due = kNobody;
  if (pid > 0) {
    run.pid = pid;
    ++run.starts;
    return;
  }
  run.due = now.at + kPauseMax;
  run.ended_by = std::string("no process: ") + std::strerror(errno);
  journal_.note("tunnel", relay, run.ended_by, now);
}

// Told once; who does not listen is killed.
void TunnelKeeper::end(Run& run, TimePoint now) {
  if (run.kill_due == kNobody) {
    run.kill_due = now + kEndMax;
    ::kill(run.pid, SIGTERM);
  } else if (now >= run.kill_due) {
    ::kill(run.pid, SIGKILL);
  }
}

void TunnelKeeper::bury(Moment now) {
  for (auto& [relay, run] : runs_) {
    int status = 0;
    if (run.pid == 0 || ::waitpid(run.pid, &status, WNOHANG) != run.pid) continue;
    const bool was_told = run.kill_due != kNobody;
    run.pid = 0;
    run.kill_due = kNobody;
    if (now.at - run.started >= kStable) run.pause = kPauseMin;
    run.due = was_told ? now.at : now.at + run.pause;
    if (was_told) continue;
    run.pause = std::min(run.pause * 2, kPauseMax);
    run.ended_by = describe_end(status);
    journal_.note("tunnel", relay, "the tunnel ended by " + run.ended_by, now);
    bus::log_warn("a tunnel ended and is started again",
                  {{"relay", relay.value()}, {"by", run.ended_by}});
  }
}

bool TunnelKeeper::reconnect(const NodeId& relay, TimePoint now) {
  const auto found = runs_.find(relay);
  if (found == runs_.end() || !found->second.is_wished) return false;
  Run& run = found->second;
  if (run.pid != 0) return ::kill(run.pid, SIGUSR1) == 0;
  run.due = now;
  run.pause = kPauseMin;
  return true;
}

void TunnelKeeper::pass_on(int number) {
  for (const auto& [relay, run] : runs_) {
    if (run.pid != 0) ::kill(run.pid, number);
  }
}

void TunnelKeeper::stop() {
  const TimePoint began = bus::boot_now();
  for (;;) {
    const Moment now{bus::boot_now(), bus::wall_now_ms()};
    bool is_anybody_there = false;
    for (auto& [relay, run] : runs_) {
      if (run.pid != 0) end(run, now.at);
    }
    bury(now);
    for (const auto& [relay, run] : runs_) is_anybody_there = is_anybody_there || run.pid != 0;
    if (!is_anybody_there || now.at - began > 2 * kEndMax) return;
    ::poll(nullptr, 0, kEndGrainMs);
  }
}

}  // namespace riftbus::node
