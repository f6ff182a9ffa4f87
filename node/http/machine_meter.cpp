#include "node/http/machine_meter.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <fstream>

namespace riftbus::node {

namespace {

constexpr Seconds kLookEvery{1};
constexpr int kIdleColumn = 3;
constexpr int kWaitColumn = 4;
constexpr int kColumns = 8;  // those after it are parts of the first two

double percent(double part, double whole) {
  return whole <= 0 ? 0 : std::clamp(100 * part / whole, 0.0, 100.0);
}

double memory_percent() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  double value = 0, total = 0, available = 0;
  while (file >> name >> value && std::getline(file, unit)) {
    if (name == "MemTotal:") total = value;
    if (name == "MemAvailable:") available = value;
    if (total > 0 && available > 0) break;
  }
  return total > 0 ? percent(total - available, total) : 0;
}

}  // namespace

MachineMeter::Load MachineMeter::look(TimePoint now) {
  if (has_looked_ && now - looked_ < kLookEvery) return load_;
  has_looked_ = true;
  looked_ = now;
  std::ifstream file("/proc/stat");
  std::string name;
  file >> name;
  std::uint64_t busy = 0, total = 0, value = 0;
  for (int column = 0; column < kColumns && file >> value; ++column) {
    total += value;
    if (column != kIdleColumn && column != kWaitColumn) busy += value;
  }
  if (total > total_) {
    load_.cpu_percent =
        percent(static_cast<double>(busy - busy_), static_cast<double>(total - total_));
    busy_ = busy;
    total_ = total;
  }
  load_.memory_percent = memory_percent();
  return load_;
}

double measure_disk_percent(const std::string& path) {
  struct statvfs disk {};
  if (statvfs(path.c_str(), &disk) != 0) return 0;
  const auto used = static_cast<double>(disk.f_blocks - disk.f_bfree);
  return percent(used, used + static_cast<double>(disk.f_bavail));
}

}  // namespace riftbus::node
