// Bus: a node's sockets, and the only way in and out for its messages.
//
// It owns one ROUTER (calls in), one XPUB (our publications), one SUB per peer that we watch and
// one DEALER per peer that we call, each with its own connection so that the sender is known by
// the pinned server key and not by what it says. Everything is CURVE; `insecure` works on loopback
// only. An outgoing connection is tried over the peer's addresses in the order of bus/paths.h,
// staggered, and the first completed handshake wins; it is tried again with growing pauses until
// the owner loses interest.
//
// What the owner may rely on
// - Received means: well-formed, within limits, and `origin` is the owner of the key that the
//   connection proved. Whether its role allows the message is for the owner to judge.
// - Each call is delivered at most once per (origin, instance, seq). Nothing is delivered for
//   sure: a queue may be full, a connection may break. Deadlines are the owner's.
// - Nothing blocks: a peer that does not read costs its own messages and nobody else's time.
// - One turn handles a bounded number of messages and goes round the sockets, so that a flood
//   neither starves the owner's timers nor the other peers.
// - After set_roster() no byte of a revoked or unlisted key is delivered any more, and its live
//   connections are closed within that call.
// - Everything dropped is counted (bus/counters.h) and, if it was a peer's fault, logged at a
//   bounded rate.
//
// HELLO is the bus's own business: it says it first on each DEALER connection, answers it, and
// shows neither to the owner.
//
// Socket monitors: one per outgoing connection, narrow event mask, RCVHWM 0, drained in the loop.
// An undrained monitor with a high-water mark stops libzmq's I/O thread for good. Without the mark
// it can only cost memory, and no stranger can make it: the bound sockets, whose events strangers
// cause, have no monitor, and an outgoing connection produces at most a handful of events before
// its socket is thrown away. A drain thread would have to hand the same events over to the loop.
//
// Contract: loop thread only, except that `context` may be shared. Times are points of boot_now().
// Errors carry codes 1350 to 1399.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bus/bus_limits.h"
#include "bus/counters.h"
#include "bus/dialer.h"
#include "bus/frame_observer.h"
#include "bus/keys.h"
#include "bus/paths.h"
#include "bus/traffic.h"
#include "bus/wire/message.h"
#include "config/result.h"
#include "config/roster.h"
#include "config/types.h"

namespace zmq {
class context_t;
}

namespace riftbus::bus {

// The connection on which a request came. Stays valid, for any number of replies, until that
// connection ends; 0: no connection.
using ReplyTo = Strong<struct ReplyToTag>;
// What the owner registered with add_wakeup().
using WakeId = Strong<struct WakeIdTag, std::uint32_t>;

// ---- events ----------------------------------------------------------------------------------

struct Received {
  wire::Channel channel = wire::Channel::call;
  ReplyTo reply_to;  // 0 on publications and on answers that came over our own connection
  wire::Envelope envelope;
  std::size_t bytes = 0;
};
// The subscription to `peer` works (handshake done, filters sent) or does not any more (FIN, RST,
// refused, roster). Alternating per peer, beginning with either.
struct LinkUp {
  NodeId peer;
};
struct LinkDown {
  NodeId peer;
};
// Of bus/dialer.h. accepted: an address took the TCP connection (a stopped process still does: its
// kernel answers). refused: none did, and at least one said so at once. silent: neither in time.
// relay_lost: it is behind relays, none of which answered.
struct Dialled {
  NodeId peer;
  DialOutcome outcome = DialOutcome::silent;
};
// Readable; level-triggered: comes again each turn until the owner has drained it.
struct Woken {
  WakeId id;
};
// `connections` of `id` were closed because the roster no longer lists their key.
struct Cut {
  NodeId id;
  std::size_t connections = 0;
};
// The end of a prove(): bus/prover.h.
struct AddressProof {
  wire::Address address;
  bool is_proven = false;
  std::string trouble;       // empty: proven
  std::optional<Nanos> rtt;  // of the TCP connect
};
struct Proved {
  NodeId peer;
  std::vector<AddressProof> proofs;  // of the addresses that could be tried
};
using Event = std::variant<Received, LinkUp, LinkDown, Dialled, Woken, Cut, Proved>;

// ---- what the owner may ask ------------------------------------------------------------------

struct Settings {
  NodeId self;
  Instance instance;
  std::string cluster;           // told in HELLO answers
  std::string software;          // likewise: name and version, for people
  std::string host = "0.0.0.0";  // to listen on; 0.0.0.0 listens on IPv6 too where there is any
  std::uint16_t call_port = 0;   // ROUTER; 0: any free one
  std::uint16_t pub_port = 0;    // XPUB; 0: any free one
  bool insecure = false;         // no CURVE; refused (1352) unless `host` is loopback
  std::uint64_t seed = 1;        // of the jitter between attempts
  Limits limits;
};

// sent: handed to the socket. queued: waits for the connection, at most limits.call_wait_max.
// Everything else was counted and is gone.
enum class SendOutcome : std::uint8_t {
  sent,
  queued,
  queue_full,
  slow_peer,
  unknown_peer,
  gone,
  oversize
};
[[nodiscard]] const char* to_string(SendOutcome outcome);

// One outgoing connection, for `link list`.
struct LinkReport {
  NodeId peer;
  wire::Channel channel = wire::Channel::call;
  bool up = false;
  std::optional<wire::Address> address;  // in use, or last tried
  TimePoint since;                       // of up or down
  std::optional<Nanos> rtt;              // of the TCP connect, smoothed
  std::uint64_t attempts = 0;
  int failures = 0;               // rounds in a row without a connection
  std::string trouble;            // why the last attempt failed, in words; empty: it did not
  TimePoint next_attempt;         // while down
  std::size_t queued = 0;         // calls waiting
  std::vector<PathReport> paths;  // every address of the peer, best first
};

class Bus {
 public:
  // `context` and `keys` must outlive this object; `keys` may be nullptr only when insecure.
  // Unless insecure, the ZAP handler must already run in `context`: libzmq lets any stranger in
  // without one (bus/zap.h).
  Bus(zmq::context_t& context, const KeyPair* keys, Settings settings);
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  // Opens the ROUTER and XPUB listeners. Once, before anything else.
  [[nodiscard]] Status bind();
  // The ports really bound (they differ from the settings when those are 0).
  [[nodiscard]] std::uint16_t call_port() const;
  [[nodiscard]] std::uint16_t pub_port() const;

