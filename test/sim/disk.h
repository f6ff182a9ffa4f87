// Disk: what a host remembers when its process dies.
//
// Writes are pending until their fsync is done, some milliseconds (or seconds) later, in order. A
// crash keeps some prefix of what was pending, as kernels do: a write that was never confirmed may
// have reached the disk or not. A wiped disk remembers nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "config/random.h"
#include "test/sim/schedule.h"

namespace riftbus::sim {

struct DiskOptions {
  Nanos fsync_min = Millis(1);
  Nanos fsync_max = Millis(20);
};

class Disk {
 public:
  Disk(Schedule& schedule, const DiskOptions& options, std::uint64_t seed)
      : schedule_(schedule), options_(options), random_(seed) {}

  // `done` runs when the value is safe; never, if the process dies first.
  void store(std::string key, std::uint64_t value, std::function<void()> done);
  // The newest durable value; 0: none.
  [[nodiscard]] std::uint64_t load(const std::string& key) const;
  // The process died: unconfirmed writes become a random prefix of themselves.
  void crash();
  void wipe();
  void set_options(const DiskOptions& options) { options_ = options; }

 private:
  struct Pending {
    std::string key;
    std::uint64_t value = 0;
    std::function<void()> done;
  };
  void finish_first(std::uint64_t life);

  Schedule& schedule_;
  DiskOptions options_;
  Random random_;
  std::map<std::string, std::uint64_t> durable_;
  std::deque<Pending> pending_;
  TimePoint busy_until_{};
  std::uint64_t life_ = 0;
};

}  // namespace riftbus::sim
