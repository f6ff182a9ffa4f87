#include "node/executor/machine.h"

#include <sched.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "node/executor/job_files.h"
#include "node/executor/text.h"

namespace riftbus::executor {

namespace {

constexpr std::size_t kKernelFileBytesMax = 64 * 1024;

// -1: it is not a number ("max" is none).
std::int64_t parse_amount(const std::string& text) {
  std::int64_t value = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end != text.data() ? value : -1;
}

void lower(std::int64_t& bound, std::int64_t value) {
  if (value > 0) bound = std::min(bound, value);
}

// The folder of our cgroup and all above it, as far as this process sees them: within a container
// the path may belong to the host's tree, and only the mount's root is there.
std::vector<std::string> folders_of(const std::string& mount, std::string path) {
  std::vector<std::string> folders;
  for (;;) {
    folders.push_back(mount + (path == "/" ? "" : path));
    const auto slash = path.rfind('/');
    if (path == "/" || path.empty() || slash == std::string::npos) break;
    path = slash == 0 ? "/" : path.substr(0, slash);
  }
  return folders;
}

void apply_v2(const std::string& folder, Limits& limits) {
  // "max 100000" or "150000 100000": microseconds of processor time per period.
  std::istringstream cpu(read_part(folder + "/cpu.max", kKernelFileBytesMax));
  std::string quota;
  std::int64_t period = 0;
  if (cpu >> quota >> period && parse_amount(quota) > 0 && period > 0) {
    lower(limits.cpus_milli, std::max<std::int64_t>(1, parse_amount(quota) * 1000 / period));
  }
  const auto memory = trimmed(read_part(folder + "/memory.max", kKernelFileBytesMax));
  lower(limits.memory_mb, parse_amount(memory) / kMegabyte);
}

void apply_v1(const std::string& controllers, const std::string& folder, Limits& limits) {
  if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
    const auto quota = parse_amount(read_part(folder + "/cpu.cfs_quota_us", kKernelFileBytesMax));
    const auto period = parse_amount(read_part(folder + "/cpu.cfs_period_us", kKernelFileBytesMax));
    if (quota > 0 && period > 0) {
      lower(limits.cpus_milli, std::max<std::int64_t>(1, quota * 1000 / period));
    }
  }
  if (("," + controllers + ",").find(",memory,") != std::string::npos) {
    const auto bytes =
        parse_amount(read_part(folder + "/memory.limit_in_bytes", kKernelFileBytesMax));
    lower(limits.memory_mb, bytes / kMegabyte);
  }
}

void apply_cgroups(const std::string& root, Limits& limits) {
  std::istringstream lines(read_part(root + "/proc/self/cgroup", kKernelFileBytesMax));
  for (std::string line; std::getline(lines, line);) {
    // "0::/path" is version 2, "4:memory:/path" version 1.
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    const auto path = line.substr(second + 1);
    if (controllers.empty()) {
      for (const auto* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        for (const auto& folder : folders_of(root + mount, path)) apply_v2(folder, limits);
      }
      continue;
    }
    std::istringstream names(controllers);
    std::vector<std::string> mounts{controllers};
    for (std::string name; std::getline(names, name, ',');) mounts.push_back(name);
    for (const auto& mount : mounts) {
      for (const auto& folder : folders_of(root + "/sys/fs/cgroup/" + mount, path)) {
        apply_v1(controllers, folder, limits);
      }
    }
  }
}

std::int64_t affinity_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

std::int64_t total_memory_mb(const std::string& root) {
  std::istringstream lines(read_part(root + "/proc/meminfo", kKernelFileBytesMax));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("MemTotal:", 0) == 0) return parse_amount(trimmed(line.substr(9))) / 1024;
  }
  return 0;
}

bool is_label(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

}  // namespace

Limits measure_limits(const std::string& root) {
  Limits limits{affinity_cpus() * 1000, total_memory_mb(root)};
  apply_cgroups(root, limits);
  return limits;
}

std::int64_t measure_disk_free_mb(const std::string& path) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return 0;
  return static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize) / kMegabyte;
}

double measure_load() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

work::Offer offer_of(const Machine& machine, const ExecutorConfig& reserve,
                     const std::map<std::string, std::string>& tags) {
  const auto memory_mb =
      std::max<std::int64_t>(0, machine.limits.memory_mb - reserve.memory_reserved_mb);
  const auto disk_mb = std::max<std::int64_t>(0, machine.disk_free_mb - reserve.disk_reserved_mb);
  work::Offer offer;
  offer.amounts = {{"cpus", machine.limits.cpus_milli},
                   {"memory_mb", memory_mb * 1000},
                   {"memory_gb", memory_mb * 1000 / 1024},
                   {"disk_mb", disk_mb * 1000},
                   {"gpus", static_cast<std::int64_t>(machine.gpus.all.size()) * 1000}};
  if (!machine.gpus.all.empty()) {
    const auto smallest =
        std::min_element(machine.gpus.all.begin(), machine.gpus.all.end(),
                         [](const Gpu& a, const Gpu& b) { return a.memory_mb < b.memory_mb; });
    offer.amounts.push_back({"vram_gb", smallest->memory_mb * 1000 / 1024});
    if (machine.gpus.cuda_milli > 0) offer.amounts.push_back({"cuda", machine.gpus.cuda_milli});
  }
  for (const auto& [key, value] : tags) {
    if (!is_label(key) || value == "false") continue;
    offer.tags.push_back(key);
    if (is_label(value) && value != "true") offer.tags.push_back(key + ":" + value);
  }
  offer.normalize();
  return offer;
}

}  // namespace riftbus::executor
