// Consensus::State: the parts, and the changes of role that concern more than one of them.
#pragma once

#include "node/consensus/applier.h"
#include "node/consensus/core.h"
#include "node/consensus/elector.h"
#include "node/consensus/follower.h"
#include "node/consensus/leader.h"

namespace riftbus::consensus {

struct Consensus::State {
  // A server that was stuck as a leader does not campaign for so many stall limits.
  static constexpr int kStallHold = 2;
  // Election timeouts of silence, after which a leader is not named any more.
  static constexpr int kSilence = 3;

  State(Settings settings, Random& random)
      : core(std::move(settings), random),
        elector(core),
        follower(core),
        leader(core),
        applier(core) {}

  // ---- events
  void on(const Received& event, TimePoint now);
  void on(const Persisted& event, TimePoint now);
  void on(const Applied& event, TimePoint now);
  void on(const SnapshotTaken& event, TimePoint now);
  void on(const SnapshotBytes& event, TimePoint now);
  void on(const SnapshotInstalled& event, TimePoint now);
  void on(const DiskFailed& event, TimePoint now);
  void on(const Hint& event, TimePoint now);
  void on(const PolicyChosen& event, TimePoint now);
  void on(const Tick&, TimePoint) {}

  // ---- messages of this term
  void take(ServerId from, Term term, const VoteRequest& request, TimePoint now);
  void take(ServerId from, Term term, const VoteAnswer& answer, TimePoint now);
  void take(ServerId from, Term term, const Append& append, TimePoint now);
  void take(ServerId from, Term term, const AppendAnswer& answer, TimePoint now);
  void take(ServerId from, Term term, const SnapshotChunk& chunk, TimePoint now);
  void take(ServerId from, Term term, const SnapshotAnswer& answer, TimePoint now);
  void take(ServerId from, Term term, const TimeoutNow& order, TimePoint now);

  void start(TimePoint now);
  void check_time(TimePoint now);
  [[nodiscard]] bool accepts(const Message& message, TimePoint now);
  // Of another generation, or of another recovery of ours.
  void hear_stranger(const Message& message, TimePoint now);
  void answer_predecessor(const Message& message);
  // There is a later generation: no part in anything any more, over restarts, too.
  void retire(ServerId told_by, Generation successor, TimePoint now);
  // To who has retired for a later generation: what its disk and state machine still report.
  [[nodiscard]] bool still_matters(const Event& event) const;
  // False: a second leader in one term, which cannot be.
  [[nodiscard]] bool hear_leader(ServerId from, TimePoint now);
  void follow(Term term, ServerId whom, TimePoint now);
  void step_down(Reason reason, TimePoint now);
  void advance_campaign(TimePoint now);
  // Who may not campaign would name a leader that is gone for ever.
  void forget_silent_leader(TimePoint now);
  [[nodiscard]] TimePoint silence_due() const;
  void advance_leader(TimePoint now);
  [[nodiscard]] bool is_retired() const { return core.role == Role::retired; }
  [[nodiscard]] bool is_leader() const { return core.role == Role::leader; }
  [[nodiscard]] TimePoint next_deadline() const;
  Refusal recover(TimePoint now);

  Core core;
  Elector elector;
  Follower follower;
  Leader leader;
  Applier applier;
  bool started = false;
  TimePoint last_step{};
};

}  // namespace riftbus::consensus
