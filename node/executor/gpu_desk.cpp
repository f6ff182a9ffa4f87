#include "node/executor/gpu_desk.h"

#include <algorithm>

namespace riftbus::executor {

namespace {

constexpr std::string_view kNvidia = "nvidia/";
constexpr std::string_view kAmd = "amd/";
// No device has this number: what follows it, and that is all, is not seen.
constexpr const char* kNone = "-1";

void append(std::string& list, std::string_view word) {
  if (!list.empty()) list += ',';
  list += word;
}

}  // namespace

std::int64_t GpuDesk::free_of(const std::string& name) const {
  std::int64_t left = kWhole;
  for (const auto& [hold, parts] : held_) {
    for (const auto& [held, milli] : parts) {
      if (held == name) left -= milli;
    }
  }
  return left;
}

std::optional<std::vector<std::string>> GpuDesk::take(const work::Hold& hold, std::int64_t milli) {
  std::vector<std::string> chosen;
  const auto wholes = static_cast<std::size_t>(milli / kWhole);
  const std::int64_t part = milli % kWhole;
  for (const auto& name : names_) {
    if (chosen.size() < wholes && free_of(name) == kWhole) chosen.push_back(name);
  }
  if (chosen.size() < wholes) return std::nullopt;
  if (part > 0) {
    const std::string* best = nullptr;
    for (const auto& name : names_) {
      const bool is_taken = std::find(chosen.begin(), chosen.end(), name) != chosen.end();
      if (is_taken || free_of(name) < part) continue;
      if (best == nullptr || free_of(name) < free_of(*best)) best = &name;
    }
    if (best == nullptr) return std::nullopt;
    chosen.push_back(*best);
  }
  adopt(hold, chosen, milli);
  return chosen;
}

void GpuDesk::adopt(const work::Hold& hold, const std::vector<std::string>& names,
                    std::int64_t milli) {
  Parts parts;
  for (const auto& name : names) {
    parts.emplace_back(name, std::min(milli, kWhole));
    milli -= std::min(milli, kWhole);
  }
  if (!parts.empty()) held_[hold] = std::move(parts);
}

std::map<std::string, std::string> variables_of(const std::vector<std::string>& names) {
  std::string nvidia;
  std::string amd;
  std::string amd_numbers;
  int count = 0;
  for (const std::string_view name : names) {
    if (name.starts_with(kNvidia)) append(nvidia, name.substr(kNvidia.size()));
    if (!name.starts_with(kAmd)) continue;
    append(amd, name.substr(kAmd.size()));
    // HIP counts what the runtime below it (ROCr) has let through.
    append(amd_numbers, std::to_string(count++));
  }
  return {{"CUDA_VISIBLE_DEVICES", nvidia.empty() ? kNone : nvidia},
          {"ROCR_VISIBLE_DEVICES", amd.empty() ? kNone : amd},
          {"HIP_VISIBLE_DEVICES", amd_numbers.empty() ? kNone : amd_numbers}};
}

}  // namespace riftbus::executor
