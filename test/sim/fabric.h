// Fabric: connections as ZeroMQ makes them over TCP, with everything it loses.
//
// A connection is two FIFO streams. It takes three round trips to set up (TCP, then CURVE), and a
// subscription travels after that: what is published before it arrives is lost (slow joiner).
// A stream that cannot move (path cut, receiver stopped) holds a bounded number of frames and then
// drops silently; after the path heals they come in one burst. When a process dies its kernel says
// FIN behind the last frame, to one peer after the other, and closes the listener at some moment;
// when a host vanishes nobody says anything, and only ZeroMQ's own heartbeat shuts the connection.
// Frames under way on a connection that breaks are gone.
//
// A subscription reconnects with growing pauses until it is closed. A call connection is dialled
// when there is something to send, loses what waits when the dial fails, and dies with its peer;
// answers to a connection that is gone are dropped without a word, as ROUTER does.
//
// A hidden host is reached only through relays, other hosts to which it has a session at that
// moment; what goes out of it goes directly. With a relay's process, or a session, all that went
// through it ends.
//
// A stopped process (SIGSTOP) keeps its connections and its listening socket: the kernel accepts
// for it. What arrives waits and is handed over in a burst when it goes on.
//
// Not thread-safe. Endpoints are called from the schedule only, never from inside a request.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "test/sim/network.h"
#include "test/sim/schedule.h"

namespace riftbus::sim {

struct Payload {
  virtual ~Payload() = default;
};

struct Frame {
  std::shared_ptr<const Payload> payload;
  std::uint32_t bytes = 0;  // encoded envelope
  TimePoint sent;
};

// Of one frame on the wire: CURVE and ZMTP framing; TCP and IP header; the acknowledgement.
inline constexpr std::uint32_t kFrameOverheadBytes = 35;
inline constexpr std::uint32_t kSegmentBytes = 52;
inline constexpr std::uint32_t kAckBytes = 52;
// Greeting, HELLO, WELCOME, INITIATE, READY with their segments: each way.
inline constexpr std::uint32_t kHandshakeBytes = 1100;
inline constexpr std::uint32_t kDialBytes = 180;

using ConnectionId = std::uint64_t;  // 0: none
enum class Port : std::uint8_t { call, pub };
enum class Side : std::uint8_t { initiator = 0, acceptor = 1 };
enum class Down : std::uint8_t { closed, refused, timed_out };
enum class DialEnd : std::uint8_t { accepted, refused, silent, relay_lost };

// A process, as the fabric sees it.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  virtual void on_up(ConnectionId id) = 0;               // initiator only
  virtual void on_down(ConnectionId id, Down down) = 0;  // initiator only
  // `receiver`: the side on which it arrived.
  virtual void on_frame(ConnectionId id, Side receiver, const Frame& frame) = 0;
};

struct Traffic {
  std::uint64_t bytes_out = 0, bytes_in = 0, frames_out = 0, frames_in = 0, dropped = 0;
  std::uint64_t pub_bytes_out = 0;  // of bytes_out: frames on subscriptions
};

class Fabric {
 public:
  Fabric(Schedule& schedule, Network& network, std::uint64_t seed);

  // ---- processes
  void start(HostIndex host, Endpoint* process);
  void crash(HostIndex host);   // kill -9: the kernel says FIN
  void vanish(HostIndex host);  // the machine is gone: nobody says anything
  void pause(HostIndex host);
  void resume(HostIndex host);
  [[nodiscard]] bool is_running(HostIndex host) const { return hosts_[host].process != nullptr; }
  [[nodiscard]] bool is_paused(HostIndex host) const { return hosts_[host].paused; }
  // After any change to the network's cuts, colours or hosts.
  void on_topology_changed();

  // ---- what a process may do
  ConnectionId connect(HostIndex from, HostIndex to, Port port);
  void close(ConnectionId id);
  void send(ConnectionId id, Side sender, const Frame& frame);
  void publish(HostIndex from, const Frame& frame);
  void dial(HostIndex from, HostIndex to, std::function<void(DialEnd)> done);
  // Runs `job` in the process on `host`, now or when it goes on; never, if that process died.
  void hand(HostIndex host, std::function<void()> job);

