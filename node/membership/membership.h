// Membership: who is in the cluster, who of them is alive, and why we think so.
//
// Every member is watched by k others, its successors on k rings of hashed ids; they subscribe to
// its beats. Silence makes a watcher ask, never accuse: first the member itself, then the member's
// other watchers, who answer from memory. If somebody else hears it, a link is broken and nothing
// is said. If nobody does, the watcher suspects it aloud (and tells the accused); only the
// watchers' own observations shorten the suspicion (Lifeguard, arXiv:1707.00788), and only a
// watcher whose timer ran out floods the verdict. If nobody answers at all, the watcher doubts
// itself. A member that is reached through relays, none of which can be reached, is unreachable
// and not suspected: it has a bounded time to find another (watch.h). What is known spreads by
// flooding along the same edges and is repaired by digests.
//
// Guarantees: an incarnation is stored before it is used; a verdict always rests on at least one
// fresh observation of the one who spoke it; a local pause is nobody's death; equal views have
// equal digests. Limits: a member that lies about others is believed as far as its key is listed.
//
// Pure: reads no clock, opens no socket, starts no thread; randomness is passed in. `now` never
// decreases (CHECKed). Not thread-safe. The owner executes `out` in order and returns what came of
// it as events: StoreIncarnation -> IncarnationStored, Dial -> Dialled, Send of a request -> Heard
// with the answer, or nothing at all: every wait in here has its own deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "bus/wire/message.h"
#include "config/random.h"
#include "config/types.h"
#include "node/membership/timing.h"

