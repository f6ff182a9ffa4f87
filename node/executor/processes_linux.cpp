#include "node/executor/processes_linux.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <optional>

#include "node/executor/job_files.h"

namespace riftbus::executor {

namespace {

constexpr std::size_t kStatBytesMax = 4096;
constexpr std::size_t kEnvironBytesMax = 1024 * 1024;
constexpr int kRoundMs = 20;
constexpr int kBeginningMs = 200;  // from a program's beginning to its environment

struct Stat {
  char state = '?';
  pid_t parent = 0;
  std::uint64_t started = 0;
  std::uint64_t threads = 0;
  std::uint64_t memory_bytes = 0;  // 0: a thread of the kernel, or its first thread has ended
  std::uint64_t code_begin = 0;    // 0 until its program has been set up; that comes last
  std::uint64_t environment_begin = 0;
  std::uint64_t environment_end = 0;
};

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// proc(5): "pid (name) state ppid ...". The name may hold anything, so fields are counted from the
// last parenthesis.
std::optional<Stat> read_stat(pid_t pid) {
  const auto text = read_part("/proc/" + std::to_string(pid) + "/stat", kStatBytesMax);
  const auto close_at = text.rfind(')');
  if (close_at == std::string::npos) return std::nullopt;
  Stat stat;
  int field = 2;
  std::size_t at = close_at + 1;
  while (at < text.size()) {
    const auto begin = text.find_first_not_of(' ', at);
    if (begin == std::string::npos) break;
    at = std::min(text.find(' ', begin), text.size());
    const auto word = std::string_view(text).substr(begin, at - begin);
    ++field;
    if (field == 3) stat.state = word.front();
    if (field == 4) stat.parent = static_cast<pid_t>(parse_number(word));
    if (field == 20) stat.threads = parse_number(word);
    if (field == 22) stat.started = parse_number(word);
    if (field == 23) stat.memory_bytes = parse_number(word);
    if (field == 26) stat.code_begin = parse_number(word);
    if (field == 50) stat.environment_begin = parse_number(word);
    if (field == 51) stat.environment_end = parse_number(word);
  }
  return field >= 51 ? std::optional(stat) : std::nullopt;
}

// Of processes in /proc, or of threads in /proc/PID/task. Nothing: it cannot be read.
std::optional<std::vector<pid_t>> all_pids(const std::string& path = "/proc") {
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) return std::nullopt;
  std::vector<pid_t> pids;
  while (const auto* entry = readdir(folder)) {
    const std::string_view name(entry->d_name);
    if (name.empty() || name.front() < '1' || name.front() > '9') continue;
    pids.push_back(static_cast<pid_t>(parse_number(name)));
  }
  closedir(folder);
  if (pids.empty()) return std::nullopt;  // not even this process: no such /proc
  return pids;
}

enum class Read { whole, none, forbidden, failed };  // none: it is gone, or has ended

Read read_environment(const std::string& folder, std::string& text) {
  text.clear();
  const int file = open((folder + "/environ").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT || errno == ESRCH) return Read::none;
    return errno == EACCES || errno == EPERM ? Read::forbidden : Read::failed;
  }
  text.assign(kEnvironBytesMax, '\0');
  std::size_t size = 0;
  ssize_t got = 0;
  while (size < text.size()) {
    got = read(file, text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  const bool is_failure = got < 0 && errno == ENOMEM;
  close(file);
  text.resize(size);
  return is_failure ? Read::failed : Read::whole;
}

bool belongs_to(const std::string& environment, const std::string& variable) {
  for (auto at = environment.find(variable); at != std::string::npos;
       at = environment.find(variable, at + 1)) {
    const bool begins = at == 0 || environment[at - 1] == '\0';
    const auto end = at + variable.size();
    if (begins && (end == environment.size() || environment[end] == '\0')) return true;
  }
  return false;
}

// Some kernels (gVisor's) show 0 for everybody; of theirs an environment is taken as it is.
bool shows_beginnings() {
  static const bool kShows = [] {
    const auto own = read_stat(getpid());
    return !own || own->code_begin != 0;  // unreadable for once: as most kernels
  }();
  return kShows;
}

enum class Look {
  belongs,
  stranger,    // or it has ended, or is none of ours to look at
  beginning,   // a program: the kernel shows no environment, or a part of the one that goes
  unreadable,  // its environment, though its program stands
  failed,      // for a reason of our own
};

// While its first thread has ended, the others know its environment.
Look look_at_threads(const std::string& folder, const std::string& wanted) {
  std::string text;
  for (const pid_t thread : all_pids(folder + "/task").value_or(std::vector<pid_t>())) {
    const Read read = read_environment(folder + "/task/" + std::to_string(thread), text);
    if (read == Read::forbidden) return Look::stranger;
    if (!text.empty()) return belongs_to(text, wanted) ? Look::belongs : Look::stranger;
  }
  return Look::beginning;
}

Look look_at(pid_t pid, const std::string& wanted) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::string text;
  const Read read = read_environment(folder, text);
  if (read == Read::failed) return Look::failed;
  if (read == Read::forbidden) return Look::stranger;
  if (belongs_to(text, wanted)) return Look::belongs;
  const auto stat = read_stat(pid);
  if (!stat) return kill(pid, 0) == 0 ? Look::failed : Look::stranger;
  if (stat->memory_bytes == 0) {
    return stat->threads > 1 ? look_at_threads(folder, wanted) : Look::stranger;
  }
  if (!shows_beginnings()) return Look::stranger;
  if (stat->code_begin == 0) return Look::beginning;
  const std::uint64_t size = stat->environment_end - stat->environment_begin;
  const bool is_whole = text.size() == std::min<std::uint64_t>(size, kEnvironBytesMax);
  return is_whole ? Look::stranger : Look::unreadable;
}

}  // namespace

