#include "node/jobs/kinds.h"

#include <algorithm>

#include "config/needs.h"

namespace riftbus::jobs {

namespace {

constexpr std::int64_t kOneCpuMilli = 1000;

std::uint32_t to_ms32(std::int64_t seconds) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, kSecondsMax) * 1000);
}

}  // namespace

work::Terms terms_of(const JobKind& kind) {
  work::Terms terms;
  terms.needs = kind.needs;
  terms.lease_ms = to_ms32(kind.lease_s);
  terms.timeout_ms = to_ms32(kind.timeout_s);
  terms.backoff_base_ms = to_ms32(kind.backoff_base_s);
  terms.backoff_cap_ms = to_ms32(kind.backoff_cap_s);
  terms.attempts_max = static_cast<std::uint8_t>(kind.attempts_max);
  terms.losses_max = static_cast<std::uint8_t>(kind.losses_max);
  terms.on_disconnect =
      kind.on_disconnect == "finish" ? work::OnDisconnect::finish : work::OnDisconnect::kill;
  terms.overlap_ok = kind.overlap_ok;
  const auto reserve = reserved_by(terms);
  const bool counts_cpus = std::any_of(reserve.begin(), reserve.end(),
                                       [](const auto& amount) { return amount.name == "cpus"; });
  if (!counts_cpus) terms.reserve.push_back({"cpus", kOneCpuMilli});
  return terms;
}

work::Spec spec_of(const JobKind& kind, std::string payload) {
  work::Spec spec;
  spec.kind = kind.name;
  spec.payload = std::move(payload);
  spec.priority = static_cast<std::uint8_t>(kind.priority);
  spec.terms = terms_of(kind);
  return spec;
}

std::vector<work::Amount> reserved_by(const work::Terms& terms) {
  std::map<std::string, std::int64_t> reserve;
  if (const auto needs = work::Needs::parse(terms.needs); needs) {
    for (const auto& amount : needs->counted()) reserve[amount.name] = amount.milli;
  }
  for (const auto& amount : terms.reserve) reserve[amount.name] = amount.milli;
  std::vector<work::Amount> amounts;
  for (const auto& [name, milli] : reserve) amounts.push_back({name, milli});
  return amounts;
}

}  // namespace riftbus::jobs
