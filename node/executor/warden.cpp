#include "node/executor/warden.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "bus/clock.h"
#include "node/executor/processes_linux.h"

namespace riftbus::executor {

namespace {

constexpr TimePoint kNever = TimePoint::max();
constexpr std::size_t kControlBytesMax = 64 * 1024;
constexpr off_t kReserveBytes = 64 * 1024;

const char* describe(Cause cause) {
  switch (cause) {
    case Cause::timeout:
      return "stopped: one attempt took longer than timeout_s allows";
    case Cause::disk:
      return "stopped: its working directory grew beyond disk_mb_max";
    default:
      return "";
  }
}

}  // namespace

Warden::Warden(std::string folder, JobSpec spec)
    : folder_(std::move(folder)),
      spec_(std::move(spec)),
      scribe_(folder_, spec_),
      started_(bus::boot_now()),
      kill_at_(kNever) {
  state_.stop_at = spec_.stop_at;
}

Warden::~Warden() {
  for (const int fd : {control_, signals_, trouble_}) {
    if (fd >= 0) close(fd);
  }
}

bool Warden::open_control() {
  // Open for writing, too: the daemon's end may come and go, and there is never an end of file.
  control_ = open((folder_ + "/control").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  return control_ >= 0 && signals_ >= 0;
}

void Warden::start() {
  if (!become_subreaper() || !open_control()) {
    fail_start("riftbus-job could not prepare itself", Cause::node_trouble);
    return;
  }
  reserve_room();
  fork_program();
  while (trouble_ >= 0) turn();
}

void Warden::fail_start(const std::string& why, Cause cause) {
  scribe_.end();
  state_.exit.started = false;
  state_.exit.cause = cause;
  state_.exit.tail = why;
  state_.ended = true;
  over_ = true;
  unlink((folder_ + "/reserve").c_str());  // for the record of this
  static_cast<void>(write_state(folder_, state_));
}

void Warden::run() {
  while (!over_) turn();
}

void Warden::turn() {
  const auto now = bus::boot_now();
  if (now >= end_again_at_) {
    write_end(now);
    if (over_) return;
  }
  const auto wait = std::clamp<Nanos>(next_deadline() - now, Nanos{0}, kLookAgain);
  const bool is_bounded = !state_.ended && !stopping_ && !program_ended_;
  std::array<pollfd, 4> polled{{{control_, POLLIN, 0},
                                {signals_, POLLIN, 0},
                                {trouble_, POLLIN, 0},
                                {is_bounded ? scribe_.descriptor() : -1, POLLIN, 0}}};
  poll(polled.data(), polled.size(), static_cast<int>(to_ms(wait)) + (wait > Nanos{0} ? 1 : 0));
  if (polled[0].revents != 0) read_control();
  if (polled[1].revents != 0) take_signals();
  if (polled[2].revents != 0) read_trouble();
  const auto then = bus::boot_now();
  if (state_.ended) return;
  if (trouble_ < 0) reap(then);  // before it begins, its death is told by `trouble_`
  if (state_.ended) return;
  keep_bounds(then);
}

void Warden::keep_bounds(TimePoint now) {
  if (!stopping_ && !program_ended_) {
    if (now >= state_.stop_at) {
      begin_stop(Cause::lease, now);
    } else if (now - started_ >= Millis{spec_.terms.timeout_ms}) {
      begin_stop(Cause::timeout, now);
    } else if (scribe_.is_too_large()) {
      begin_stop(Cause::disk, now);
    }
  }
  if (now >= kill_at_) {
    signal_all(SIGKILL);
    kill_at_ = now + kill_again_;
    kill_again_ = std::min<Nanos>(kill_again_ * 2, kKillAgainMax);
  }
}

TimePoint Warden::next_deadline() const {
  if (state_.ended) return end_again_at_;
  if (stopping_ || program_ended_) return kill_at_;
  return std::min({state_.stop_at, started_ + Millis{spec_.terms.timeout_ms}, kill_at_});
}

void Warden::read_control() {
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = read(control_, buffer.data(), buffer.size());
    if (got <= 0) break;
    control_text_.append(buffer.data(), static_cast<std::size_t>(got));
    if (control_text_.size() > kControlBytesMax) control_text_.clear();
  }
  for (auto end = control_text_.find('\n'); end != std::string::npos;
       end = control_text_.find('\n')) {
    obey(control_text_.substr(0, end));
    control_text_.erase(0, end + 1);
  }
}

void Warden::obey(const std::string& line) {
  const auto space = line.find(' ');
  if (space == std::string::npos) return;
  std::int64_t number = 0;
  const char* end = line.data() + line.size();
  const auto read = std::from_chars(line.data() + space + 1, end, number);
  if (read.ec != std::errc{} || read.ptr != end) return;
  const auto word = line.substr(0, space);
  if (word == "stop_at") {
    state_.stop_at = TimePoint{Nanos{number}};
    if (!state_.ended) scribe_.put(state_);
  } else if (word == "stop" && number >= 0 && number <= static_cast<int>(jobs::kLastCause)) {
    begin_stop(static_cast<Cause>(number), bus::boot_now());
  }
}

void Warden::take_signals() {
  signalfd_siginfo info{};
  while (read(signals_, &info, sizeof info) == sizeof info) {
    // The machine goes down, or somebody ends us by hand: the job is given back in order.
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
      begin_stop(Cause::evict, bus::boot_now());
    }
  }
}