bool become_subreaper() { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0; }

std::vector<pid_t> find_descendants(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : all_pids().value_or(std::vector<pid_t>())) {
    if (const auto stat = read_stat(pid)) children.emplace(stat->parent, pid);
  }
  std::vector<pid_t> found;
  std::vector<pid_t> open{root};
  // A pid may be reused while we read, so a loop is thinkable: at most as many steps as processes.
  while (!open.empty() && found.size() <= children.size()) {
    const pid_t parent = open.back();
    open.pop_back();
    const auto [begin, end] = children.equal_range(parent);
    for (auto at = begin; at != end; ++at) {
      found.push_back(at->second);
      open.push_back(at->second);
    }
  }
  return found;
}

std::uint64_t start_time_of(pid_t pid) {
  const auto stat = read_stat(pid);
  return stat ? stat->started : 0;
}

JobProcesses find_by_job_dir(const std::string& folder, std::uint64_t since) {
  const std::string wanted = "RIFTBUS_JOB_DIR=" + folder;
  JobProcesses found;
  auto open = all_pids();
  if (!open) return {{}, false};
  std::erase(*open, getpid());
  Look look = Look::stranger;
  const auto is_decided = [&](pid_t pid) {
    look = look_at(pid, wanted);
    if (look == Look::belongs) found.pids.push_back(pid);
    if (look == Look::failed) found.is_sure = false;
    return look != Look::beginning && look != Look::unreadable;
  };
  for (int waited_ms = 0; waited_ms < kBeginningMs; ++waited_ms) {
    std::erase_if(*open, is_decided);
    if (open->empty()) return found;
    poll(nullptr, 0, 1);
  }
  // Long enough for any that begins. What stands all the time and cannot be read is as good as
  // without environment; what hangs on the way may be anybody who began late enough.
  for (const pid_t pid : *open) {
    if (is_decided(pid) || look == Look::unreadable) continue;
    found.is_sure = found.is_sure && start_time_of(pid) < since;
  }
  return found;
}

bool kill_remains(const std::string& folder, pid_t pid, std::uint64_t pid_started, int rounds_max) {
  for (int round = 0; round < rounds_max; ++round) {
    auto left = find_by_job_dir(folder, pid_started);
    if (pid > 0 && pid_started != 0) {
      const auto stat = read_stat(pid);
      if (!stat && kill(pid, 0) == 0) left.is_sure = false;  // who it is cannot be read
      const bool has_ended = !stat || (stat->state == 'Z' && stat->threads <= 1);
      if (!has_ended && stat->started == pid_started) left.pids.push_back(pid);
    }
    for (const pid_t each : left.pids) kill(each, SIGKILL);
    if (left.pids.empty()) return left.is_sure;
    poll(nullptr, 0, kRoundMs);
  }
  return false;
}

}  // namespace riftbus::executor
