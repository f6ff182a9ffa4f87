// Gather: when the commands that wait become a proposal.
//
// One fsync costs a hundred times what a command costs, so the fewer of them carry the same
// commands, the better. Clients that wait for their answers fall into step with the disk: those
// answered by one write ask again at once, just too late for the next write, which has begun with
// whoever came in between. Two groups then take turns, and each waits for two writes. A moment of
// patience makes one group of them: nothing is proposed while our own disk is at work, nor, right
// after answers went out, before as many commands have come as were answered, or a write's time is
// over. etcd, PostgreSQL (commit_delay) and MySQL know the same trade.
//
// Whoever comes to an idle log is not held at all. A hold ends with the write it waits for, at the
// latest after two usual ones or kHoldsMax * longest, so that a majority of other disks goes on
// while ours hangs; and when kEnough commands wait, for then patience gains nothing. Correctness
// does not depend on any of this.
//
// Pure; not thread-safe. Lives as long as a leader's term.
#pragma once

#include <algorithm>
#include <cstddef>

#include "node/consensus/types.h"

namespace riftbus::replica {

class Gather {
 public:
  static constexpr std::size_t kEnough = 256;
  static constexpr int kHoldsMax = 5;

  // `longest`: how long commands may be held for those that were just answered; 0: never.
  explicit Gather(Nanos longest) : longest_(longest) {}

  // The first of those that wait has come.
  void on_first(TimePoint now) { first_at_ = now; }
  // Somebody's command; and an answer to one.
  void on_command() { awaited_ -= awaited_ > 0 ? 1 : 0; }
  void on_answer(TimePoint now);
  void on_proposed() { awaited_ = 0; }
  // A write was handed to our disk; it, and all before it, is durable.
  void on_write(consensus::WriteSeq seq, TimePoint now);
  void on_written(consensus::WriteSeq seq, TimePoint now);

  // When those that wait are to be proposed. `open`: commands in the log that are not yet applied.
  [[nodiscard]] TimePoint due(std::size_t waiting, std::size_t open) const;

 private:
  [[nodiscard]] Nanos patience() const { return std::min(usual_write_, longest_); }

  Nanos longest_;
  Nanos usual_write_{};
  consensus::WriteSeq issued_, written_;
  consensus::WriteSeq timed_;  // of this one we know when it began
  TimePoint timed_at_{};
  TimePoint first_at_{};
  TimePoint written_at_{};
  TimePoint answered_at_{};
  std::size_t awaited_ = 0;  // answered since the last proposal, and not heard of again
};

}  // namespace riftbus::replica
