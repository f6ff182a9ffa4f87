// Follower: makes its log equal to the leader's and says how far it is.
//
// Two numbers are never confused. `matched`: up to here the log was compared with this term's
// leader. `durable`: up to here it is on disk. What lies on disk from an earlier term may still be
// replaced, and what was compared may still be lost, so only the smaller of the two is acknowledged
// (counting the first alone loses commits; so does the second).
//
// Everything that depends on the disk is answered when the disk has answered; a heartbeat is
// answered at once. One answer per turn, with the newest numbers.
//
// Pure; not thread-safe.
#pragma once

#include "node/consensus/core.h"
#include "node/consensus/progress_watch.h"
#include "node/consensus/snapshot_receiver.h"

namespace riftbus::consensus {

class Follower {
 public:
  explicit Follower(Core& core) : core_(core), snapshots_(core), matched_(core.commit) {}

  // From the leader of this term.
  void on_append(ServerId from, const Append& append, TimePoint now);
  void on_chunk(ServerId from, SnapshotChunk chunk, TimePoint now);
  // True: log and state machine have been replaced.
  bool on_installed(const SnapshotInstalled& event);
  void on_persisted();
  // Into the outbox: the answer that is due.
  void flush();

  [[nodiscard]] bool is_leader_stuck(TimePoint now) const {
    return watch_.is_stalled(core_.timing().stall, now);
  }
  [[nodiscard]] bool is_installing() const { return snapshots_.is_installing(); }
  [[nodiscard]] Index acknowledged() const;

 private:
  // In a new term nothing has been compared yet but what is committed.
  void enter_term(TimePoint now);
  [[nodiscard]] static bool is_well_formed(const Append& append, Term term);
  [[nodiscard]] bool contradicts_commit(const Append& append) const;
  [[nodiscard]] bool fits(Index prev_index, Term prev_term) const;
  void refuse(ServerId to, const Append& append);
  // True if the log changed.
  bool adopt(const Append& append);

  Core& core_;
  SnapshotReceiver snapshots_;
  ProgressWatch watch_;
  Term term_;  // in which all that follows was learnt
  Index matched_;
  std::uint64_t round_ = 0;
  Index told_;               // the last acknowledgement of this term
  bool answer_due_ = false;  // now
};

}  // namespace riftbus::consensus
