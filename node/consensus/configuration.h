// Configuration: who votes, who only listens, and how many make a majority.
//
// It lives in the log and changes one server at a time, so that any majority of the old voters and
// any of the new ones share a member (Ongaro, "Consensus: Bridging Theory and Practice", 2014,
// chapter 4.1). A newcomer is first a learner: it is sent the log and counts for nothing. The
// published algorithm had a hole when leaders change between two changes (Ongaro, raft-dev mailing
// list, July 2015); it is closed by a leader's waiting for its first own entry to commit.
//
// Nothing else makes a quorum: not who is alive, not what an operator sees, only this.
//
// Pure value; not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "node/consensus/types.h"

namespace riftbus::consensus {

enum class Standing : std::uint8_t { learner = 1, voter = 2 };

struct Server {
  ServerId id;
  Standing standing = Standing::learner;
  std::uint32_t priority = 0;  // higher is preferred as leader, by the bully policy only
  bool operator==(const Server&) const = default;
};

// Why a request was not taken. none: it was.
enum class Refusal : std::uint8_t {
  none = 0,
  not_leader,          // ask the leader, if one is known
  overloaded,          // too much is waiting to be committed
  oversize,            // one command is longer than kEntryBytesMax, or there is none
  transferring,        // leadership is being handed over
  not_settled,         // this leader's first entry is not committed yet
  change_pending,      // an earlier change of the configuration is not committed yet
  unknown_server,      // not in the configuration, or not a voter where one is needed
  already_so,          // the configuration says so already
  too_many_servers,    // kServersMax, kVotersMax
  last_voter,          // somebody must be left to vote
  learner_lagging,     // it would weaken the quorum: it has not caught up
  disk_failed,         // this server has retired
  leader_is_in_charge  // recovery is for a cluster that has none
};
[[nodiscard]] const char* to_string(Refusal refusal);

struct Change {
  enum class Kind : std::uint8_t { add_learner, promote, demote, remove, set_priority };
  Kind kind = Kind::add_learner;
  ServerId server;
  std::uint32_t priority = 0;  // add_learner, set_priority
};

class Configuration {
 public:
  Configuration() = default;
  // `servers` in any order, each id once (CHECKed).
  Configuration(Generation generation, std::vector<Server> servers, RecoveryMark mark = {});

  [[nodiscard]] Generation generation() const { return generation_; }
  [[nodiscard]] RecoveryMark mark() const { return mark_; }
  [[nodiscard]] const std::vector<Server>& servers() const { return servers_; }  // ordered by id
  [[nodiscard]] const Server* find(ServerId id) const;
  [[nodiscard]] bool is_voter(ServerId id) const;
  [[nodiscard]] std::vector<ServerId> voters() const;
  [[nodiscard]] std::size_t voter_count() const;
  [[nodiscard]] std::size_t majority() const { return voter_count() / 2 + 1; }

  // The largest value that a majority of voters has reached. `value_of(ServerId)`.
  template <class ValueOf>
  [[nodiscard]] auto reached_by_majority(ValueOf value_of) const {
    std::vector<decltype(value_of(ServerId()))> values;
    for (const Server& server : servers_) {
      if (server.standing == Standing::voter) values.push_back(value_of(server.id));
    }
    return pick_majority(std::move(values));
  }

  // Checks only what the configuration itself can know.
  [[nodiscard]] Refusal check(const Change& change) const;
  // check() allowed it (CHECKed).
  [[nodiscard]] Configuration with(const Change& change) const;

  [[nodiscard]] std::string to_string() const;
  bool operator==(const Configuration&) const = default;

 private:
  template <class Value>
  static Value pick_majority(std::vector<Value> values);

  Generation generation_;
  RecoveryMark mark_;
  std::vector<Server> servers_;
};

template <class Value>
Value Configuration::pick_majority(std::vector<Value> values) {
  if (values.empty()) return Value{};
  // Insertion sort, the largest first: there are three or five.
  for (std::size_t i = 1; i < values.size(); ++i) {
    for (std::size_t k = i; k > 0 && values[k - 1] < values[k]; --k) {
      std::swap(values[k - 1], values[k]);
    }
  }
  return values[values.size() / 2];
}

// The state of everything up to and with `index`, without the bytes.
struct SnapshotMeta {
  Index index;
  Term term;
  LogTime stamp;  // of the entry at `index`
  Configuration configuration;
  bool operator==(const SnapshotMeta&) const = default;
};

}  // namespace riftbus::consensus
