#include <array>

#include "config/setting_forms.h"
#include "config/settings_rows.h"

namespace riftbus {

ElectionSpans spans_of(const LeadershipConfig& config, TimingProfile profile) {
  const bool is_flaky = profile == TimingProfile::flaky;
  return {config.election_ms.value_or(is_flaky ? 2500 : 800),
          config.heartbeat_ms.value_or(is_flaky ? 250 : 80),
          config.rank_step_ms.value_or(is_flaky ? 400 : 150)};
}

namespace {

using N = NodeSettings;
using Leadership = LeadershipConfig;

constexpr std::array<std::string_view, 3> kPolicies{"raft", "bully", "hybrid"};

// The former orchestrator asked "raft or not", and without it was a bully.
Status assign_policy(NodeSettings& node, const Texts& texts) {
  if (const auto is_raft = parse_boolean(texts.front())) {
    node.leadership.policy = *is_raft ? "raft" : "bully";
    return Ok{};
  }
  return assign_choice<&N::leadership, &Leadership::policy, kPolicies>(node, texts);
}

template <auto Member, std::int64_t Low, std::int64_t High>
constexpr SettingSpec span(std::string_view key, std::string_view meaning) {
  return integer<&N::leadership, Member, Low, High>(key, "ms", "", "", meaning);
}

constexpr auto kLeadershipSettings = std::to_array<SettingSpec>({
    {"leadership.policy", kScalar, kShared, "", "",
     "CONSENSUS_MODE RINGRIFT_CONSENSUS_MODE RAFT_ENABLED RINGRIFT_RAFT_ENABLED",
     "who campaigns first: raft, bully or hybrid (true: raft, false: bully)", &assign_policy,
     &read_word<&N::leadership, &Leadership::policy>},
    span<&Leadership::election_ms, 50, 60'000>("leadership.election_ms",
                                               "silence after which a leader is doubted"),
    span<&Leadership::heartbeat_ms, 10, 20'000>("leadership.heartbeat_ms",
                                                "between a leader's beats to the voters"),
    span<&Leadership::rank_step_ms, 1, 20'000>("leadership.rank_step_ms",
                                               "bully: head start of each better rank"),
});

}  // namespace

std::span<const SettingSpec> leadership_setting_rows() { return kLeadershipSettings; }

}  // namespace riftbus
