// SnapshotReceiver: puts the pieces of a leader's snapshot together, in order, once.
//
// Pieces may be lost, repeated and overtaken by a newer snapshot: each answer names the place up to
// which everything has arrived, and only the piece that begins there is kept. Another leader, term
// or snapshot begins anew, since equal states need not have equal bytes.
//
// While the complete snapshot is being installed, the log stands still: an append accepted
// meanwhile would be judged against a log that is about to vanish.
//
// Pure; not thread-safe.
#pragma once

#include <optional>

#include "node/consensus/core.h"

namespace riftbus::consensus {

class SnapshotReceiver {
 public:
  explicit SnapshotReceiver(Core& core) : core_(core) {}

  // Of the present leader, and not covered by what is committed here.
  void on_chunk(ServerId from, SnapshotChunk chunk);
  // Returns what was installed; nothing if it failed or was not asked for.
  std::optional<SnapshotMeta> on_installed(const SnapshotInstalled& event);

  [[nodiscard]] bool is_installing() const { return installing_.has_value(); }

 private:
  struct Incoming {
    ServerId from;
    Term term;  // of the leader
    SnapshotMeta meta;
    std::uint64_t total = 0;
    std::uint64_t offset = 0;  // all before has been stored
  };
  [[nodiscard]] bool continues(ServerId from, const SnapshotChunk& chunk) const;
  void store(SnapshotChunk chunk);

  Core& core_;
  std::optional<Incoming> incoming_;
  std::optional<SnapshotMeta> installing_;
  std::uint64_t installing_bytes_ = 0;
};

}  // namespace riftbus::consensus
