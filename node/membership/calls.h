// Calls: which questions of ours are unanswered, so that an answer is believed only when asked for.
//
// A correlation is used once, for one peer. Answers that are late, repeated, from somebody else or
// never asked for are not ours. Bounded: the oldest question is forgotten first. The owner's own
// calls use correlations with the highest bit set; ours count up from 1.
//
// Pure; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "config/types.h"

namespace riftbus::membership {

// What the question was for: an answer of the right shape to another question is not ours.
enum class Purpose : std::uint8_t { join, watch, ping, reference, ask, resync, digest, fetch };

class Calls {
 public:
  static constexpr std::size_t kOpenMax = 1024;

  struct Question {
    NodeId peer;
    Purpose purpose = Purpose::ping;
    NodeId subject;  // of an indirect question or a reference ping
    TimePoint asked;
  };

  Correlation open(NodeId peer, Purpose purpose, NodeId subject, TimePoint now);
  // Empty: not an answer to a question of ours.
  std::optional<Question> close(Correlation correlation, const NodeId& from);

 private:
  std::map<Correlation, Question> open_;
  Correlation last_;
};

}  // namespace riftbus::membership
