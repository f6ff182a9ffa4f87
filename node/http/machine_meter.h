// MachineMeter: how busy the machine is, from /proc, looked at once a second at most.
//
// cpu_percent is over the time since the look before, which is the second since the last question
// while somebody asks, and longer after a pause. Reads of /proc do not wait for disks.
//
// One thread per object.
#pragma once

#include <cstdint>
#include <string>

#include "config/types.h"

namespace riftbus::node {

class MachineMeter {
 public:
  struct Load {
    double cpu_percent = 0;
    double memory_percent = 0;
  };
  [[nodiscard]] Load look(TimePoint now);

 private:
  Load load_;
  TimePoint looked_{};
  bool has_looked_ = false;
  std::uint64_t busy_ = 0;
  std::uint64_t total_ = 0;
};

// Used share of the disk below `path`. May wait for that disk.
[[nodiscard]] double measure_disk_percent(const std::string& path);

}  // namespace riftbus::node
