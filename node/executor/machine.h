// Machine: what there is to run work on, as far as this process may use it.
//
// A container sees the host's processors and memory; what counts is what its cgroup allows. So the
// processors are those of the affinity mask, bounded by the CPU quota, and the memory is the
// machine's, bounded by the limit of every cgroup above us, version 1 and 2.
//
// GPUs are what nvidia-smi says, if there is one. It is known to hang with the driver, beyond the
// reach of KILL: it gets kGpuPatience, then it is left behind, and no second one is started while
// the first still hangs. The node then offers none of these, and says so. AMD's are read from the
// kernel. If the daemon's own environment names devices in CUDA_VISIBLE_DEVICES, by number (in
// nvidia-smi's order) or name, only these are offered. Limit: parts of a divided GPU (MIG) are not
// told apart; a divided one counts as one.
//
// Blocking up to kGpuPatience (twice): not for a loop thread. One thread per GpuProbe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "config/offer.h"
#include "config/result.h"

namespace riftbus::executor {

inline constexpr std::uint16_t kNoGpus = 1748;
inline constexpr Seconds kGpuPatience{5};

struct Limits {
  std::int64_t cpus_milli = 0;
  std::int64_t memory_mb = 0;
};
// `root` is put before /proc and /sys: a test brings a tree of its own.
[[nodiscard]] Limits measure_limits(const std::string& root = "");

struct Gpu {
  std::string name;
  std::int64_t memory_mb = 0;
  std::string driver;
  std::string id;  // "nvidia/GPU-8f6e...": see gpu_desk.h
  bool operator==(const Gpu&) const = default;
};
struct Gpus {
  std::vector<Gpu> all;
  std::int64_t cuda_milli = 0;  // highest CUDA version of the driver: 12.4 is 12400; 0: not said
};

class GpuProbe {
 public:
  explicit GpuProbe(Nanos patience = kGpuPatience) : patience_(patience) {}
  // No nvidia-smi: no GPUs, no error. Error 1748: there is one, and it does not answer well.
  [[nodiscard]] Result<Gpus> measure();

 private:
  [[nodiscard]] Result<std::string> run(const std::vector<std::string>& command);

  Nanos patience_;
  pid_t hanging_ = 0;
};

// As this process may use them, in the order of AMD's runtime. `root`: as measure_limits().
[[nodiscard]] std::vector<Gpu> measure_amd_gpus(const std::string& root = "");
// Those of `all` that a CUDA_VISIBLE_DEVICES of this text lets through, in its order; like the
// runtime, it ends at the first word that fits none.
[[nodiscard]] std::vector<Gpu> visible_gpus(const std::vector<Gpu>& all, const std::string& text);

struct Machine {
  Limits limits;
  std::int64_t disk_free_mb = 0;
  double load = 0;  // average of one minute
  Gpus gpus;
};
[[nodiscard]] std::int64_t measure_disk_free_mb(const std::string& path);
[[nodiscard]] double measure_load();

// What it offers to work: cpus, memory_gb, memory_mb, disk_mb, gpus, vram_gb (of the smallest GPU),
// cuda; its tags as `key` and `key:value`.
[[nodiscard]] work::Offer offer_of(const Machine& machine, const ExecutorConfig& reserve,
                                   const std::map<std::string, std::string>& tags);

}  // namespace riftbus::executor
