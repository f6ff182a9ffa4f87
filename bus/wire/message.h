// Every message that Riftbus programs say to each other, one struct each.
//
// All travel inside an Envelope, encoded as msgpack arrays (codec.h; grammar in README.md beside
// this file). PUB/SUB carries Beat and Gossip; ROUTER/DEALER carries the rest as requests and
// answers tied by `correlation`. Elements may be appended to a message in a later version; readers
// ignore elements they do not know and give absent ones the default written here. That is the
// promise by which version N talks to N-1.
//
// Times inside messages are spans in milliseconds, never points in time: clocks are not shared.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bus/wire/carry.h"
#include "config/roster.h"
#include "config/types.h"

namespace riftbus::wire {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::uint8_t kVersionMin = 1;

// ---- vocabulary ------------------------------------------------------------------------------

// In order of preference when nothing is known about them.
enum class AddressKind : std::uint8_t {
  loopback = 1,
  lan = 2,
  public_ip = 3,
  tailscale = 4,
  relay = 5
};

// An address of kind relay leads to a SOCKS5 proxy; through it a node is asked for as
// "<id>.riftbus", and by these numbers instead of the ports that it listens on.
inline constexpr std::string_view kRelayedSuffix = ".riftbus";
inline constexpr std::uint16_t kRelayedCallNumber = 7770;
inline constexpr std::uint16_t kRelayedPubNumber = 7771;

struct Address {
  AddressKind kind = AddressKind::lan;
  std::string host;             // DNS name, IPv4 or IPv6 address without brackets
  std::uint16_t call_port = 0;  // ROUTER
  std::uint16_t pub_port = 0;   // PUB
  auto operator<=>(const Address&) const = default;
};

struct Resources {
  std::uint32_t cpus = 0;
  std::uint64_t memory_mb = 0;
  std::uint64_t disk_free_mb = 0;
  std::uint32_t gpus = 0;
  std::string gpu_name;
  std::uint64_t gpu_memory_mb = 0;
  bool operator==(const Resources&) const = default;
};

// What a member says about itself. Only the member changes it, each time under a higher
// incarnation, so two records of one incarnation are equal.
struct Record {
  NodeId id;
  Instance instance;
  Incarnation incarnation;
  std::vector<Address> addresses;  // best first
  std::vector<Role> roles;
  std::string failure_domain;        // host, provider or relay it dies with; empty: its own
  std::uint32_t interval_ms = 1000;  // between its beats: the member advertises, watchers obey
  Resources resources;
  std::map<std::string, std::string> tags;
  std::string software;  // version of the program, for people
  bool operator==(const Record&) const = default;
};

// `unreachable`: its only path (a relay) failed; nobody may call it dead while it re-homes.
enum class Standing : std::uint8_t { alive = 1, suspect = 2, dead = 3, left = 4, unreachable = 5 };

// On what a suspicion or a verdict rests.
enum class Evidence : std::uint8_t {
  none = 0,
  silence = 1,   // no fresh beat, no answer on any path
  refused = 2,   // its host answers, nothing listens any more
  conflict = 3,  // a newer life with the same id was seen
  goodbye = 4,   // it said so itself
};

// One statement about one life of one member: the unit of gossip. Flooded once per
// (subject, incarnation, standing, accuser).
struct Claim {
  NodeId subject;
  Incarnation incarnation;
  Standing standing = Standing::alive;
  NodeId accuser;  // who observed it; empty for alive and left
  Evidence evidence = Evidence::none;
  std::optional<Record> record;  // with alive: the member's own words
  bool operator==(const Claim&) const = default;
};

// ---- PUB/SUB ---------------------------------------------------------------------------------

// "I live": each interval. Small on purpose: it is nearly all of the steady traffic.
struct Beat {
  Incarnation incarnation;
  std::uint64_t uptime_ms = 0;  // sender's own clock: receivers compute queueing delay from it
  std::uint8_t health = 0;      // Lifeguard's local health multiplier: 0 well .. 7 in trouble
  std::uint32_t interval_ms = 0;
  std::uint32_t digest = 0;  // of the sender's whole view; equal views give equal digests
  RosterVersion roster;
  bool operator==(const Beat&) const = default;
};

// Flooded on PUB/SUB; also sent as a one-way call: corrections, repairs, accusations to the
// accused.
struct Gossip {
  std::vector<Claim> claims;
  bool operator==(const Gossip&) const = default;
};

// ---- ROUTER/DEALER: meeting -------------------------------------------------------------------

// First message on every DEALER connection.
struct Hello {
  std::uint8_t version_min = kVersionMin;
  std::uint8_t version_max = kVersion;
  std::string software;
  bool bundles = false;  // takes several envelopes in one frame: bundle.h
  bool operator==(const Hello&) const = default;
};
struct HelloAnswer {
  std::uint8_t version = kVersion;  // the one to speak
  std::string cluster;
  std::string software;
  RosterVersion roster;
  bool bundles = false;
  bool operator==(const HelloAnswer&) const = default;
};

// "Take me in": the answer pages through everything that the answerer knows.
struct Join {
  Record record;
  NodeId after;  // page cursor: ids greater than this; empty: from the start
  bool operator==(const Join&) const = default;
};
struct JoinAnswer {
  // Highest incarnation the answerer has seen for the joiner: it must go above.
  Incarnation seen;
  std::vector<Claim> claims;
  NodeId after;  // cursor for the next page; empty: that was all
  bool operator==(const JoinAnswer&) const = default;
};

// ---- ROUTER/DEALER: watching ------------------------------------------------------------------

// A watcher registers with its subject, and renews before the lease ends.
struct Watch {
  std::uint32_t lease_ms = 0;  // 0: I stop watching
  // The other way round: I am short of watchers; please watch me for as long as the lease.
  bool recruit = false;
  bool operator==(const Watch&) const = default;
};
struct WatchAnswer {
  Incarnation incarnation;
  bool operator==(const WatchAnswer&) const = default;
};

struct Ping {
  bool operator==(const Ping&) const = default;
};
struct Pong {
  Incarnation incarnation;
  std::uint8_t health = 0;
  std::uint64_t uptime_ms = 0;
  bool operator==(const Pong&) const = default;
};

// Indirect check: asked of the subject's other watchers, answered from memory.
struct AskHeard {
  NodeId subject;
  Incarnation incarnation;
  bool operator==(const AskHeard&) const = default;
};
struct Heard {
  NodeId subject;
  Incarnation incarnation;
  bool watching = false;       // false: I do not watch it and cannot tell
  bool refused = false;        // it refused a connection from me since its last beat
  std::uint32_t age_ms = 0;    // of the last fresh beat
  std::uint64_t beat_seq = 0;  // of that beat
  std::uint32_t interval_ms = 0;
  bool operator==(const Heard&) const = default;
};

// ---- ROUTER/DEALER: repair --------------------------------------------------------------------

// PUB frames from..to (sequence numbers) did not arrive: answered with Gossip.
struct Resync {
  Seq from;
  Seq to;
  bool operator==(const Resync&) const = default;
};

// Anti-entropy, cheapest step first: hashes of 64 buckets, then the ids of buckets that differ,
// then the records that are really wanted (Fetch, answered with Gossip).
inline constexpr std::size_t kDigestBuckets = 64;
struct Digest {
  std::array<std::uint32_t, kDigestBuckets> buckets{};
  bool operator==(const Digest&) const = default;
};
struct DigestEntry {
  NodeId id;
  Incarnation incarnation;
  Standing standing = Standing::alive;
  bool operator==(const DigestEntry&) const = default;
};
struct DigestAnswer {
  std::vector<std::uint8_t> differing;  // bucket numbers
  std::vector<DigestEntry> entries;     // the answerer's members in those buckets
  bool operator==(const DigestAnswer&) const = default;
};
struct Fetch {
  std::vector<NodeId> ids;
  bool operator==(const Fetch&) const = default;
};

// ---- ROUTER/DEALER: roster --------------------------------------------------------------------

struct RosterGet {
  RosterVersion have;
  // roster_digest() of the asker's; 0: not told. Another document of the same version is sent too.
  std::uint64_t digest = 0;
  bool operator==(const RosterGet&) const = default;
};
struct RosterDocument {
  RosterVersion version;
  std::string bytes;  // signed; empty: mine is not newer
  bool operator==(const RosterDocument&) const = default;
};
struct RosterPut {  // admin role
  std::string bytes;
  bool operator==(const RosterPut&) const = default;
};

// ---- ROUTER/DEALER: operators -----------------------------------------------------------------

// A question by name ("status", "node.list", "why.node") with text arguments; the answer is a
// JSON document with "schema":1, the one that `riftbus -o json` prints.
struct Query {
  std::string name;
  std::map<std::string, std::string> arguments;
  bool operator==(const Query&) const = default;
};
struct Answer {
  std::string json;
  bool operator==(const Answer&) const = default;
};

// A refusal of any request, with the code that `riftbus explain` knows.
struct Refusal {
  std::uint16_t code = 0;
  std::string what;
  std::string next;
  bool operator==(const Refusal&) const = default;
};

// ---- ROUTER/DEALER: leadership and work --------------------------------------------------------

// One message of the replicated log's servers to each other, in the form of node/consensus/codec.h.
// One-way: loss, delay and repetition are the log's own business.
struct Consensus {
  std::string bytes;
  bool operator==(const Consensus&) const = default;
};

// What a WorkRequest holds. command: node/work/codec.h. renewal: node/replica/protocol.h, as is
// question: a Query about work or leadership that only the leader can answer. leader: nothing; who
// leads?
enum class WorkAsk : std::uint8_t { command = 1, renewal = 2, question = 3, leader = 4 };

// Answered by the leader; any other node passes it on, unless it was passed on already.
struct WorkRequest {
  WorkAsk ask = WorkAsk::command;
  std::string body;
  std::uint32_t wait_ms = 0;  // a claim: how long it may wait for work
  NodeId client;              // passed on by a member for this one; empty: the origin asks itself
  bool operator==(const WorkRequest&) const = default;
};

// done: `body` is the answer. moved: not here, and whether anything happened is unknown: repeat the
// same request, of `leader` if there is one. busy: likewise, later.
enum class WorkOutcome : std::uint8_t { done = 1, moved = 2, busy = 3 };

struct WorkReply {
  WorkOutcome outcome = WorkOutcome::done;
  std::string body;
  NodeId leader;           // as far as the answerer knows; empty: nobody
  std::uint64_t term = 0;  // in which it knows that
  bool stale = false;      // an answer to a question that no majority has confirmed
  bool operator==(const WorkReply&) const = default;
};

// ---- ROUTER/DEALER: tap -----------------------------------------------------------------------

struct TapStart {  // tap role; renewed before the lease ends; the newest one replaces the filter
  std::uint32_t lease_ms = 0;  // 0: stop
  bool payloads = false;       // refused unless the role grants them (admin)
  std::string filter;          // bus/tap/filter.h; empty: everything
  bool operator==(const TapStart&) const = default;
};

enum class Direction : std::uint8_t { in = 1, out = 2 };
enum class Channel : std::uint8_t { pub = 1, call = 2 };

struct TapFrame {
  std::int64_t wall_ms = 0;  // the tapped node's wall clock, for people only
  Direction direction = Direction::in;
  Channel channel = Channel::pub;
  NodeId peer;       // the other end; empty on pub/out
  NodeId origin;     // who said it
  std::string kind;  // name of the message, as to_string(Kind)
  std::uint64_t seq = 0;
  std::uint64_t correlation = 0;
  std::uint32_t bytes = 0;  // size on the wire without transport overhead
  std::string summary;      // decoded in a few words: "standing=suspect subject=n3 by=n1"
  std::string payload;      // the envelope's bytes; only with `payloads`
  bool operator==(const TapFrame&) const = default;
};
struct TapData {
  std::vector<TapFrame> frames;
  std::uint64_t matched = 0;  // since the tap began
  std::uint64_t dropped = 0;  // lost in the node's bounded queue since the tap began
  bool operator==(const TapData&) const = default;
};

// ---- envelope ---------------------------------------------------------------------------------

using Body = std::variant<Beat, Gossip, Hello, HelloAnswer, Join, JoinAnswer, Watch, WatchAnswer,
                          Ping, Pong, AskHeard, Heard, Resync, Digest, DigestAnswer, Fetch,
                          RosterGet, RosterDocument, RosterPut, Query, Answer, Refusal, TapStart,
                          TapData, Consensus, WorkRequest, WorkReply, Carry>;

// On the wire; never renumbered. The order of Body's alternatives does not matter.
enum class Kind : std::uint8_t {
  beat = 1,
  gossip = 2,
  hello = 10,
  hello_answer = 11,
  join = 12,
  join_answer = 13,
  watch = 20,
  watch_answer = 21,
  ping = 22,
  pong = 23,
  ask_heard = 24,
  heard = 25,
  resync = 30,
  digest = 31,
  digest_answer = 32,
  fetch = 33,
  roster_get = 40,
  roster_document = 41,
  roster_put = 42,
  query = 50,
  answer = 51,
  refusal = 52,
  tap_start = 60,
  tap_data = 61,
  consensus = 70,
  work_request = 71,
  work_reply = 72,
  carry = 80,
};
[[nodiscard]] Kind kind_of(const Body& body);
[[nodiscard]] const char* to_string(Kind kind);
[[nodiscard]] const char* to_string(Standing standing);
[[nodiscard]] const char* to_string(Evidence evidence);
[[nodiscard]] const char* to_string(AddressKind kind);

struct Envelope {
  NodeId origin;      // who says it; receivers compare it with the connection's key
  Instance instance;  // which life of it
  Seq seq;            // PUB: position in its PUB stream. Calls: position in its call stream
  Correlation correlation;
  Body body;
  bool operator==(const Envelope&) const = default;
};

// A few words for logs, golden traces and the tap; never the whole payload. Stable text.
[[nodiscard]] std::string to_string(const Body& body);
[[nodiscard]] std::string to_string(const Envelope& envelope);

}  // namespace riftbus::wire
