// Api: what a node tells an operator who asks, as JSON documents.
//
// A Query names a document and gives text arguments; the answer is that document, with "schema":1,
// exactly as `riftbus -o json` prints it. node/api/README.md describes every document. A node knows
// only its own view: it answers from memory, at once, and never asks others; the CLI asks several
// nodes and lays their answers side by side. Documents only grow: a reader ignores keys it does not
// know.
//
// Every time appears twice: as ISO text of this node's wall clock (for people) and as an age in
// milliseconds on its boot clock (for arithmetic).
//
// Pure: reads no clock, opens no socket. The view it answers from is lent for one call. Bad input
// from a peer (unknown query, wrong argument, missing role) gives a Refusal, never an error of
// ours. Not thread-safe; costs O(members) and is bounded by the roster (kRosterEntriesMax).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/bus.h"
#include "bus/wire/message.h"
#include "config/roster.h"
#include "config/types.h"
#include "node/membership/membership.h"
#include "node/mesh/http_way.h"
#include "node/mesh/journal.h"

namespace riftbus::node {

// All that the bus knows about reaching one peer.
struct LinkView {
  NodeId peer;
  std::optional<bus::LinkReport> calls;  // our DEALER to its ROUTER
  std::optional<bus::LinkReport> beats;  // our subscription to its PUB
};
// One LinkView per peer, ordered, from Bus::links().
[[nodiscard]] std::vector<LinkView> group_links(std::vector<bus::LinkReport> reports);

struct LeadershipView;  // node/api/api_leader.h
struct RelayView;       // node/api/api_relays.h

// What this node's executor has to do, in one glance.
struct JobsView {
  std::size_t running = 0;
  std::size_t slots = 0;
  bool draining = false;
};

// What Api answers from. Pointers and references are lent for one call of answer(); null where a
// node has no such thing (an --insecure node has no roster).
struct NodeView {
  NodeId self;
  Instance instance;
  std::string cluster;
  std::string software;                                // version of the program
  std::string timing_profile;                          // "lan", "wan", "flaky"
  const membership::Membership* membership = nullptr;  // never null
  const Journal* journal = nullptr;                    // never null
  const Roster* roster = nullptr;
  const std::set<NodeId>* roster_rivals = nullptr;   // who holds another one of this version
  std::shared_ptr<const LeadershipView> leadership;  // null: this node knows nothing of it
  std::optional<JobsView> jobs;                      // empty: this node runs no work
  std::shared_ptr<const RelayView> relays;           // null: nothing is known of any
  MembershipMode membership_mode = MembershipMode::swim;
  std::map<NodeId, HttpWay> http_ways;  // of those with whom anything was exchanged over HTTP
  // Ordered by peer. Peers that were never called may be missing.
  std::vector<LinkView> links;
  // Whatever the parts count ("bus.sent_bytes", "zap.refused", ...): shown as they are, by name.
  std::map<std::string, std::uint64_t> counters;
  // Extra addresses on which this node listens: shown by `status`.
  std::vector<wire::Address> listening;
  TimePoint started;
  Moment now;

  [[nodiscard]] bool is_alive(const NodeId& id) const;
};

// "Measure the round trip to `peer`": the owner sends a wire::Ping over the call path, and answers
// the operator with answer_ping() when the Pong is there or the timeout has passed.
struct PingOrder {
  NodeId peer;
  Millis timeout{};  // 1 ms to kPingTimeoutMax
};
inline constexpr Millis kPingTimeoutMax{10'000};
struct PingOutcome {
  std::optional<Nanos> rtt;  // empty: nothing came back in time
  std::optional<wire::Pong> pong;
  std::optional<wire::Address> via;
  std::string error;  // why not, if known: "breaker open", "no answer"
};

// "Measure the way to this relay": the owner connects to its front (node/api/hops.h), and answers
// with answer_hop().
struct HopOrder {
  std::string relay;  // its name
  wire::Address front;
};
struct HopOutcome {
  std::optional<Nanos> rtt;  // of the TCP handshake, as the kernel measured it
  std::string error;         // why there is none
};

// Null: not given.
[[nodiscard]] const std::string* find_argument(const wire::Query& query, const std::string& name);

using Reaction = std::variant<wire::Answer, wire::Refusal, PingOrder, HopOrder>;

class Api {
 public:
  // `asker_roles`: of the key that asked. Reading takes any of admin, tap, voter and node.
  [[nodiscard]] static Reaction answer(const wire::Query& query, const std::set<Role>& asker_roles,
                                       const NodeView& view);
  [[nodiscard]] static wire::Answer answer_ping(const PingOrder& order, const PingOutcome& outcome,
                                                const NodeView& view);
  [[nodiscard]] static wire::Answer answer_hop(const HopOrder& order, const HopOutcome& outcome,
                                               const NodeView& view);
  // Every query there is, ordered: "event.list", "link.list", "link.ping", ...
  [[nodiscard]] static std::vector<std::string_view> query_names();
};

}  // namespace riftbus::node
