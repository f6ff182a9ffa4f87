// Offer: what a worker has and may run, in its own words; and amounts of things that are counted.
//
// An offer states totals. What the worker's grants hold is subtracted by the queue, at the moment
// of the claim, so that two claims in flight cannot spend one GPU twice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace riftbus::work {

inline constexpr std::size_t kNeedsBytesMax = 512;
inline constexpr std::size_t kKeyBytesMax = 128;  // dedupe key, name of data or of a resource
// Of one amount, in thousandths: sums over every item that there can be do not overflow.
inline constexpr std::int64_t kAmountMax = 1'000'000'000'000;

struct Amount {
  std::string name;
  std::int64_t milli = 0;  // thousandths
  auto operator<=>(const Amount&) const = default;
};

struct Offer {
  std::vector<Amount> amounts;     // cpus, gpus, vram_gb, cuda, ...
  std::vector<std::string> tags;   // spot, arm64, ...
  std::vector<std::string> data;   // names of data that lie on its disk
  std::vector<std::string> kinds;  // that it runs; empty: any
  bool operator==(const Offer&) const = default;

  // Sorts, removes doubles and moves amounts into bounds, so that look-ups are searches. The queue
  // does it on arrival.
  void normalize();
  // nullptr: the worker does not say.
  [[nodiscard]] const std::int64_t* find_amount(std::string_view name) const;
  [[nodiscard]] bool has_tag(std::string_view tag) const;
  [[nodiscard]] bool has_data(std::string_view name) const;
  [[nodiscard]] bool runs_kind(std::string_view kind) const;
};

// Resources that are used up: `gpus>=1` alone also reserves one. Others (cuda, vram_gb: of each
// GPU) are properties and are not diminished by use.
inline constexpr std::array<std::string_view, 6> kCounted = {"cpus",      "disk_mb",   "gpus",
                                                             "memory_gb", "memory_mb", "slots"};
[[nodiscard]] bool is_counted(std::string_view name);

}  // namespace riftbus::work
