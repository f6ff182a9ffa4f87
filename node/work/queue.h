// WorkQueue: the replicated queue that never grants an item twice.
//
// A deterministic machine: equal commands in equal order give equal queues, byte for byte
// (snapshot.h), on every replica. What is to be decided, above all which worker gets which item,
// is decided in apply() and nowhere else; so a grant exists exactly when its log entry is
// committed, and two leaders can never have granted differently.
//
// Guarantees:
//   - at most one unfinished grant per item; a new one only after the old one's end was applied;
//   - the end of a grant is accepted once, and only with its fence from its holder;
//   - a repeated command is answered like the first one, or as `repeated`, and changes nothing;
//   - nothing is dropped in silence: a full queue says `again`, whatever gives way is counted.
// Execution is at least once, effect is exactly once, provided that what work writes becomes
// visible only through an accepted completion.
//
// Limits: renewals are not here but in the leader's memory (lease_book.h); whether the lease of a
// silent worker is over is the leader's judgement, brought here as an Expire. Work done by one
// apply() is bounded by the command, and kDueMax timers; configuring a new aging sorts anew.
//
// Time is log time: the stamps of entries never decrease (a lower one is read as the last). Pure:
// no clock, no randomness, no I/O. Not thread-safe. Indexes of entries must ascend (CHECKed).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/work/command.h"
#include "node/work/ledger.h"

namespace riftbus::work {

class WorkQueue {
 public:
  WorkQueue();
  ~WorkQueue();
  WorkQueue(WorkQueue&&) noexcept;
  WorkQueue& operator=(WorkQueue&&) noexcept;
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  // From a snapshot.
  explicit WorkQueue(std::unique_ptr<Ledger> ledger);

  // Takes the payloads of an Add out of it; any other command stays as it is.
  Reply apply(const Stamp& stamp, Command&& command);
  Reply apply(const Stamp& stamp, const Command& command) { return apply(stamp, Command(command)); }

  // When a Tick has work, in log time: the leader proposes one then. LogMs max: never.
  [[nodiscard]] LogMs next_due_ms() const;
  [[nodiscard]] std::uint64_t applied_index() const;
  // Everything, for reading: queries (query.h), snapshots, checkers.
  [[nodiscard]] const Ledger& ledger() const { return *ledger_; }

 private:
  std::unique_ptr<Ledger> ledger_;
};

}  // namespace riftbus::work
