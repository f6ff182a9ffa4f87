// Link: one outgoing connection to one peer, kept alive over whichever address works.
//
// A round tries the peer's addresses in the order of bus/paths.h. Each next one starts when the one
// before failed or had its head start (happy eyeballs, RFC 8305), and the first completed CURVE
// handshake wins: an address at which somebody else answers cannot win. One attempt is one ZeroMQ
// socket, thrown away with all it knew when the attempt or the connection ends; so no message ever
// travels on a connection other than the one it was written for, and HELLO is first on each.
// An address that becomes known during a round joins it, as the best of those that wait.
// While a connection leads through a relay, the peer's own addresses are tried beside it, one at a
// time and ever more rarely. The first that answers takes its place: `down` is told, then `up`. So
// nobody stays behind a relay because nothing better was there when the connection was made.
// Rounds repeat with growing, jittered pauses; a peer whose key is being rotated is tried with the
// new and the previous key in turn.
//
// States: no key or no address -> resting; pause -> round (attempts) -> up -> pause ...
//
// Contract: loop thread. The owner calls step() when a monitor is readable, at next_deadline(), and
// after every change it makes. References given to the constructor outlive the link.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "bus/bus_limits.h"
#include "bus/counters.h"
#include "bus/detour.h"
#include "bus/paths.h"
#include "bus/resolver.h"
#include "bus/socket.h"
#include "bus/wire/message.h"
#include "config/random.h"

namespace riftbus::bus {

// LinkReport::trouble, if the peer knows this node's key and does not let it in, or does not know
// it.
inline constexpr const char* kKeyRefused = "it refuses our key: not on its roster";

// What links share.
struct LinkWorld {
  SocketFactory& sockets;
  Resolver& resolver;
  Detours& detours;
  const Limits& limits;
  Counters& counters;
  Random& random;
  std::uint64_t poll_generation = 1;  // changes whenever a socket was opened or closed
};

// failed: a whole round went without success; told once until the link was up again.
enum class LinkChange : std::uint8_t { none, up, down, failed };

class Link {
 public:
  static constexpr Nanos kTrialSoon = Seconds(1);    // after an address became known
  static constexpr Nanos kTrialFirst = Seconds(10);  // then doubled, jittered
  static constexpr Nanos kTrialMax = std::chrono::minutes(10);

  Link(LinkWorld& world, NodeId peer, wire::Channel channel);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // The peer's keys, the one to try first in front; empty: it may not be contacted. A connection
  // that was made with a key not listed any more ends: `down` follows from the next step().
  void set_keys(std::vector<CurveKey> keys, TimePoint now);
  void set_addresses(const std::vector<wire::Address>& addresses, TimePoint now);
  // The peer lives, or somebody wants it: see Bus::nudge and limits.demand_pause.
  void nudge(TimePoint now);
  void want(TimePoint now);

  // A monitor is readable.
  void mark_ready() { ready_ = true; }
  // A connection in use is not given up for a better one: what was asked over it is lost with it.
  void set_busy(bool busy) { is_busy_ = busy; }
  // Names were looked up: a round that found no address may be repeated now.
  void on_names_resolved(TimePoint now);
  [[nodiscard]] bool is_due(TimePoint now) const { return ready_ || now >= next_deadline(); }
  LinkChange step(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] zmq::socket_t& socket();  // up() is CHECKed; counts as use
  // After `down` for a lost connection: its socket, with messages that arrived before the end. The
  // owner reads them and calls bury(); so does the next round. nullptr: nothing remains.
  [[nodiscard]] zmq::socket_t* remains();
  void bury() { remains_.clear(); }
  // Whether any of its sockets was used since rest() (poll_set.h).
  [[nodiscard]] bool is_used() const { return used_; }
  void rest() { used_ = false; }
  // Every monitor's handle, and the socket's own if up.
  void collect_handles(std::vector<void*>& monitors, void*& data);

  [[nodiscard]] const NodeId& peer() const { return peer_; }
  [[nodiscard]] wire::Channel channel() const { return channel_; }
  [[nodiscard]] bool reachable() const { return has_key() && !paths_.empty(); }
  [[nodiscard]] std::optional<Nanos> rtt() const;
  [[nodiscard]] std::optional<wire::Address> address() const { return address_; }
  [[nodiscard]] std::vector<PathReport> paths(TimePoint now) const { return paths_.report(now); }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] TimePoint since() const { return since_; }
  [[nodiscard]] TimePoint next_round() const { return next_round_; }
  [[nodiscard]] std::uint64_t attempts_made() const { return attempts_made_; }
  [[nodiscard]] int rounds_failed() const { return rounds_failed_; }

 private:
  struct Attempt {
    Attempt(LinkWorld& world, zmq::socket_t&& opened)
        : socket(std::move(opened)), monitor(world.sockets, socket) {}
    zmq::socket_t socket;
    Monitor monitor;  // after the socket: destroyed first
    wire::Address address;
    std::optional<CurveKey> key;
    TimePoint started{};
    bool connected = false;
    std::optional<Nanos> rtt;
  };
  struct Candidate {
    wire::Address address;
    std::string host;  // numeric
  };
  enum class Fate : std::uint8_t { pending, ready, failed };

  [[nodiscard]] bool has_key() const { return world_.sockets.insecure() || !keys_.empty(); }
  [[nodiscard]] const CurveKey* current_key() const;
  [[nodiscard]] static bool is_detour(const Attempt& attempt);
  void start_round(TimePoint now);
  void launch_next(TimePoint now);
  void join_round(const std::vector<wire::Address>& added, TimePoint now);
  void connect_to(zmq::socket_t& socket, const Candidate& candidate, std::uint16_t port);
  Fate judge(Attempt& attempt, TimePoint now);
  LinkChange advance_round(TimePoint now);
  LinkChange finish_failed_round(TimePoint now);
  void win(std::list<Attempt>::iterator winner, TimePoint now);
  void lose_connection(TimePoint now);
  Attempt& open_attempt(std::list<Attempt>& into, const Candidate& candidate, TimePoint now);
  void launch_trial(TimePoint now);
  LinkChange advance_trial(TimePoint now);
  LinkChange move(TimePoint now);
  void end_trials();
  void close_all();

  LinkWorld& world_;
  NodeId peer_;
  wire::Channel channel_;
  Paths paths_;
  std::vector<CurveKey> keys_;
  std::size_t key_turn_ = 0;
  bool up_ = false;
  bool lost_ = false;  // went down outside step(): to be told by it
  bool told_failed_ = false;
  bool in_round_ = false;
  bool ready_ = false;
  bool used_ = true;
  bool unresolved_ = false;      // the last round had no numeric address to try
  std::list<Attempt> attempts_;  // while up: exactly the winner
  std::list<Attempt> remains_;
  std::list<Attempt> trial_;       // beside a connection through a relay, at most one
  std::vector<Candidate> trials_;  // to follow
  TimePoint next_trial_ = TimePoint::max();
  Nanos trial_pause_{};
  bool has_moved_ = false;  // `down` is told, `up` comes next
  bool is_busy_ = false;
  std::vector<Candidate> candidates_;  // of this round, not yet tried; best last
  TimePoint next_launch_{};
  TimePoint next_round_{};
  TimePoint round_started_{};
  TimePoint since_{};
  int rounds_failed_ = 0;
  std::uint64_t attempts_made_ = 0;
  std::optional<wire::Address> address_;
  std::string trouble_;
};

}  // namespace riftbus::bus
