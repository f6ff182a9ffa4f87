#include "node/executor/gpu_desk.h"

#include <algorithm>

#include "config/needs.h"

namespace riftbus::executor {

namespace {

// No device has this number: what follows it, and that is all, is not seen.
constexpr const char* kNone = "-1";

void append(std::string& list, std::string_view word) {
  if (!list.empty()) list += ',';
  list += word;
}

bool runs_cuda(const std::string& name) { return name.starts_with(kNvidia); }

}  // namespace

bool needs_cuda(const std::string& needs, work::Offer offer) {
  const auto parsed = work::Needs::parse(needs);
  if (!parsed || !parsed->match(offer)) return false;
  std::erase_if(offer.amounts, [](const work::Amount& each) { return each.name == "cuda"; });
  return !parsed->match(offer);
}

std::int64_t GpuDesk::free_of(const std::string& name) const {
  std::int64_t left = kWhole;
  for (const auto& [hold, parts] : held_) {
    for (const auto& [held, milli] : parts) {
      if (held == name) left -= milli;
    }
  }
  return left;
}

const std::string* GpuDesk::find_part(std::int64_t milli, bool cuda,
                                      const std::vector<std::string>& taken) const {
  const std::string* best = nullptr;
  for (const auto& name : names_) {
    const bool is_taken = std::find(taken.begin(), taken.end(), name) != taken.end();
    if (is_taken || (cuda && !runs_cuda(name)) || free_of(name) < milli) continue;
    if (best == nullptr || free_of(name) < free_of(*best)) best = &name;
  }
  return best;
}

std::optional<std::vector<std::string>> GpuDesk::take(const work::Hold& hold, std::int64_t milli,
                                                      bool cuda) {
  std::vector<std::string> chosen;
  const std::int64_t part = milli % kWhole;
  for (std::int64_t left = milli; left >= kWhole; left -= kWhole) {
    const auto* whole = find_part(kWhole, cuda, chosen);
    if (whole == nullptr) return std::nullopt;
    chosen.push_back(*whole);
  }
  if (part > 0) {
    const auto* best = find_part(part, cuda, chosen);
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
