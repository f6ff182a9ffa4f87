// GpuDesk: which job has which GPU. The queue counts GPUs, as it counts processors; it does not
// know them by name. Which ones a job gets is this node's own matter, and no two get the same.
//
// A job that needs whole GPUs has them alone. One that needs a part (gpus>=0.5) shares one with
// others of its kind, as far as their parts fit; it is given the fullest one that fits, so that
// whole ones stay whole.
//
// A GPU has a name that means the same to every program: "nvidia/GPU-8f6e...": the vendor and what
// its runtime accepts in the variable that chooses devices (variables_of).
//
// Contract: one thread; no I/O. What a job holds is kept until give_back(), also when the GPU is
// not measured any more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node/work/command.h"

namespace riftbus::executor {

// What the names begin with.
inline constexpr std::string_view kNvidia = "nvidia/";
inline constexpr std::string_view kAmd = "amd/";

class GpuDesk {
 public:
  static constexpr std::int64_t kWhole = 1000;  // of one GPU, in thousandths

  // What this machine has, in its order.
  void set(std::vector<std::string> names) { names_ = std::move(names); }
  // For `milli` thousandths of a GPU: the whole ones, then the shared one. Empty: they are in use.
  // `cuda`: only such as run CUDA will do.
  [[nodiscard]] std::optional<std::vector<std::string>> take(const work::Hold& hold,
                                                             std::int64_t milli, bool cuda = false);
  // A job of a former life has them.
  void adopt(const work::Hold& hold, const std::vector<std::string>& names, std::int64_t milli);
  void give_back(const work::Hold& hold) { held_.erase(hold); }

 private:
  using Parts = std::vector<std::pair<std::string, std::int64_t>>;
  [[nodiscard]] std::int64_t free_of(const std::string& name) const;
  // Of `milli`, which is at most a whole one; the fullest that fits.
  [[nodiscard]] const std::string* find_part(std::int64_t milli, bool cuda,
                                             const std::vector<std::string>& taken) const;

  std::vector<std::string> names_;
  std::map<work::Hold, Parts> held_;
};

// Whether a node of this offer would not do for these needs if it had no CUDA: on one that has GPUs
// of several vendors not any of them will do then.
[[nodiscard]] bool needs_cuda(const std::string& needs, work::Offer offer);

// What tells a program which GPUs are its own, for all runtimes; without any, that none is.
[[nodiscard]] std::map<std::string, std::string> variables_of(
    const std::vector<std::string>& names);

}  // namespace riftbus::executor
