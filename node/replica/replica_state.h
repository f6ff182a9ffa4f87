// What a QueueReplica consists of. Private to the replica*.cpp.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "node/replica/gather.h"
#include "node/replica/parking.h"
#include "node/replica/replica.h"
#include "node/work/snapshot.h"

namespace riftbus::replica {

// In the log, not yet applied; in ascending order of indexes.
struct Proposed {
  consensus::Index index;
  consensus::Term term;
  Ticket ticket;  // 0: nobody waits
  work::Command command;
  Nanos wait{};
};

struct SnapshotInTheMaking {
  SnapshotInTheMaking(consensus::SnapshotMeta of, const work::WorkQueue& queue)
      : meta(std::move(of)), writer(queue) {}
  consensus::SnapshotMeta meta;
  work::SnapshotWriter writer;
  bool is_begun = false;
  TimePoint next_at{};                      // its next piece
  std::uint64_t entries = 0, bytes = 0;     // applied since it was begun
  std::uint64_t entries_at_last_piece = 0;  // of these
};

struct QueueReplica::State {
  State(ReplicaSettings given, work::WorkQueue start, Random& random);

  // replica.cpp: requests.
  void on(Submit&& submit, TimePoint now);
  void on(Renew&& renew, TimePoint now);
  void on(Read&& read, TimePoint now);
  void on(Forget&& forget, TimePoint now);
  void on(Evidence&& evidence, TimePoint now);
  void answer(Ticket ticket, decltype(Answer::body) body);
  void answer_moved(Ticket ticket);
  void enqueue(Submit&& submit, TimePoint now);
  void enqueue_duty(work::Command command, TimePoint now);
  void wait(Submit&& submit, TimePoint now);
  void confirm(std::variant<Renew, Read> request, TimePoint now);

  // replica_turn.cpp: what a turn does.
  void observe_role();
  void step_down();
  void begin_leading(TimePoint now);
  void propose_duties(TimePoint now);
  void wake_parked(TimePoint now);
  void propose(TimePoint now);
  // True: something was applied, so there may be more.
  bool turn_log(TimePoint now, Actions& out);
  void apply(const consensus::Apply& apply, TimePoint now);
  void apply_entry(const consensus::Entry& entry, TimePoint now);
  void settle(Proposed& proposed, work::Reply reply, TimePoint now);
  void settle_read(consensus::ReadTicket ticket, TimePoint now);
  // In log time: when the next tick is to be proposed.
  [[nodiscard]] work::LogMs tick_due() const;
  [[nodiscard]] TimePoint next_piece() const;
  void write_piece(TimePoint now, Actions& out);
  // What it is about is to be replaced.
  void give_up_snapshot(TimePoint now);
  [[nodiscard]] std::optional<Proposed> take_proposed(const consensus::Entry& entry);

  ReplicaSettings settings;
  consensus::Consensus core;
  work::WorkQueue queue;
  work::LeaseBook book;
  ReplicaStats stats;

  bool is_leader = false;   // consensus says so
  bool is_leading = false;  // and our first entry is applied
  consensus::Term term;     // in which we lead
  bool tick_open = false;
  bool again = false;         // there is work that does not wait for an event
  bool looked_at_all = true;  // no parked claim needs another look before something is applied

  std::deque<Submit> waiting;
  std::size_t waiting_bytes = 0;
  Gather gather;
  bool is_refused = false;  // too much is under way, or leadership is being handed over
  std::deque<Proposed> proposed;
  Parking parking;
  std::size_t claims_open = 0;  // waiting or in the log
  std::uint64_t next_read = 1;
  std::map<consensus::ReadTicket, std::variant<Renew, Read>> confirming;
  std::optional<SnapshotInTheMaking> snapshot;
  std::size_t pieces_open = 0;
  std::vector<Answer> answers;
  consensus::Actions log_actions;       // scratch
  std::vector<std::string_view> batch;  // scratch
};

}  // namespace riftbus::replica
