#include "node/executor/runner.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "bus/clock.h"
#include "bus/durable_file.h"
#include "node/executor/processes_linux.h"
#include "node/jobs/kinds.h"

namespace riftbus::executor {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kProgressBytesMax = 64;
constexpr int kFolderMode = 0700;

std::uint8_t parse_percent(const std::string& text) {
  const double value = std::strtod(text.c_str(), nullptr);
  return value > 0 ? static_cast<std::uint8_t>(std::min(value, 100.0)) : 0;
}

// What the program wrote for the queue. Too long a result is a mistake of the program.
void read_words(const std::string& folder, Exit& exit) {
  exit.percent = parse_percent(read_part(folder + "/io/progress", kProgressBytesMax));
  bool whole = true;
  auto checkpoint = read_part(folder + "/io/checkpoint", work::kCheckpointBytesMax, &whole);
  if (whole) exit.checkpoint = std::move(checkpoint);
  auto result = read_part(folder + "/io/result", work::kResultBytesMax, &whole);
  if (whole) {
    exit.result = std::move(result);
  } else if (exit.code == 0 && exit.signal == 0) {
    exit.started = false;
    exit.tail = "its result is longer than " + std::to_string(work::kResultBytesMax) + " bytes";
  }
}

std::int64_t gpus_needed(const work::Terms& terms) {
  for (const auto& amount : jobs::reserved_by(terms)) {
    if (amount.name == "gpus") return amount.milli;
  }
  return 0;
}

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
  if (auto status = make_private_directory(options_.folder + "/" + kFinishedFolder); !status) {
    return status;
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
    std::ofstream(folder + "/io/checkpoint", std::ios::binary) << start.grant.checkpoint;
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

jobs::Event Runner::start(const jobs::Start& start, const JobKind& kind) {
  auto gpus = gpus_.take(start.hold, gpus_needed(start.grant.terms));
  if (!gpus) {
    Exit exit;
    exit.cause = Cause::no_gpu;
    exit.started = false;
    exit.tail = "the GPUs of this node are in use";
    return jobs::Ended{start.hold, exit};
  }
  auto status = prepare(start, kind, std::move(*gpus));
  if (status) status = spawn(folder_of(start.hold));
  if (!status) {
    gpus_.give_back(start.hold);
    Exit exit;
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

void Runner::send(const Hold& hold, const std::string& line) const {
  // Nobody reads there if riftbus-job is gone: look() will notice.
  const std::string path = folder_of(hold) + "/control";
  const int control = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (control < 0) return;
  [[maybe_unused]] const auto put = write(control, line.data(), line.size());
  close(control);
}

void Runner::extend(const Hold& hold, TimePoint stop_at) {
  send(hold, "stop_at " + std::to_string(stop_at.time_since_epoch().count()) + "\n");
}

void Runner::stop(const Hold& hold, Cause cause) {
  send(hold, "stop " + std::to_string(static_cast<int>(cause)) + "\n");
}

// ---- looking ---------------------------------------------------------------------------------

bool Runner::is_watched_over(const std::string& folder, int& lock) {
  lock = ::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) return false;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0) return false;
  close(lock);
  lock = -1;
  return true;
}

// riftbus-job is gone. Either it wrote how the job ended, or it was killed in the middle.
Exit Runner::bury(const std::string& folder) const {
  const auto state = read_state(folder);
  Exit exit;
  if (state && state->ended) {
    exit = state->exit;
  } else {
    const pid_t pid = state ? static_cast<pid_t>(state->pid) : 0;
    const bool clean = kill_remains(folder, pid, state ? state->pid_started : 0);
    exit.cause = Cause::runner_failed;
    exit.tail = clean ? "riftbus-job was killed; so was what it watched over"
                      : "riftbus-job was killed, and some of the job's processes cannot be";
  }
  read_words(folder, exit);
  return exit;
}

std::vector<jobs::Event> Runner::look() {
  std::array<char, 4096> drained{};
  while (wake_ >= 0 && read(wake_, drained.data(), drained.size()) > 0) {
  }
  std::vector<jobs::Event> events;
  std::vector<Hold> over;
  for (auto& [hold, watched] : watched_) {
    const std::string folder = folder_of(hold);
    int lock = -1;
    if (!is_watched_over(folder, lock)) {
      events.emplace_back(jobs::Ended{hold, bury(folder)});
      over.push_back(hold);
      gpus_.give_back(hold);
      if (lock >= 0) close(lock);
      continue;
    }
    const auto percent = parse_percent(read_part(folder + "/io/progress", kProgressBytesMax));
    bool whole = true;
    auto checkpoint = read_part(folder + "/io/checkpoint", work::kCheckpointBytesMax, &whole);
    if (!whole) checkpoint.clear();
    if (percent == watched.percent && checkpoint == watched.checkpoint) continue;
    watched = {percent, checkpoint};
    events.emplace_back(jobs::Progressed{hold, percent, std::move(checkpoint)});
  }
  for (const auto& hold : over) watched_.erase(hold);
  return events;
}

std::vector<jobs::FoundJob> Runner::recover() {
  std::vector<jobs::FoundJob> found;
  std::vector<Hold> holds;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(options_.folder, failure)) {
    if (const auto hold = parse_folder_name(entry.path().filename().string())) {
      holds.push_back(*hold);
    }
  }
  for (const auto& hold : holds) {
    const std::string folder = folder_of(hold);
    const auto spec = read_spec(folder);
    int lock = -1;
    const bool alive = is_watched_over(folder, lock);
    const bool usable = spec && spec->boot_id == boot_id() && spec->hold == hold;
    const auto state = read_state(folder);
    jobs::FoundJob job;
    job.hold = hold;
    if (usable) {
      job.kind = spec->kind.name;
      job.terms = spec->terms;
      job.attempt = spec->attempt;
      job.kill_grace = spec->kill_grace;
      job.stop_at = state ? state->stop_at : spec->stop_at;
    }
    if (usable && alive) {
      watched_[hold] = {};
      gpus_.adopt(hold, spec->gpus, gpus_needed(spec->terms));
      found.push_back(std::move(job));
    } else if (usable && state && state->ended) {
      job.ended = true;
      job.exit = bury(folder);
      found.push_back(std::move(job));
    } else if (!alive) {
      // Lost: nobody will finish it. With the lock held, a late riftbus-job finds no record.
      static_cast<void>(bury(folder));
      remove_folder(hold);
    }
    if (lock >= 0) close(lock);
  }
  return found;
}

// ---- clearing away ---------------------------------------------------------------------------

void Runner::remove_folder(const Hold& hold) const {
  std::error_code failure;
  const fs::path folder = folder_of(hold);
  fs::remove(folder / "spec.json", failure);
  for (const auto* name : {"work", "io", "payload", "control"}) {
    fs::remove_all(folder / name, failure);
  }
  const fs::path kept = fs::path(options_.folder) / kFinishedFolder / folder_name(hold);
  if (options_.finished_kept > 0 && fs::exists(folder / "stdout.log", failure)) {
    fs::remove_all(kept, failure);
    fs::rename(folder, kept, failure);
    if (!failure) return;
  }
  fs::remove_all(folder, failure);
}

void Runner::discard(const Hold& hold) {
  watched_.erase(hold);
  gpus_.give_back(hold);
  remove_folder(hold);
  prune_finished();
}

void Runner::prune_finished() const {
  std::vector<std::pair<Hold, fs::path>> kept;
  std::error_code failure;
  for (const auto& entry :
       fs::directory_iterator(fs::path(options_.folder) / kFinishedFolder, failure)) {
    const auto hold = parse_folder_name(entry.path().filename().string());
    if (hold)
      kept.emplace_back(Hold{work::WorkId(hold->fence.value()), work::Fence(0)}, entry.path());
  }
  if (kept.size() <= options_.finished_kept) return;
  std::sort(kept.begin(), kept.end());  // fences grow: the smallest is the oldest
  for (std::size_t i = 0; i + options_.finished_kept < kept.size(); ++i) {
    fs::remove_all(kept[i].second, failure);
  }
}

// ---- for others ------------------------------------------------------------------------------

Result<std::string> read_output(const std::string& jobs_folder, work::WorkId id, bool is_error,
                                std::size_t bytes_max) {
  std::optional<Hold> best;
  std::string best_folder;
  std::error_code failure;
  for (const auto& base : {jobs_folder, jobs_folder + "/" + kFinishedFolder}) {
    for (const auto& entry : fs::directory_iterator(base, failure)) {
      const auto hold = parse_folder_name(entry.path().filename().string());
      if (!hold || hold->id != id || (best && hold->fence < best->fence)) continue;
      best = hold;
      best_folder = entry.path().string();
    }
  }
  if (!best) {
    return Error{kBadJobFiles, "no output of this work is kept here", jobs_folder,
                 "see which node ran it, and executor.finished_kept"};
  }
  const std::string path = best_folder + (is_error ? "/stderr.log" : "/stdout.log");
  std::string text;
  for (const auto& part : {path + ".1", path}) {
    std::ifstream stream(part, std::ios::binary | std::ios::ate);
    if (!stream) continue;
    const auto size = static_cast<std::streamoff>(stream.tellg());
    const auto begin = std::max<std::streamoff>(0, size - static_cast<std::streamoff>(bytes_max));
    std::string chunk(static_cast<std::size_t>(size - begin), '\0');
    stream.seekg(begin);
    stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    text += chunk;
  }
  if (text.size() > bytes_max) text.erase(0, text.size() - bytes_max);
  return text;
}

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
