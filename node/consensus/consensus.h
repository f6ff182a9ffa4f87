// Consensus: one replicated log, agreed upon by a majority of voters, through one leader.
//
// This is Raft (Ongaro and Ousterhout 2014; Ongaro's dissertation, 2014) as a value that is told
// what happened and says what to do. On top of the paper: pre-vote and check-quorum (9.6, 6.2), so
// that a server which comes back from nowhere disturbs nobody and a leader cut off from the others
// knows it; learners and one change of members at a time (4); leadership transfer (3.10);
// linearizable reads without log entries (6.4); snapshots in pieces; and log time (types.h).
//
// What holds, whatever is lost, delayed, repeated, crashed or paused, as long as disks keep what
// they acknowledged: one leader per term; what was handed out in Apply is handed out at the same
// place by every server, in order, once per start; nothing is committed before a majority of the
// *configured* voters has it on disk. A minority never commits, under any policy.
//
// Rules that carry this, each with a test that fails without it: a vote or a new term is on disk
// before anybody hears of it; a follower acknowledges min(on disk, proved equal to this leader's
// log); only entries of the own term are committed by counting (Raft, figure 8); a leader's first
// entry is a no-op, and before it commits no member changes and no reads are served; completions
// from the disk carry write numbers (durability.h).
//
// A Policy decides only who campaigns when (campaign_clock.h). It may differ from server to server
// and change at any moment. Hints about who seems alive do no more either.
//
// A leader that is there but gets nothing done (stuck disk, stuck state machine) gives up by
// itself, and its followers stop being loyal to it (progress_watch.h).
//
// Limits: voters are believed (no Byzantine faults); a voter that forgets what its disk
// acknowledged must be removed and added anew; entries since the last snapshot are in memory.
//
// Contract. Pure: no clock, no I/O, no thread; randomness is passed in. `now` never decreases
// (CHECKed). Not thread-safe. One turn of the owner's loop is: take() each event and make requests,
// then flush() once and execute `out` in order. Batching is in that: one write and, while there is
// no backlog, one Append per follower and turn. A Send may be executed at once, whatever happened
// to earlier writes: messages that depend on a write are kept here until it is Persisted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "config/random.h"
#include "config/types.h"
#include "node/consensus/messages.h"

