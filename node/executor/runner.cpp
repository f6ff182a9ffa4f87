#include "node/executor/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "bus/durable_file.h"
#include "node/executor/processes_linux.h"

namespace riftbus::executor {

namespace {

namespace fs = std::filesystem;

constexpr int kFolderMode = 0700;

Error system_error(std::uint16_t code, const std::string& what, const std::string& where) {
  return Error{code, what + ": " + std::strerror(errno), where,
               "check free space and permissions there"};
}

}  // namespace

Runner::Runner(Options options) : options_(std::move(options)) {}

Runner::~Runner() {
  if (wake_ >= 0) close(wake_);
}

Status Runner::open() {
  if (auto status = make_private_directory(options_.folder); !status) return status;
  for (const auto* name : {kFinishedFolder, kTrashFolder}) {
    if (auto status = make_private_directory(options_.folder + "/" + name); !status) return status;
  }
  const std::string wake = options_.folder + "/wake";
  if (mkfifo(wake.c_str(), 0600) != 0 && errno != EEXIST) {
    return system_error(kBadJobFiles, "cannot make a FIFO", wake);
  }
  // Open for writing, too: writers come and go, and there is never an end of file.
  wake_ = ::open(wake.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (wake_ < 0) return system_error(kBadJobFiles, "cannot open", wake);
  if (access(options_.helper.c_str(), X_OK) != 0) {
    return Error{kNoHelper, "riftbus-job is not there", options_.helper,
                 "install it beside riftbus-node"};
  }
  return Ok{};
}

std::string Runner::folder_of(const Hold& hold) const {
  return options_.folder + "/" + folder_name(hold);
}

// ---- starting --------------------------------------------------------------------------------

Status Runner::prepare(const jobs::Start& start, const JobKind& kind,
                       std::vector<std::string> gpus) const {
  const std::string folder = folder_of(start.hold);
  for (const auto& each : {folder, folder + "/io", folder + "/work"}) {
    if (mkdir(each.c_str(), kFolderMode) != 0) {
      return system_error(kBadJobFiles, "cannot make a folder for a job", each);
    }
  }
  if (mkfifo((folder + "/control").c_str(), 0600) != 0) {
    return system_error(kBadJobFiles, "cannot make a FIFO", folder);
  }
  auto status = replace_file(folder + "/payload", start.grant.payload, FilePrivacy::secret);
  if (status && !start.grant.checkpoint.empty()) {
    status = replace_file(folder + "/io/checkpoint", start.grant.checkpoint, FilePrivacy::shared);
  }
  if (!status) return status;
  auto spec = make_spec(start, kind, options_.node);
  spec.gpus = std::move(gpus);
  spec.disk_check_every = options_.disk_check_every;
  return write_spec(folder, spec);
}

Status Runner::spawn(const std::string& folder) const {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigfillset(&all);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::string program = options_.helper;
  std::string argument = folder;
  std::array<char*, 3> argv{program.data(), argument.data(), nullptr};
  pid_t pid = 0;
  const int failure =
      posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    return Error{kNotStarted, std::string("riftbus-job does not start: ") + std::strerror(failure),
                 program, "check that it is installed and may be run"};
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Ok{};
  return Error{kNotStarted, "riftbus-job refused to start a job", folder, "see its exit status"};
}

bool Runner::may_run(const std::string& folder) {
  int lock = -1;
  if (life_of(folder, lock) != Life::gone) return true;  // a disk is slow: look() goes on watching
  const auto state = read_state(folder);
  bool may = state && state->ended;  // it was slow to say so, and quick to end
  if (!may) {
    // With the lock held: a late riftbus-job finds no record, and goes.
    const bool taken_back = unlink((folder + "/spec.json").c_str()) == 0 || errno == ENOENT;
    may = !taken_back || !kill_remains(folder, 0, 0);
  }
  if (lock >= 0) close(lock);
  return may;
}

jobs::Event Runner::start(const jobs::Start& start, const JobKind& kind) {
  const auto& terms = start.grant.terms;
  auto gpus = gpus_.take(start.hold, gpus_needed(terms), needs_cuda(terms.needs, offer_));
  if (!gpus) {
    Exit exit;
    exit.cause = Cause::no_gpu;
    exit.started = false;
    exit.tail = "the GPUs of this node are in use";
    return jobs::Ended{start.hold, exit};
  }
  const std::string folder = folder_of(start.hold);
  auto status = prepare(start, kind, std::move(*gpus));
  bool runs = false;
  if (status) {
    status = spawn(folder);
    runs = status || may_run(folder);
  }
  if (!runs) {
    gpus_.give_back(start.hold);
    Exit exit;
    exit.cause = Cause::node_trouble;
    exit.started = false;
    exit.tail = status.error().to_string();
    return jobs::Ended{start.hold, exit};
  }
  Watched watched;
  watched.percent = start.grant.percent;
  watched.checkpoint = start.grant.checkpoint;
  watched_[start.hold] = std::move(watched);
  return jobs::Started{start.hold};
}

// ---- telling ---------------------------------------------------------------------------------

bool Runner::send(const Hold& hold, const std::string& line) const {
  const std::string path = folder_of(hold) + "/control";
  const int control = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  // Nobody reads there if riftbus-job is gone: look() will notice.
  if (control < 0) return errno == ENXIO || errno == ENOENT;
  const auto put = write(control, line.data(), line.size());
  const bool said = put == static_cast<ssize_t>(line.size()) || (put < 0 && errno == EPIPE);
  close(control);
  return said;
}

bool Runner::extend(const Hold& hold, TimePoint stop_at) const {
  return send(hold, "stop_at " + std::to_string(stop_at.time_since_epoch().count()) + "\n");
}

bool Runner::stop(const Hold& hold, Cause cause) const {
  return send(hold, "stop " + std::to_string(static_cast<int>(cause)) + "\n");
}

// ---- looking ---------------------------------------------------------------------------------

std::vector<jobs::Event> Runner::look() {
  std::array<char, 4096> drained{};
  while (wake_ >= 0 && read(wake_, drained.data(), drained.size()) > 0) {
  }
  std::vector<jobs::Event> events;
  std::vector<Hold> over;
  for (auto& [hold, watched] : watched_) {
    const std::string folder = folder_of(hold);
    int lock = -1;
    const Life life = life_of(folder, lock);
    if (life == Life::gone) {
      // What could not be killed at once will hardly be gone now: one try, not two seconds of them.
      const auto exit = bury(folder, watched.has_remains ? 1 : kKillRounds);
      if (lock >= 0) close(lock);
      watched.has_remains = !exit;
      if (!exit) continue;
      events.emplace_back(jobs::Ended{hold, *exit});
      over.push_back(hold);
      gpus_.give_back(hold);
    }
    if (life != Life::lives) continue;
    const auto percent = parse_percent(read_part(folder + "/io/progress", kProgressBytesMax));
    bool whole = true;
    auto checkpoint = read_part(folder + "/io/checkpoint", work::kCheckpointBytesMax, &whole);
    if (!whole) checkpoint.clear();
    if (percent == watched.percent && checkpoint == watched.checkpoint) continue;
    watched.percent = percent;
    watched.checkpoint = checkpoint;
    events.emplace_back(jobs::Progressed{hold, percent, std::move(checkpoint)});
  }
  for (const auto& hold : over) watched_.erase(hold);
  return events;
}

// ---- for others ------------------------------------------------------------------------------

std::string find_helper() {
  std::error_code failure;
  const auto self = fs::read_symlink("/proc/self/exe", failure);
  const auto beside = self.parent_path() / "riftbus-job";
  if (!failure && fs::exists(beside, failure)) return beside.string();
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "/usr/bin" : path;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const auto candidate = fs::path(rest.substr(0, colon)) / "riftbus-job";
    if (fs::exists(candidate, failure)) return candidate.string();
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return beside.string();
}

}  // namespace riftbus::executor
