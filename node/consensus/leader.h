// Leader: what a server does while it leads a term: replicate, count, keep time, hand over.
//
// Everything here begins with begin() and is void with end(). An entry is committed when a majority
// of the configured voters has it on disk and it is of this term; older ones are committed along
// with it, never by counting alone (Raft, figure 8). The leader itself counts with what its own
// disk has confirmed, like everybody; it may commit what it does not have on disk yet if enough
// others have.
//
// It gives up when it is not heard by a majority for one election timeout, when it gets nothing
// done, and when it is no longer a voter: verdict() says so, the owner acts.
//
// The split: leader.cpp answers and counting, leader_send.cpp what leaves, leader_tasks.cpp
// requests of operators: members, transfer, takeover.
//
// Pure; not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "node/consensus/core.h"
#include "node/consensus/log_clock.h"
#include "node/consensus/progress.h"
#include "node/consensus/progress_watch.h"
#include "node/consensus/reads.h"

namespace riftbus::consensus {

class Leader {
 public:
  explicit Leader(Core& core) : core_(core) {}

  void begin(TimePoint now);
  void end();

  // ---- events
  void on_append_answer(ServerId from, const AppendAnswer& answer, TimePoint now);
  void on_snapshot_answer(ServerId from, const SnapshotAnswer& answer, TimePoint now);
  void on_snapshot_bytes(SnapshotBytes event, TimePoint now);
  // Counts what is durable here and there.
  void advance_commit(TimePoint now);
  // Does what is due; then whatever must leave is put into the outbox.
  void advance(Index applied, TimePoint now);
  void replicate(TimePoint now);
  void settle_reads(Index applied);
  // none: go on.
  [[nodiscard]] Reason verdict(TimePoint now) const;
  [[nodiscard]] TimePoint next_deadline() const;

  // ---- requests
  Proposal propose(std::span<const std::string_view> commands, TimePoint now);
  Refusal read(ReadTicket ticket);
  Refusal transfer(ServerId to, TimePoint now);
  Proposal change(const Change& change, TimePoint now);

  // To whom leadership goes when this server stops; nobody if nobody is fit.
  [[nodiscard]] ServerId fittest() const;
  [[nodiscard]] bool is_settled() const { return core_.commit >= first_; }
  [[nodiscard]] LogTime log_time(TimePoint now) const {
    return clock_.stamp(core_.log.last_stamp(), now);
  }
  void describe(Status& status) const;

 private:
  static constexpr std::uint64_t kHandOverLagMax = 64;  // entries; more is no time to hand over
  static constexpr int kInstallPatience = 30;  // election timeouts, then a snapshot is sent again

  struct HandOver {
    ServerId to;
    TimePoint due;
    bool asked = false;
    TimePoint ask_due{};
  };

  Index append(EntryKind kind, std::string_view payload, TimePoint now);
  void follow_configuration(TimePoint now);
  void on_committed(Index before, TimePoint now);

  // leader_send.cpp
  void replicate_to(ServerId to, Progress& peer, TimePoint now);
  bool send_entries(ServerId to, Progress& peer, TimePoint now);
  void send_beat(ServerId to, Progress& peer);
  void send_append(ServerId to, Index prev, Entries entries);
  void ask_for_chunks(ServerId to, Progress& peer, TimePoint now);

  // leader_tasks.cpp
  [[nodiscard]] Refusal check(const Change& change, TimePoint now) const;
  [[nodiscard]] bool is_fit(const Progress& peer, TimePoint now) const;
  void advance_hand_over(TimePoint now);
  void advance_takeover(TimePoint now);
  [[nodiscard]] ServerId better_leader(TimePoint now) const;

  Core& core_;
  std::map<ServerId, Progress> peers_;  // all in the configuration but ourselves
  Index first_;                         // our no-op
  LogClock clock_;
  Reads reads_;
  std::uint64_t round_ = 0;
  bool beat_all_ = false;  // a round began
  ProgressWatch commits_, applies_, writes_;
  std::optional<HandOver> hand_over_;
  ServerId challenger_;  // bully: fit since
  TimePoint challenged_at_{};
  bool was_settled_ = false;
  Index applied_;
};

}  // namespace riftbus::consensus