namespace riftbus::consensus {

// ---- settings --------------------------------------------------------------------------------

enum class Policy : std::uint8_t { raft = 1, bully = 2, hybrid = 3 };

struct Timing {
  Nanos election = Seconds(1);    // silence after which a leader is doubted; at most twice that
  Nanos heartbeat = Millis(100);  // well below election: a few may be lost
  Nanos rank_step = Millis(150);  // bully: head start of each rank; above a round trip and fsync
  Nanos stall = Seconds(5);       // work without progress for so long: the leader is stuck
  Nanos takeover = Seconds(30);   // bully: so long must a better leader be fit before it is asked
};

struct Limits {
  std::uint64_t uncommitted_bytes = 16 * 1024 * 1024;  // then proposals are refused
  std::uint64_t window_bytes = 4 * 1024 * 1024;        // under way to one follower
  std::size_t window_messages = 64;                    // likewise
  std::size_t apply_bytes = 1024 * 1024;               // in one Apply
  std::size_t apply_entries = 4096;                    // likewise: the loop must not stall
  // Of applied log: either makes a snapshot due, unless the last one was so large that the log is
  // to grow to twice its size first (dissertation, 5.1.3): so writing snapshots takes a third of
  // all that is written. For the memory and the restart, the log has bounds of its own.
  std::uint64_t snapshot_bytes = 64 * 1024 * 1024;
  std::uint64_t snapshot_entries = 256 * 1024;
  std::uint64_t log_bytes = 256 * 1024 * 1024;
  std::uint64_t log_entries = 1024 * 1024;
  std::uint64_t trailing_entries = 16 * 1024;       // kept behind a snapshot, for slow followers
  std::uint64_t trailing_bytes = 16 * 1024 * 1024;  // likewise
  std::size_t chunk_bytes = 128 * 1024;             // <= kChunkBytesMax
  std::uint64_t chunk_window = 8;                   // chunks under way to one follower
  std::size_t reads = 4096;                         // waiting
};

// What the disk knows at start. Bootstrapped: bootstrap(). Never took part: all empty.
struct Memory {
  HardState hard;
  SnapshotMeta snapshot;
  Entries entries;                   // consecutive; the first no later than snapshot.index + 1
  std::uint64_t snapshot_bytes = 0;  // 0: unknown
};

struct Settings {
  ServerId self;
  ClusterKey cluster;
  Policy policy = Policy::raft;
  Timing timing;
  Limits limits;
  Memory memory;
};

// What each of the first voters stores, all the same, before it starts for the first time.
[[nodiscard]] Memory bootstrap(const Configuration& configuration);

// ---- what happens to us ----------------------------------------------------------------------

// A message whose speaker was proved by its connection's key.
struct Received {
  Message message;
};
// All writes up to `seq` survive a crash.
struct Persisted {
  WriteSeq seq;
};
// The state machine is at `index`.
struct Applied {
  Index index;
};
// The snapshot asked for is durable, or could not be made.
struct SnapshotTaken {
  Index index;
  bool ok = true;
  std::uint64_t bytes = 0;  // of it; 0: unknown
};
// Bytes of the newest snapshot, as asked; `meta` says which one they belong to.
struct SnapshotBytes {
  ServerId to;
  SnapshotMeta meta;
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
  std::string bytes;
};
// The received snapshot is durable, has replaced log and state machine; or was found damaged.
struct SnapshotInstalled {
  Index index;
  bool ok = true;
};
// A write failed or a record is corrupt: this server takes no part any more.
struct DiskFailed {};
// Servers that membership holds alive, of those in the configuration. Empty: nothing is known.
struct Hint {
  std::set<ServerId> alive;
};
struct PolicyChosen {
  Policy policy = Policy::raft;
};
struct Tick {};

using Event = std::variant<Received, Persisted, Applied, SnapshotTaken, SnapshotBytes,
                           SnapshotInstalled, DiskFailed, Hint, PolicyChosen, Tick>;

// ---- what we ask of the world ----------------------------------------------------------------

// In one transaction: cut the log off before `cut_from` (0: nothing), append, replace the hard
// state. Once durable, Persisted. Writes are done in order.
struct Persist {
  WriteSeq seq;
  std::optional<HardState> hard;
  Index cut_from;
  Entries entries;
};
struct Send {
  Message message;
};
// Decided. In order, without gaps; then Applied. The next one comes only after that.
struct Apply {
  Entries entries;
};
// Of the state machine exactly as it is now, all Applies before this one done. Made durable after
// all writes before it, or the log on disk could end before the snapshot; then SnapshotTaken.
struct TakeSnapshot {
  SnapshotMeta meta;
};
// Entries up to here may be deleted from disk; a durable snapshot covers them.
struct Compact {
  Index up_to;
};
// Of the newest snapshot, at most bytes_max, for a follower; then SnapshotBytes.
struct ReadSnapshot {
  ServerId to;
  std::uint64_t offset = 0;
  std::size_t bytes_max = 0;
};
// A piece of a snapshot being received; offset 0 begins anew and discards what came before.
struct StoreChunk {
  SnapshotMeta meta;
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
  std::string bytes;
};
// All pieces were stored. Verify; then, at once and durably, replace the snapshot by it, empty the
// log and set the state machine; then SnapshotInstalled. In order with Persist.
struct InstallSnapshot {
  SnapshotMeta meta;
};
// The state machine at `index`, which it has reached, answers the read.
struct ReadReady {
  ReadTicket ticket;
  Index index;
};
// Leadership ended first: ask the new leader.
struct ReadLost {
  ReadTicket ticket;
};
enum class Happening : std::uint8_t {
  follows,       // `subject` leads; 0: nobody known
  campaigns,     // for `term`
  leads,         // elected; its first entry is under way
  settled,       // its first entry is committed: changes and reads from now on
  steps_down,    // see `reason`
  reconfigured,  // a configuration entry was committed
  transfers,     // to `subject`
  transfer_failed,
  superseded,          // `subject` speaks for a later generation: this log is history
  removed,             // `subject` knows that the configuration no longer names this server
  rival,               // `subject` speaks for another recovery of this very generation
  follower_lost_data,  // `subject` does not have what it acknowledged
  diverged,            // `subject` sent other entries than were committed here
  disk_failed,
};
enum class Reason : std::uint8_t {
  none,
  newer_term,
  quorum_silent,
  no_progress,
  removed,
  superseded,
  disk
};
struct Announce {
  Happening happening = Happening::follows;
  Term term;
  ServerId subject;
  Reason reason = Reason::none;
};

using Action = std::variant<Persist, Send, Apply, TakeSnapshot, Compact, ReadSnapshot, StoreChunk,
                            InstallSnapshot, ReadReady, ReadLost, Announce>;
using Actions = std::vector<Action>;

[[nodiscard]] const char* to_string(Policy policy);
[[nodiscard]] std::optional<Policy> parse_policy(std::string_view text);
[[nodiscard]] const char* to_string(Happening happening);
[[nodiscard]] const char* to_string(Reason reason);
// One line each: golden traces are made of them.
[[nodiscard]] std::string to_string(const Event& event);
[[nodiscard]] std::string to_string(const Action& action);

// ---- what is known ---------------------------------------------------------------------------

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader, retired };
[[nodiscard]] const char* to_string(Role role);

