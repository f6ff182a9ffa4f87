// Carrier: SSH sessions that the bus carries, because a firewall lets nothing else through.
//
// At home it listens on a Unix socket for each relay; riftbus-tunnel connects there once the
// relay's SSH port has not answered. On the relay's host it leads such a stream to the SSH port
// that its own settings name, and to nothing else: it is no proxy, and opens no port. What a stream
// says and how much of it is under way is node/carry/stream.h's business; this moves the bytes.
//
// Only members may have one, which the roster says and CURVE proves; SSH then asks for the node's
// key as if it had come to the port. A carried node counts there as a stranger from this host.
//
// Bounds: kStreamsMax at once, kStreamsPerPeerMax with one node, each with one window of bytes per
// direction; one message of each is read in one turn of the loop.
//
// Contract: loop thread; nothing waits. Everything passed by reference outlives it. What is refused
// has a code: 1304 no member, 1826 no relay here, 1827 switched off, 1828 too many, 1829 the SSH
// port does not answer.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus/bus.h"
#include "bus/loop.h"
#include "bus/resolver.h"
#include "config/forward.h"
#include "node/carry/stream.h"

namespace riftbus::node {

class Carrier {
 public:
  static constexpr std::size_t kStreamsMax = 256;
  // Two classes of traffic, each with a session that is about to take the place of another.
  static constexpr std::size_t kStreamsPerPeerMax = 4;
  static constexpr Seconds kAcceptPause{1};  // without a free descriptor

  struct Setup {
    std::map<NodeId, std::string> sockets;  // for each relay that we may need, where to listen
    bool is_relay = false;                  // one runs on this host, by the cluster file
    std::optional<ForwardEnd> port;         // its SSH port; nothing: it is not carried to
  };
  // `make_known`: the bus needs a peer's addresses before anything is sent to it.
  Carrier(Setup setup, bus::Bus& bus, std::function<void(const NodeId&)> make_known);
  ~Carrier();
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  // 1817: the last one that could not listen; the others do.
  [[nodiscard]] Status listen();
  // Readable while run() has something to do.
  [[nodiscard]] int descriptor() const { return loop_.descriptor(); }
  void run();
  void tick(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  void on_carry(bus::Received& received, bool is_member);
  // True: it was an answer to one of ours.
  [[nodiscard]] bool on_refusal(const bus::Received& received);

  [[nodiscard]] std::size_t streams() const { return streams_.size(); }
  // Its key is no longer listed: its streams end now.
  void drop(const NodeId& peer);

  // Whose streams lead to the relay on this host now.
  [[nodiscard]] std::vector<NodeId> carried() const;
  // Messages of no stream, or repeated ones; streams that were refused; and that broke.
  struct Counters {
    std::uint64_t stray = 0;
    std::uint64_t refused = 0;
    std::uint64_t broken = 0;
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  class Carried;
  class Listener;
  // A stream of ours has no ReplyTo, and a number that nobody else has.
  using Key = std::pair<bus::ReplyTo, Correlation>;

  void admit(const bus::Received& received, bool is_member);
  void accept(Listener& listener);
  void pause_accepting();
  void refuse(const Key& key, const Error& error);
  [[nodiscard]] bus::SendOutcome say(const Key& key, const NodeId& peer, wire::Carry carry);
  void on_over(const Carried& carried, const std::optional<Error>& error);
  [[nodiscard]] bool has_room(const NodeId& peer) const;
  void sweep();

  const Setup setup_;
  bus::Bus& bus_;
  const std::function<void(const NodeId&)> make_known_;
  bus::Loop loop_;
  bus::Resolver resolver_;  // of numbers only
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::map<Key, std::unique_ptr<Carried>> streams_;
  std::map<NodeId, std::uint16_t> told_;  // of each relay: the error that the log has last
  std::uint64_t next_ = 0;
  TimePoint accept_due_ = TimePoint::max();  // for listeners that wait for a descriptor
  bool is_any_over_ = false;
  Counters counters_;
};

}  // namespace riftbus::node