namespace riftbus::membership {

// ---- what happens to us ----------------------------------------------------------------------

// Names the connection on which a request came, for the owner; 0: nobody waits.
using ReplyTo = Strong<struct ReplyToTag>;

// A message whose origin was proven by its connection's key.
struct Received {
  wire::Channel channel = wire::Channel::call;
  ReplyTo reply_to;
  wire::Envelope envelope;
};
// The subscription to a member's beats was made or broke (FIN, RST, refused).
struct LinkUp {
  NodeId peer;
};
struct LinkDown {
  NodeId peer;
};
// `refused`: at least one address answered with a refusal and none accepted. `relay_lost`: it is
// reached through relays, and none of them could be reached, or answered; of the member itself that
// says nothing. A relay that answers without leading to the member is `silent`.
enum class DialOutcome : std::uint8_t { accepted, refused, silent, relay_lost };
struct Dialled {
  NodeId peer;
  DialOutcome outcome = DialOutcome::silent;
};
struct IncarnationStored {
  Incarnation incarnation;
};
// Who may be a member now; others are forgotten at once.
struct RosterAdopted {
  RosterVersion version;
  std::set<NodeId> members;
};
// Our own record changed (addresses, resources, tags): announced under a new incarnation.
struct SelfChanged {
  wire::Record record;  // id, instance and incarnation are ignored
};
struct LeaveRequested {};
struct Tick {};

using Event = std::variant<Received, LinkUp, LinkDown, Dialled, IncarnationStored, RosterAdopted,
                           SelfChanged, LeaveRequested, Tick>;

// ---- what we ask of the world ----------------------------------------------------------------

struct Publish {  // to everyone who watches us
  wire::Body body;
};
struct Send {  // a call; correlation 0: one-way
  NodeId to;
  Correlation correlation;
  wire::Body body;
};
struct Reply {
  ReplyTo to;
  Correlation correlation;
  wire::Body body;
};
struct Subscribe {
  NodeId peer;
};
struct Unsubscribe {
  NodeId peer;
};
struct Dial {  // a bare connect to each address of the peer: does anybody listen?
  NodeId peer;
};
struct StoreIncarnation {  // fsync, then IncarnationStored
  Incarnation incarnation;
};
// Something an operator may want to know; also feeds the event journal and later parts.
enum class Happening : std::uint8_t {
  joined,
  suspected,
  refuted,
  died,
  left,
  returned,
  unreachable,
  replaced,
  conflict,
  paused,
  link_fault,
  forgotten,
  accused_self,
};
struct Announce {
  Happening happening = Happening::joined;
  NodeId subject;
  Incarnation incarnation;
  NodeId accuser;
  wire::Evidence evidence = wire::Evidence::none;
};

using Action =
    std::variant<Publish, Send, Reply, Subscribe, Unsubscribe, Dial, StoreIncarnation, Announce>;
using Actions = std::vector<Action>;

// Stable one-line texts: the golden traces are made of them.
[[nodiscard]] std::string to_string(const Event& event);
[[nodiscard]] std::string to_string(const Action& action);
[[nodiscard]] const char* to_string(Happening happening);

// ---- what is known ---------------------------------------------------------------------------

// One change of standing, kept for `riftbus why`. Bounded per member.
struct VerdictStep {
  TimePoint at;
  wire::Standing standing = wire::Standing::alive;
  Incarnation incarnation;
  NodeId accuser;
  wire::Evidence evidence = wire::Evidence::none;
};

struct Member {
  wire::Record record;
  wire::Standing standing = wire::Standing::alive;
  Incarnation incarnation;           // of the newest claim believed; >= record.incarnation
  TimePoint since;                   // of this standing
  bool verified = false;             // heard or probed by ourselves, not only by hearsay
  std::vector<VerdictStep> history;  // newest last
};

// How we, as a watcher, hear one member. Absent for members that we do not watch.
struct WatchReport {
  NodeId peer;
  bool linked = false;
  TimePoint last_beat;
  Seq last_seq;
  Nanos silence_limit{};
  std::optional<Nanos> rtt;
  std::uint64_t beats = 0;
  std::uint64_t beats_missed = 0;  // sequence gaps
  std::uint64_t beats_stale = 0;   // arrived too late to count as life
  std::vector<NodeId> accusers;    // of a running suspicion, in order of arrival
  std::optional<TimePoint> verdict_due;
  // Its relays are lost: nobody is suspected before.
  std::optional<TimePoint> frozen_until;
};

struct Stats {
  std::uint64_t probes = 0, indirect_probes = 0, link_faults = 0, suspicions = 0, refutations = 0,
                deaths = 0, relay_losses = 0, pauses = 0, floods_sent = 0, floods_duplicate = 0,
                resyncs = 0, digest_rounds = 0, digest_repairs = 0, claims_rejected = 0;
};

struct Settings {
  NodeId self;
  Instance instance;
  wire::Record record;        // what we say of ourselves; incarnation is filled in
  Incarnation stored;         // from disk; 0: none
  std::uint64_t wall_ms = 0;  // read once at start: only to choose the first incarnation
  Timing timing;
  std::vector<NodeId> seeds;  // whom to ask first: voters, configured seeds, cached peers
  RosterVersion roster;
  std::set<NodeId> allowed;  // members named by the roster
};

class Membership {
 public:
  // `random` must outlive this object. Nothing happens before the first step().
  Membership(Settings settings, Random& random);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  void step(const Event& event, TimePoint now, Actions& out);
  // When step(Tick) next has work; TimePoint::max() before the first step only.
  [[nodiscard]] TimePoint next_deadline() const;

  // Ordered by id; includes ourselves. References are valid until the next step().
  [[nodiscard]] std::vector<const Member*> members() const;
  [[nodiscard]] const Member* find(const NodeId& id) const;
  [[nodiscard]] std::vector<WatchReport> watching() const;  // whom we watch, ordered by id
  [[nodiscard]] std::vector<NodeId> watched_by() const;     // live WATCH leases on us
  [[nodiscard]] std::uint32_t digest() const;
  [[nodiscard]] int health() const;   // 0 well .. 7 in trouble
  [[nodiscard]] bool joined() const;  // somebody took us in, or there is nobody else
  [[nodiscard]] Incarnation incarnation() const;
  [[nodiscard]] const Stats& stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace riftbus::membership