struct PeerStatus {  // as the leader sees it
  ServerId id;
  Index match;
  TimePoint contact;
  bool heard = false;  // in this term
  bool lost_data = false;
};
// What costs nothing to ask, in every turn.
struct Glance {
  Role role = Role::follower;
  Policy policy = Policy::raft;
  Term term;
  Generation generation;
  ServerId vote;
  ServerId leader;  // 0: unknown
  TimePoint leader_contact;
  Index commit, applied, last, durable;
  bool removed = false;     // the configuration does not name this server any more
  Generation successor{};   // not 0: retired, because of this later generation
  TimePoint rival_heard{};  // when another recovery of this generation was last heard
};
// For people.
struct Status : Glance {
  bool settled = false;
  std::set<ServerId> granted, refused;  // of a campaign under way
  std::vector<PeerStatus> peers;        // of a leader
  ServerId transfer_to;
};
struct Stats {
  std::uint64_t campaigns = 0, pre_campaigns = 0, elections_won = 0, step_downs = 0, appends = 0,
                refusals = 0, stray = 0, malformed = 0, foreign_generation = 0, chunks = 0,
                outbox_dropped = 0;
};

// Where proposed commands stand in the log, if they stay: they are done when Apply shows this index
// with this term, and undone when it shows another term there. Until then nothing is known.
struct Proposal {
  Refusal refusal = Refusal::none;
  Index first;
  Term term;
  [[nodiscard]] bool ok() const { return refusal == Refusal::none; }
};

class Consensus {
 public:
  // `random` must outlive this object. Nothing happens before the first call.
  Consensus(Settings settings, Random& random);
  ~Consensus();
  Consensus(const Consensus&) = delete;
  Consensus& operator=(const Consensus&) = delete;

  void take(const Event& event, TimePoint now);
  void flush(TimePoint now, Actions& out);
  // Both.
  void step(const Event& event, TimePoint now, Actions& out);
  // When step(Tick) next has work; max() if never by itself.
  [[nodiscard]] TimePoint next_deadline() const;

  // ---- requests, answered at once; what follows from them comes with the next flush()
  // All of them or none; copied.
  Proposal propose(std::span<const std::string_view> commands, TimePoint now);
  Proposal propose(std::string_view command, TimePoint now) {
    return propose(std::span(&command, 1), now);
  }
  // Then ReadReady or ReadLost, once.
  Refusal read(ReadTicket ticket, TimePoint now);
  // To the fittest voter if `to` is nobody. Given up after one election timeout.
  Refusal transfer(ServerId to, TimePoint now);
  Proposal change(const Change& change, TimePoint now);
  // The operator's last resort: this server alone, with the log it has, begins the next
  // generation. What only the lost majority knew is lost. An old server that hears of it retires
  // for good, even a majority of them, and must be emptied before it is added again; if the new
  // generation is lost in turn, such a one may begin a later one.
  Refusal recover(TimePoint now);

  [[nodiscard]] Glance glance() const;
  [[nodiscard]] Status status() const;
  [[nodiscard]] const Configuration& configuration() const;  // in force, committed or not
  [[nodiscard]] const Stats& stats() const;
  // The stamp an entry would get now: a leader proposes a tick when something is due by it.
  [[nodiscard]] LogTime log_time(TimePoint now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace riftbus::consensus
