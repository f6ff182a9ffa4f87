#include "node/executor/processes_linux.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <map>
#include <optional>

#include "node/executor/job_files.h"

namespace riftbus::executor {

namespace {

constexpr std::size_t kStatBytesMax = 4096;
constexpr std::size_t kEnvironBytesMax = 1024 * 1024;
constexpr int kRoundsMax = 100;
constexpr int kRoundMs = 20;

struct Stat {
  char state = '?';
  pid_t parent = 0;
  std::uint64_t started = 0;
};

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// proc(5): "pid (name) state ppid ...", start time is field 22. The name may hold anything, so
// fields are counted from the last parenthesis.
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
    if (field == 22) {
      stat.started = parse_number(word);
      return stat;
    }
  }
  return std::nullopt;
}

std::vector<pid_t> all_pids() {
  std::vector<pid_t> pids;
  DIR* folder = opendir("/proc");
  if (folder == nullptr) return pids;
  while (const auto* entry = readdir(folder)) {
    const std::string_view name(entry->d_name);
    if (name.empty() || name.front() < '1' || name.front() > '9') continue;
    pids.push_back(static_cast<pid_t>(parse_number(name)));
  }
  closedir(folder);
  return pids;
}

}  // namespace

bool become_subreaper() { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0; }

std::vector<pid_t> find_descendants(pid_t root) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : all_pids()) {
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

std::vector<pid_t> find_by_job_dir(const std::string& folder) {
  const std::string wanted = "RIFTBUS_JOB_DIR=" + folder;
  std::vector<pid_t> found;
  for (const pid_t pid : all_pids()) {
    if (pid == getpid()) continue;
    const auto text = read_part("/proc/" + std::to_string(pid) + "/environ", kEnvironBytesMax);
    for (auto at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at + 1)) {
      const bool begins = at == 0 || text[at - 1] == '\0';
      const auto end = at + wanted.size();
      if (begins && (end == text.size() || text[end] == '\0')) {
        found.push_back(pid);
        break;
      }
    }
  }
  return found;
}

bool kill_remains(const std::string& folder, pid_t pid, std::uint64_t pid_started) {
  for (int round = 0; round < kRoundsMax; ++round) {
    auto left = find_by_job_dir(folder);
    if (pid > 0 && pid_started != 0) {
      const auto stat = read_stat(pid);
      if (stat && stat->started == pid_started && stat->state != 'Z') left.push_back(pid);
    }
    if (left.empty()) return true;
    for (const pid_t each : left) kill(each, SIGKILL);
    poll(nullptr, 0, kRoundMs);
  }
  return false;
}

}  // namespace riftbus::executor
