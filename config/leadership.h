// `leadership:` When the voters of the replicated log campaign. None of it bears on safety: a
// campaign is a question, and a leader is whoever a majority of the voters has answered.
//
// The policy decides who campaigns first (node/consensus/campaign_clock.h): raft by chance, bully
// by rank among the voters that seem alive, hybrid by whichever comes first. The spans follow from
// timing.profile unless one is written; all voters of a cluster should have the same.
//
// Values without behaviour; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace riftbus {

enum class TimingProfile : std::uint8_t;

struct LeadershipConfig {
  std::string policy = "raft";               // raft, bully, hybrid: chance needs no knowledge of
                                             // who is alive, so it depends on nothing else
  std::optional<std::int64_t> election_ms;   // silence after which a leader is doubted
  std::optional<std::int64_t> heartbeat_ms;  // of a leader: several must fit into election_ms
  std::optional<std::int64_t> rank_step_ms;  // head start of a rank: above a round trip and fsync
  bool operator==(const LeadershipConfig&) const = default;
};

// A leader that is only slow must not be doubted: so many beats at least, until it is.
inline constexpr std::int64_t kHeartbeatsPerElection = 3;

struct ElectionSpans {
  std::int64_t election_ms = 0;
  std::int64_t heartbeat_ms = 0;
  std::int64_t rank_step_ms = 0;
};
[[nodiscard]] ElectionSpans spans_of(const LeadershipConfig& config, TimingProfile profile);

}  // namespace riftbus