  // Who may speak, with which key: cuts what is no longer allowed (events LinkDown and Cut follow
  // in the next poll) and re-dials peers whose key changed. The ZAP handler must have been given
  // the same roster before, or the cut ones come back.
  void set_roster(std::shared_ptr<const Roster> roster);
  // Where to reach a peer, best first. A changed list ends all waiting: it is tried at once.
  void set_addresses(const NodeId& peer, std::vector<wire::Address> addresses);
  // There is news that the peer lives: the pause before the next attempt is over.
  void nudge(const NodeId& peer);

  // To everyone subscribed to us; the topic follows from the kind (CHECKed to have one).
  Seq publish(wire::Body body);
  // Seq that the last publication carried; 0: none yet.
  [[nodiscard]] Seq published() const;
  // Keeps a subscription to the peer's publications; idempotent. Without a key in the roster or an
  // address it waits for them.
  void subscribe(const NodeId& peer);
  void unsubscribe(const NodeId& peer);

  // A call to a peer over our own connection; correlation 0: one-way. Correlations from
  // kOwnCorrelations on belong to the bus.
  static constexpr std::uint64_t kOwnCorrelations = 1ull << 63u;
  SendOutcome send(const NodeId& to, Correlation correlation, wire::Body body);
  // An answer, or any further message (TapData), over the asker's connection.
  SendOutcome reply(ReplyTo to, Correlation correlation, wire::Body body);
  // Does anybody listen there? One Dialled follows for each call, within limits.dial_max.
  void dial(const NodeId& peer);
  // Can it be reached there? Tried with its key, on both ports, without use. One Proved follows;
  // false: none, for too many are under way.
  [[nodiscard]] bool prove(const NodeId& peer, const std::vector<wire::Address>& addresses);

  // Wakes poll() when readable; the owner keeps it open until remove_wakeup().
  WakeId add_wakeup(int descriptor);
  WakeId add_wakeup_socket(void* zmq_socket);
  void remove_wakeup(WakeId id);

  // Waits until something happens or `until` is reached, then handles one bounded turn and appends
  // to `out`. May return early with nothing. True: messages are still waiting. The owner then polls
  // again before it runs timers, at most limits.turns_before_timers times in a row: after a pause
  // of this process the beats that waited in the sockets must be seen before silence is judged.
  [[nodiscard]] bool poll(TimePoint until, std::vector<Event>& out);

  // nullptr: nobody looks. Must outlive its registration.
  void set_observer(FrameObserver* observer);

  [[nodiscard]] const Counters& counters() const;
  [[nodiscard]] const Traffic& traffic() const;
  [[nodiscard]] std::vector<LinkReport> links() const;  // by peer, then channel
  // Who is connected to our ROUTER or XPUB right now or was lately, by id, with their number of
  // connections.
  [[nodiscard]] std::size_t connections_from(const NodeId& id) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace riftbus::bus
