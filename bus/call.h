// Client: calls to nodes from a program that is no member: the CLI, the tap, a test.
//
// Opens one DEALER per node with the operator's key, says HELLO, and then asks. Every wait has a
// deadline. What goes wrong is told apart as well as it can be seen from outside, because "timeout"
// is no answer to an operator: nobody listens there (1360), the host is silent (1361), it accepts
// TCP but never speaks or is not the node we expect (1362: wrong server key, or another program),
// it refuses our key (1363), it went away (1364), it did not answer in time (1365), no relay leads
// to it (1366). A node's
// Refusal becomes an Error with the node's own code and advice.
//
// Contract: one thread. Blocks at most the timeout given, plus a fraction of a second to find out
// why nothing came. The context must outlive it; closing is immediate (LINGER 0).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/keys.h"
#include "bus/targets.h"
#include "bus/wire/message.h"
#include "config/result.h"
#include "config/roster.h"
#include "config/types.h"

namespace zmq {
class context_t;
}

namespace riftbus::bus {

// A message that is not the answer to call(): TapData, for example. `node` is proven by its key.
struct Incoming {
  NodeId node;
  wire::Envelope envelope;
  std::size_t bytes = 0;
};

// What a node said of itself when greeted.
struct Greeting {
  std::string cluster;
  std::string software;
  RosterVersion roster;
  std::uint8_t version = 0;
  Nanos handshake{};  // from connect to the greeting
};

class Client {
 public:
  // `keys` nullptr: no CURVE, loopback nodes only. `self` is the operator's id in the roster.
  Client(zmq::context_t& context, const KeyPair* keys, NodeId self);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Connects and greets. Several nodes may be connected at once; connecting again replaces the old
  // connection. `server` is ignored without keys.
  [[nodiscard]] Result<Greeting> connect(const NodeId& node, const CurveKey& server,
                                         const std::string& host, std::uint16_t call_port,
                                         Millis timeout);
  // The same, also to a node behind a relay, with which it is CURVE as with any other. 1366: the
  // relay does not answer, or no such node is attached to it.
  [[nodiscard]] Result<Greeting> connect(const Target& target, Millis timeout);
  void disconnect(const NodeId& node);
  [[nodiscard]] std::vector<NodeId> connected() const;

  // Sends the request and waits for its answer; messages that come meanwhile and are not the
  // answer wait for receive(), at most kIncomingMax of them (the oldest go, counted).
  [[nodiscard]] Result<wire::Body> call(const NodeId& node, wire::Body request, Millis timeout);
  // With correlation 0 nothing comes back; otherwise the answer arrives through receive().
  // Requests to the queue share frames: they leave with the next receive(), call() or full frame.
  [[nodiscard]] Status send(const NodeId& node, Correlation correlation, wire::Body body);
  // The next message from any node; nothing: none came in time. A node whose connection broke
  // gives an Error once (1364, `where` is its id), and is disconnected.
  [[nodiscard]] Result<std::optional<Incoming>> receive(Millis timeout);

  // Messages lost here because the caller was slow, or dropped as malformed or impersonated.
  [[nodiscard]] std::uint64_t dropped() const;

  static constexpr std::size_t kIncomingMax = 10'000;
  static constexpr std::size_t kNodesMax = 256;

 private:
  struct NodeLink;
  struct State;
  [[nodiscard]] Result<Greeting> greet(const NodeId& node, TimePoint started, TimePoint deadline);

  std::unique_ptr<State> state_;
};

}  // namespace riftbus::bus
