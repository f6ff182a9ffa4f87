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
  std::uint64_t memory_bytes = 0;  // 0: a thread of the kernel, or it has ended
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
    if (field == 22) stat.started = parse_number(word);
    if (field == 23) stat.memory_bytes = parse_number(word);
    if (field == 26) stat.code_begin = parse_number(word);
    if (field == 50) stat.environment_begin = parse_number(word);
    if (field == 51) stat.environment_end = parse_number(word);
  }
  return field >= 51 ? std::optional(stat) : std::nullopt;
}

// Nothing: /proc cannot be read.
std::optional<std::vector<pid_t>> all_pids() {
  DIR* folder = opendir("/proc");
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

enum class Look { readable, not_ours, failed };  // also not ours: it is gone

Look read_environment_now(pid_t pid, std::string& text) {
  const std::string path = "/proc/" + std::to_string(pid) + "/environ";
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    const bool is_answer = errno == ENOENT || errno == ESRCH || errno == EACCES || errno == EPERM;
    return is_answer ? Look::not_ours : Look::failed;
  }
  text.assign(kEnvironBytesMax, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = read(file, text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  close(file);
  text.resize(size);
  return Look::readable;
}

// Empty if it is gone, or is none of ours to look at. Nothing: it could not be asked.
//
// While a process begins a program (execve) the kernel shows no environment, or a part of the one
// that goes. So it is asked again until all of it was read while the program was there.
std::optional<std::string> read_environment(pid_t pid) {
  std::string text;
  bool is_there = false;
  for (int waited_ms = 0; waited_ms < kBeginningMs; ++waited_ms) {
    const Look look = read_environment_now(pid, text);
    if (look == Look::failed) return std::nullopt;
    if (look == Look::not_ours) return std::string();
    const auto stat = read_stat(pid);
    if (!stat || stat->memory_bytes == 0) return text;
    is_there = stat->code_begin != 0;
    const std::uint64_t size = stat->environment_end - stat->environment_begin;
    if (is_there && text.size() == std::min<std::uint64_t>(size, kEnvironBytesMax)) return text;
    poll(nullptr, 0, 1);
  }
  // Long enough for any that begins. What is there all the time and cannot be read is as good as
  // none.
  return is_there ? std::optional(text) : std::nullopt;
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

std::optional<std::vector<pid_t>> find_by_job_dir(const std::string& folder) {
  const std::string wanted = "RIFTBUS_JOB_DIR=" + folder;
  const auto pids = all_pids();
  if (!pids) return std::nullopt;
  std::vector<pid_t> found;
  for (const pid_t pid : *pids) {
    if (pid == getpid()) continue;
    const auto environment = read_environment(pid);
    if (!environment) return std::nullopt;
    if (belongs_to(*environment, wanted)) found.push_back(pid);
  }
  return found;
}

bool kill_remains(const std::string& folder, pid_t pid, std::uint64_t pid_started, int rounds_max) {
  for (int round = 0; round < rounds_max; ++round) {
    auto left = find_by_job_dir(folder);
    if (!left) return false;
    if (pid > 0 && pid_started != 0) {
      const auto stat = read_stat(pid);
      if (!stat && kill(pid, 0) == 0) return false;  // it is there, but who it is cannot be read
      if (stat && stat->started == pid_started && stat->state != 'Z') left->push_back(pid);
    }
    if (left->empty()) return true;
    for (const pid_t each : *left) kill(each, SIGKILL);
    poll(nullptr, 0, kRoundMs);
  }
  return false;
}

}  // namespace riftbus::executor