void Warden::reap(TimePoint now) {
  bool nobody = false;
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0) break;
    if (pid < 0) {
      nobody = true;  // no child, so no descendant: orphans would have become our children
      break;
    }
    if (pid == program_) on_program_ended(status, now);
  }
  if (nobody && program_ended_) finish();
}

void Warden::on_program_ended(int status, TimePoint now) {
  program_ended_ = true;
  if (WIFSIGNALED(status)) {
    state_.exit.signal = static_cast<std::uint8_t>(WTERMSIG(status));
  } else {
    state_.exit.code = WEXITSTATUS(status);
  }
  if (stopping_) return;
  signal_all(SIGTERM);
  kill_after(std::min<Nanos>(kLeftoverGrace, spec_.kill_grace), now);
}

void Warden::begin_stop(Cause cause, TimePoint now) {
  if (stopping_ || program_ended_) return;
  stopping_ = cause;
  signal_all(SIGTERM);
  kill_after(spec_.kill_grace, now);
}

// A machine that slept through the end of the lease has slept through the grace, too, whatever its
// job is ended for now.
void Warden::kill_after(Nanos grace, TimePoint now) {
  kill_at_ = std::min(now, state_.stop_at) + grace;
}

void Warden::signal_all(int number) const {
  // Stopped processes must be woken to die of a TERM; KILL needs no help.
  auto pids = find_descendants(getpid());
  if (pids.empty() && program_ > 0 && !program_ended_) pids.push_back(-program_);  // no /proc
  for (const pid_t pid : pids) {
    kill(pid, number);
    if (number == SIGTERM) kill(pid, SIGCONT);
  }
}

void Warden::finish() {
  // Nothing of the job is left that could outlive its lease: from here on a disk may take its time.
  scribe_.end();
  state_.exit.cause = stopping_.value_or(Cause::itself);
  state_.exit.tail = scribe_.tail();
  if (const std::string reason = describe(state_.exit.cause); !reason.empty()) {
    const auto room = work::kTailBytesMax - reason.size() - 1;
    const auto cut = state_.exit.tail.size() - std::min(state_.exit.tail.size(), room);
    state_.exit.tail = reason + "\n" + state_.exit.tail.substr(cut);
  }
  state_.ended = true;
  const auto now = bus::boot_now();
  end_given_up_at_ = now + kWriteEndWithin;
  write_end(now);
}

void Warden::reserve_room() const {
  const int file = open((folder_ + "/reserve").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  static_cast<void>(posix_fallocate(file, 0, kReserveBytes));
  close(file);
}

// Only when it is written, or hope is given up, may the lock go: whoever finds no end here takes
// the job for one whose riftbus-job was killed, and its exit status is lost.
void Warden::write_end(TimePoint now) {
  bool written = write_state(folder_, state_).ok();
  if (!written) {
    unlink((folder_ + "/reserve").c_str());
    written = write_state(folder_, state_).ok();
  }
  if (!written && now < end_given_up_at_) {
    end_again_at_ = now + kWriteAgain;
    return;
  }
  unlink((folder_ + "/reserve").c_str());
  over_ = true;
}

}  // namespace riftbus::executor