  // ---- relays
  void hide(HostIndex host) { this->host(host).hidden = true; }
  // By which relays others try to reach it, best first.
  void set_named(HostIndex host, std::vector<HostIndex> relays);
  void attach(HostIndex host, HostIndex relay);
  [[nodiscard]] const std::vector<HostIndex>& ways(HostIndex host) const {
    return hosts_[host].ways;
  }

  // ---- for the curious
  [[nodiscard]] const Traffic& traffic(HostIndex host) const { return hosts_[host].traffic; }
  void reset_traffic();
  [[nodiscard]] std::size_t connections() const { return open_; }
  [[nodiscard]] std::size_t inbox_max() const { return inbox_max_; }
  // Is the subscription up and known to the publisher?
  [[nodiscard]] bool is_flowing(ConnectionId id) const;
  [[nodiscard]] std::size_t subscribers(HostIndex host) const;

 private:
  struct Stream {
    TimePoint last_delivery{};
    std::deque<Frame> stalled;
    std::size_t undelivered = 0;
    std::uint32_t unacked = 0;  // while only the way back is cut
  };
  enum class State : std::uint8_t { connecting, up, broken };
  struct Connection {
    ConnectionId id = 0;
    HostIndex from = 0, to = 0;
    HostIndex via = 0;  // a relay; or `to`
    Port port = Port::call;
    State state = State::connecting;
    std::uint32_t epoch = 0;
    std::uint32_t to_life = 0;
    bool subscribed = false;  // the publisher knows
    bool from_died = false;
    Stream streams[2];  // by sending side
    std::deque<Frame> outbox;
    Nanos backoff{};
    Path* path = nullptr;
    bool blocked = false;
    std::uint32_t block = 0;
    TimePoint blocked_since;
  };
  struct Host {
    Endpoint* process = nullptr;
    std::uint32_t life = 0;
    bool paused = false;
    std::uint32_t pause = 0;
    TimePoint listens_until{};  // dead, but its kernel has not closed the listener yet
    std::deque<std::function<void()>> inbox;
    std::vector<ConnectionId> made, accepted;
    bool hidden = false;
    std::vector<HostIndex> named;  // relays that its record names
    std::vector<HostIndex> ways;   // relays to which it has a session
    Traffic traffic;
  };

  Connection* find(ConnectionId id);
  Connection* find(ConnectionId id, std::uint32_t epoch);
  [[nodiscard]] const Connection* find(ConnectionId id) const;
  void erase(ConnectionId id);
  Host& host(HostIndex index);
  void push(HostIndex host, std::uint32_t life, std::function<void()> job);

  [[nodiscard]] HostIndex choose_way(const Connection& c) const;
  [[nodiscard]] bool leads(HostIndex relay, HostIndex host) const;
  // Both ways; and one way between its ends.
  [[nodiscard]] bool is_passable(const Connection& c) const;
  [[nodiscard]] bool is_open(const Connection& c, HostIndex at, HostIndex towards) const;
  void dial_hidden(HostIndex from, HostIndex to, const std::function<void(DialEnd)>& done);
  void lose_ways(HostIndex relay, bool says_fin);

  void attempt(Connection& c);
  void on_syn_answered(ConnectionId id, std::uint32_t epoch);
  void on_handshake(ConnectionId id, std::uint32_t epoch, TimePoint give_up);
  void on_established(Connection& c);
  void attempt_failed(Connection& c, Down down);
  void try_again(ConnectionId id, std::uint32_t epoch);
  void break_connection(ConnectionId id, std::uint32_t epoch, Down down);
  void break_later(Connection& c);
  void reset_later(Connection& c);
  void end_of_process(HostIndex host, bool says_fin);
  void say_fin(Connection& c);
  [[nodiscard]] Nanos draw_close();

  void transmit(Connection& c, Side sender, const Frame& frame);
  void deliver(ConnectionId id, std::uint32_t epoch, Side sender, const Frame& frame, bool twice);
  void flush(ConnectionId id, std::uint32_t epoch);
  void update_block(Connection& c);

  Schedule& schedule_;
  Network& network_;
  Random random_;
  std::vector<Host> hosts_;
  std::vector<std::unique_ptr<Connection>> connections_;  // by id - 1
  std::size_t open_ = 0;
  std::size_t inbox_max_ = 0;
};

}  // namespace riftbus::sim
