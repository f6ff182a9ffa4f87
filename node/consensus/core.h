// Core: what the parts of one consensus server share: log, hard state, commit, and what leaves.
//
// One per Consensus; the parts (elector, follower, leader) hold a reference and are called in turn.
//
// Two rules live here, so that no part can break them. A message is released only when the hard
// state it was written under is durable, and never if the term has passed meanwhile. And each turn
// hands the disk at most one write, which brings it from the state it was last given to the present
// one, cut included.
#pragma once

#include <deque>
#include <set>

#include "node/consensus/consensus.h"
#include "node/consensus/durability.h"
#include "node/consensus/log.h"

namespace riftbus::consensus {

struct Core {
  static constexpr std::size_t kHeldMessagesMax = 1024;  // waiting for a write; older ones are lost

  Core(Settings given, Random& source);

  Settings settings;
  Random& random;
  Log log;
  Durability durability;
  HardState hard;
  std::uint64_t hard_version = 0;  // grows with each change of `hard`
  Role role = Role::follower;
  ServerId leader;
  TimePoint leader_contact{};
  Index commit;
  std::uint64_t snapshot_bytes;  // of the newest one on our disk; 0: unknown
  std::set<ServerId> alive;      // hint; empty: nothing is known
  bool is_told_removed = false;  // by a voter that knows a later configuration
  bool has_disk_failed = false;
  TimePoint rival_heard{};  // another recovery of this very generation
  Stats stats;
  Actions pending;  // in order of happening; leave with the next flush

  [[nodiscard]] ServerId self() const { return settings.self; }
  [[nodiscard]] const Timing& timing() const { return settings.timing; }
  [[nodiscard]] const Limits& limits() const { return settings.limits; }
  [[nodiscard]] bool is_voter() const { return log.configuration().is_voter(self()); }
  // A voter by any configuration that may be the last one committed: who removes himself and falls
  // may hold the only log that can still win (dissertation, 4.2.2).
  [[nodiscard]] bool may_campaign() const {
    return !is_told_removed && log.may_be_voter(self(), commit);
  }
  // The configuration is committed, and does not name it.
  [[nodiscard]] bool has_removed(ServerId id) const {
    const Configuration& configuration = log.configuration();
    return log.configuration_index() <= commit && configuration.voter_count() > 0 &&
           configuration.find(id) == nullptr;
  }
  // Not in the configuration, as far as is known here, and no leader speaks to us.
  [[nodiscard]] bool is_removed() const;
  // A voter by the configuration in force or by the one that is committed.
  [[nodiscard]] bool knows_voter(ServerId id) const {
    return log.configuration().is_voter(id) || log.configuration_at(commit).is_voter(id);
  }
  [[nodiscard]] bool seems_alive(ServerId id) const {
    return alive.empty() || id == self() || alive.contains(id);
  }
  [[nodiscard]] bool is_hard_durable() const { return durability.hard_version() >= hard_version; }
  // 0: no voter that seems alive is preferred.
  [[nodiscard]] std::size_t rank_of(ServerId id) const;

  void set_hard(const HardState& state);
  void set_vote(Term term, ServerId vote);
  void append(EntryPtr entry);
  void truncate(Index from);
  void restart_log(const SnapshotMeta& snapshot);
  void send(ServerId to, MessageBody body);
  void announce(Happening happening, ServerId subject = ServerId(), Reason reason = Reason::none);

  // Into `pending`: the write that is due, then what may be sent.
  void flush_write();
  void release_messages();

 private:
  struct Held {
    std::uint64_t version = 0;
    Message message;
  };
  std::deque<Held> held_;
  Index written_last_;           // of the log, as the disk was told
  Index changed_from_;           // the first place that differs from what the disk was told; or
  bool is_log_changed_ = false;  // nothing differs
  std::uint64_t written_version_ = 0;
};

}  // namespace riftbus::consensus
