// A guarded server and its peers, over real sockets on loopback: what the gatekeeper's tests share.
//
// Nothing sleeps: each wait is for an event of libzmq's socket monitor or a message, and fails the
// test when kPatience has passed.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "bus/keys.h"
#include "config/roster.h"
#include "config/types.h"
#include "test/bus/vocabulary.h"

namespace riftbus::test {

inline constexpr Millis kPatience{10'000};

// Builds rosters as values: nobody signs in these tests.
class RosterMaker {
 public:
  RosterMaker& list(std::string_view id, const CurveKey& key,
                    std::optional<std::int64_t> expires_at_s = std::nullopt);
  RosterMaker& rotate(std::string_view id, const CurveKey& key);
  RosterMaker& revoke(std::string_view id);
  [[nodiscard]] std::shared_ptr<const Roster> share() const;

 private:
  Roster roster_;
};

// Reports what happens to one socket's connections. Create it before connect() or bind().
class SocketWatch {
 public:
  SocketWatch(zmq::context_t& context, zmq::socket_t& socket);
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;
  ~SocketWatch();
  // The first of the wanted events (ZMQ_EVENT_*), others are passed over; 0 if none came in time.
  [[nodiscard]] int await(std::initializer_list<int> wanted);

 private:
  zmq::socket_t* socket_;
  zmq::socket_t events_;
};

// A message's frames, or nothing if none came in time.
[[nodiscard]] std::vector<zmq::message_t> receive(zmq::socket_t& socket);
// A property that the gatekeeper or libzmq attached to the message; "" if there is none.
[[nodiscard]] std::string property(const zmq::message_t& frame, const char* name);
void send_text(zmq::socket_t& socket, std::string_view text);

// A CURVE server socket bound to a free port of 127.0.0.1.
struct Server {
  Server(zmq::context_t& context, zmq::socket_type type);
  KeyPair keys = KeyPair::generate();
  zmq::socket_t socket;
  SocketWatch watch;
  std::string endpoint;
};

// A peer with its key, connected to a server.
struct Peer {
  Peer(zmq::context_t& context, zmq::socket_type type, const Server& server, const KeyPair& keys);
  zmq::socket_t socket;
  SocketWatch watch;

  [[nodiscard]] bool is_accepted();  // false: refused (or, after kPatience, neither)
};

}  // namespace riftbus::test
