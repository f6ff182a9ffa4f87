// QueueReplica: one server of the replicated work queue: consensus, the queue, and what a leader
// owes to those who ask it.
//
// The log decides, the queue obeys. A command is answered when, and only when, the entry that
// carries it was applied here, in the term in which it was proposed; so an answer means that a
// majority has it on disk. What was not answered is unknown to the asker: it asks again, of
// whoever leads, with the very same command, which the queue recognises (node/work/command.h).
//
// On top of that a leader
//   - gathers the commands of a turn, or of a moment (gather.h), into one proposal;
//   - proposes Tick when something in the queue is due, and in between so that the time that has
//     passed is not lost with it; Expire when a lease ran out (lease_book.h); and Recover before
//     anything else when the cluster's generation has changed;
//   - answers renewals and reads only after a majority has confirmed that it still leads;
//   - keeps claims that would be granted nothing for as long as they are willing to wait, and
//     proposes them once something fits: an idle worker costs no log entries.
// It holds nothing else: whatever it knows beyond the log may be lost at any moment.
//
// Everybody else answers Moved with the leader, if one is known. Reading queue() is always allowed;
// whether that is the present or the past is told by ReadNow only.
//
// Bounds: ReplicaLimits. What exceeds them is answered Busy, never dropped in silence.
//
// Contract. Pure: no clock, no I/O, no thread. `now` never decreases. One turn of the owner's loop
// is: take() what happened, then flush() once and execute `out` in order (consensus.h says what
// that means for each action). Each ticket is answered exactly once, unless it is forgotten.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "node/consensus/consensus.h"
#include "node/work/lease_book.h"
#include "node/work/queue.h"

namespace riftbus::replica {

// Names one request; chosen by the owner and never used again.
using Ticket = Strong<struct TicketTag>;

struct ReplicaLimits {
  std::size_t waiting_commands = 16 * 1024;      // not yet proposed
  std::size_t waiting_bytes = 16 * 1024 * 1024;  // likewise
  std::size_t batch_commands = 4096;             // in one proposal
  std::size_t batch_bytes = 2 * 1024 * 1024;     // likewise
  std::size_t parked_claims = 8192;              // waiting for work
  std::size_t open_reads = 4096;                 // reads and renewals being confirmed
  Nanos park_max = Seconds(60);                  // however long a claim is willing to wait
  std::size_t applies_per_turn = 4;              // Apply actions; then the loop goes round
  Nanos gather_max = Nanos();                    // 0: proposed in the turn they come in (gather.h)
  // A snapshot yields to commands: while some are applied it is written a piece at a time, with
  // pauses; but not any more after so many of them, or the log would grow without end.
  std::size_t snapshot_piece_bytes = 64 * 1024;
  std::size_t snapshot_pieces = 4;  // on their way to the disk
  Nanos snapshot_pause = Millis(5);
  std::uint64_t snapshot_patience_entries = 128 * 1024;
  std::uint64_t snapshot_patience_bytes = 32 * 1024 * 1024;
};

struct ReplicaSettings {
  consensus::Settings log;
  ReplicaLimits limits;
};

// ---- what happens to us, beside the events of consensus ---------------------------------------

// A command, decoded and allowed; `bytes` are its encoding (encode()d here if empty).
struct Submit {
  Ticket ticket;
  work::Command command;
  std::string bytes;
  Nanos wait{};  // a Claim: how long it may wait for work; 0: answered at once
};
struct Renew {
  Ticket ticket;
  work::Renewal renewal;
};
struct Read {
  Ticket ticket;
};
// Nobody waits for the answer any more. A command that was proposed may still happen.
struct Forget {
  Ticket ticket;
};
// Membership has evidence about a worker (LeaseBook::expire_worker). Heeded by the leader only.
struct Evidence {
  NodeId worker;
  work::Lapse lapse = work::Lapse::dead;
};
using Request = std::variant<Submit, Renew, Read, Forget, Evidence>;

// ---- what we ask of the world ----------------------------------------------------------------

// The leader, as far as it is known here; 0: nobody. Whether anything was done is unknown.
struct Moved {
  consensus::ServerId leader;
  consensus::Term term;
};
// A bound is reached: ask again in a while.
struct Busy {};
// Answer from queue() now, before anything else is given to this object.
struct ReadNow {};
using RenewedAnswers = std::vector<work::RenewedAnswer>;

struct Answer {
  Ticket ticket;
  std::variant<work::Reply, RenewedAnswers, ReadNow, Moved, Busy> body;
};

// Of our own snapshot, whole it is exactly the state at meta.index: to be kept, in order, behind
// the writes that were asked for before; then piece_written(). After the last one SnapshotTaken,
// too. A first piece begins anew: what came of another snapshot before is void.
struct SnapshotPiece {
  consensus::SnapshotMeta meta;
  std::string bytes;  // at least one
  bool is_first = false;
  bool is_last = false;
};

using Action = std::variant<consensus::Persist, consensus::Send, consensus::Compact,
                            consensus::ReadSnapshot, consensus::StoreChunk,
                            consensus::InstallSnapshot, consensus::Announce, SnapshotPiece, Answer>;
using Actions = std::vector<Action>;

// ---- what is known ---------------------------------------------------------------------------

struct ReplicaStats {
  std::uint64_t proposed = 0, applied = 0, answered = 0, moved = 0, busy = 0, parked = 0, woken = 0,
                ticks = 0, expires = 0, renewals = 0, reads = 0, undecodable = 0;
};

class QueueReplica {
 public:
  // `queue` is the state at settings.log.memory.snapshot. `random` must outlive this object.
  QueueReplica(ReplicaSettings settings, work::WorkQueue queue, Random& random);
  ~QueueReplica();
  QueueReplica(const QueueReplica&) = delete;
  QueueReplica& operator=(const QueueReplica&) = delete;

  // Not Applied, which is our own business; for an installed snapshot use install().
  void take(const consensus::Event& event, TimePoint now);
  void take(Request request, TimePoint now);
  // The received snapshot is durable; this is what it holds.
  void install(consensus::Index index, work::WorkQueue queue, TimePoint now);
  // One SnapshotPiece is on the disk, or void.
  void piece_written();
  void flush(TimePoint now, Actions& out);
  [[nodiscard]] TimePoint next_deadline(TimePoint now) const;

  // ---- operators' requests to a leader, answered at once (consensus.h)
  consensus::Refusal transfer(consensus::ServerId to, TimePoint now);
  consensus::Proposal change(const consensus::Change& change, TimePoint now);
  consensus::Refusal recover(TimePoint now);

  [[nodiscard]] const work::WorkQueue& queue() const;
  [[nodiscard]] const work::LeaseBook& leases() const;
  [[nodiscard]] const consensus::Consensus& log() const;
  // It may propose, and its leases run.
  [[nodiscard]] bool is_leading() const;
  [[nodiscard]] const ReplicaStats& stats() const;
  [[nodiscard]] std::size_t parked() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace riftbus::replica
