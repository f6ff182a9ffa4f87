#include "relay/keeper.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "bus/clock.h"
#include "bus/log.h"
#include "config/exit_status.h"

namespace riftbus::relay {

namespace {

constexpr int kNotStarted = 127;  // as a shell has it

[[noreturn]] void become(const std::string& path, std::vector<std::string>& arguments,
                         pid_t keeper) {
  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(path.c_str()));
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  if (::getppid() == keeper) ::execv(path.c_str(), argv.data());
  ::_exit(kNotStarted);
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return std::string("signal ") + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Keeper::Keeper(const std::string& folder, std::vector<std::string> arguments)
    : arguments_(std::move(arguments)), signals_({SIGTERM, SIGINT, SIGHUP, SIGCHLD}) {
  const std::array<std::string, 2> names{"riftbus-relay-ssh", "riftbus-relay-front"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    halves_[i].name = names[i];
    halves_[i].path = folder + "/" + names[i];
  }
}

Status Keeper::run() {
  while (!is_stopping_ || is_anybody_there()) {
    const TimePoint now = bus::boot_now();
    auto due = TimePoint::max();
    for (Half& half : halves_) {
      if (is_stopping_ || half.pid != 0) continue;
      if (now >= half.due) start(half, now);
      if (half.pid == 0) due = std::min(due, half.due);
    }
    pollfd poll{signals_.descriptor(), POLLIN, 0};
    ::poll(&poll, 1, due == TimePoint::max() ? -1 : static_cast<int>(to_ms(due - now) + 1));
    while (const int number = signals_.take()) pass_on(number);
    bury(bus::boot_now());
  }
  return outcome_;
}

bool Keeper::is_anybody_there() const {
  return std::any_of(halves_.begin(), halves_.end(),
                     [](const Half& half) { return half.pid != 0; });
}

void Keeper::start(Half& half, TimePoint now) {
  const pid_t keeper = ::getpid();
  half.pid = ::fork();
  if (half.pid == 0) become(half.path, arguments_, keeper);
  half.started = now;
  if (half.pid > 0) return;
  half.pid = 0;
  half.due = now + kPauseMax;
  bus::log_warn("cannot start a half of the relay",
                {{"program", half.path}, {"why", std::strerror(errno)}});
}

void Keeper::pass_on(int number) {
  if (number == SIGCHLD) return;
  is_stopping_ = is_stopping_ || number != SIGHUP;
  for (const Half& half : halves_) {
    if (half.pid != 0) ::kill(half.pid, number == SIGHUP ? SIGHUP : SIGTERM);
  }
}

void Keeper::bury(TimePoint now) {
  int status = 0;
  while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
    if (pid < 0) return;
    for (Half& half : halves_) {
      if (half.pid != pid) continue;
      half.pid = 0;
      const bool is_refusal = WIFEXITED(status) && WEXITSTATUS(status) == kExitConfig;
      half.refusals = is_refusal ? half.refusals + 1 : 0;
      if (now - half.started >= kStable) half.pause = kPauseMin;
      half.due = now + half.pause;
      half.pause = std::min(half.pause * 2, kPauseMax);
      if (is_stopping_) continue;
      if (half.refusals >= kRefusalsMax) {
        outcome_ = Error{1847, "a half of the relay ends by its configuration", half.name,
                         "see what it said above"};
        pass_on(SIGTERM);
        continue;
      }
      bus::log_warn("a half of the relay ended and is started again",
                    {{"program", half.name}, {"by", describe_end(status)}});
    }
  }
}

}  // namespace riftbus::relay
