// What servers of one log say to each other.
//
// Each message carries who speaks to whom, of which cluster and generation, and in which term; the
// rest is one of seven bodies. They may be lost, repeated and delayed, never forged: the connection
// proves the speaker before the core sees the message. Encoded, none exceeds
// kConsensusMessageBytesMax (codec.h).
//
// Names follow Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014).
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "node/consensus/configuration.h"
#include "node/consensus/types.h"

namespace riftbus::consensus {

// "Vote for me" or, with `pre_vote`, "would you?" (dissertation, 9.6), which changes nobody's term.
struct VoteRequest {
  bool pre_vote = false;
  bool transfer = false;  // the leader itself asked for this: its followers need not be loyal
  Term campaign;          // the term to be won; one above the header's for a pre-vote
  Index last_index;
  Term last_term;
  bool operator==(const VoteRequest&) const = default;
};
struct VoteAnswer {
  bool pre_vote = false;
  bool granted = false;
  Term campaign;  // of the request
  // The committed entry that took the asker out of the configuration; 0: it is in, or nothing is
  // known. Nobody else would tell it: a leader sends to those in the configuration only.
  Index removed_index{};
  Term removed_term{};
  bool operator==(const VoteAnswer&) const = default;
};

// Entries after (prev_index, prev_term); without entries, a heartbeat.
struct Append {
  Index prev_index;
  Term prev_term;
  Index commit;             // the leader's
  Index last;               // the leader's: has it work that it does not get done?
  std::uint64_t round = 0;  // to be echoed; counts within the term (dissertation, 6.4)
  Entries entries;
};
// match: durable here and equal to the leader's log, as far as this term's appends have shown.
// A refusal names the prev_index that did not match, and where the logs may still agree: the
// follower has `hint_term` at `hint_index` and no smaller distance is worth trying.
struct AppendAnswer {
  Index match;
  std::uint64_t round = 0;
  bool refused = false;
  Index refused_index;
  Index hint_index;
  Term hint_term;
  bool operator==(const AppendAnswer&) const = default;
};

// A piece of the snapshot `meta`, for who lags behind the log's beginning.
struct SnapshotChunk {
  SnapshotMeta meta;
  std::uint64_t offset = 0;
  std::uint64_t total = 0;  // bytes of the whole
  std::string bytes;
  bool operator==(const SnapshotChunk&) const = default;
};
// All before `offset` has arrived. The end of a transfer is told by an AppendAnswer.
struct SnapshotAnswer {
  Index index;
  Term term;
  std::uint64_t offset = 0;
  bool operator==(const SnapshotAnswer&) const = default;
};

// "Campaign at once; I shall not stand in your way" (dissertation, 3.10).
struct TimeoutNow {
  bool operator==(const TimeoutNow&) const = default;
};

using MessageBody = std::variant<VoteRequest, VoteAnswer, Append, AppendAnswer, SnapshotChunk,
                                 SnapshotAnswer, TimeoutNow>;

struct Message {
  ClusterKey cluster;
  Generation generation;
  ServerId from;
  ServerId to;
  Term term;  // the speaker's
  MessageBody body;
  RecoveryMark mark{};  // of the generation
};

// One line: "1->2 t3 Append 7/2 +3 commit 6".
[[nodiscard]] std::string to_string(const Message& message);

}  // namespace riftbus::consensus
