// Applier: hands out what is decided, a bounded piece at a time, and says when to take a snapshot.
//
// The next piece leaves only after the state machine has taken the last one, so a server that has
// much to catch up keeps answering heartbeats in between. A snapshot is asked for exactly between
// two pieces: it covers what was applied, no more and no less.
//
// Pure; not thread-safe.
#pragma once

#include "node/consensus/core.h"

namespace riftbus::consensus {

class Applier {
 public:
  explicit Applier(Core& core) : core_(core), applied_(core.commit), handed_out_(core.commit) {}

  // Repeated and older: ignored.
  void on_applied(Index index);
  void on_snapshot_taken(const SnapshotTaken& event);
  // The state machine was set from a received snapshot.
  void restart(Index index);
  // Into `pending`: the next piece, if the last one is done.
  void advance();

  [[nodiscard]] Index applied() const { return applied_; }

 private:
  [[nodiscard]] bool is_snapshot_due() const;
  void ask_for_snapshot();

  Core& core_;
  Index applied_;
  Index handed_out_;
  Index asked_;  // the newest place a snapshot was asked for
  bool asking_ = false;
};

}  // namespace riftbus::consensus
