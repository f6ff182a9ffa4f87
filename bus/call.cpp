#include "bus/call.h"

#include <sodium.h>
#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <list>
#include <utility>
#include <zmq.hpp>

#include "bus/bus_limits.h"
#include "bus/clock.h"
#include "bus/detour.h"
#include "bus/probe.h"
#include "bus/socket.h"
#include "bus/wire/bundle.h"
#include "bus/wire/codec.h"

namespace riftbus::bus {

namespace {

constexpr std::size_t kDrainMax = 1024;

std::string place(const std::string& host, std::uint16_t port) {
  return tcp_endpoint(host, port).substr(6);
}

}  // namespace

struct Client::NodeLink {
  NodeLink(SocketFactory& factory, NodeId id, zmq::socket_t&& opened)
      : node(std::move(id)), socket(std::move(opened)), monitor(factory, socket) {}
  NodeId node;
  zmq::socket_t socket;
  Monitor monitor;  // after the socket: destroyed first
  std::string host;
  std::uint16_t port = 0;
  bool is_relayed = false;
  TimePoint started{};
  bool tcp = false;
  bool ready = false;
  std::optional<ConnectionEvent> ending;
  bool takes_bundles = false;
  wire::Bundle calls;  // since the last wait, not sent yet
};

struct Client::State {
  State(zmq::context_t& context, const KeyPair* keys, NodeId id)
      : self(std::move(id)), sockets(context, keys, limits) {
    std::uint64_t drawn = 0;
    randombytes_buf(&drawn, sizeof drawn);
    instance = Instance(drawn);
  }

  [[nodiscard]] NodeLink* find(const NodeId& node);
  [[nodiscard]] Status send(NodeLink& connection, Correlation correlation, wire::Body body);
  [[nodiscard]] bool hand_over(NodeLink& connection);
  void pump(TimePoint until);
  void read(NodeLink& connection);
  void take(const NodeLink& connection, std::string_view bytes);
  void watch(NodeLink& connection);
  [[nodiscard]] std::optional<wire::Body> take_answer(const NodeId& node, Correlation correlation);
  [[nodiscard]] Result<wire::Body> await(NodeLink& connection, Correlation correlation,
                                         TimePoint deadline);
  [[nodiscard]] Error explain_silence(NodeLink& connection);
  [[nodiscard]] Result<std::string> endpoint_of(const Target& target);

  Limits limits;
  NodeId self;
  Instance instance;
  SocketFactory sockets;
  Detours detours;
  std::list<NodeLink> connections;
  std::deque<Incoming> incoming;
  std::vector<std::string_view> envelopes;  // of the frame being read
  std::uint64_t dropped = 0;
  Seq seq;
  Correlation correlation;
};

Client::Client(zmq::context_t& context, const KeyPair* keys, NodeId self)
    : state_(std::make_unique<State>(context, keys, std::move(self))) {}
Client::~Client() = default;

std::uint64_t Client::dropped() const { return state_->dropped; }

std::vector<NodeId> Client::connected() const {
  std::vector<NodeId> nodes;
  for (const NodeLink& connection : state_->connections) nodes.push_back(connection.node);
  return nodes;
}

void Client::disconnect(const NodeId& node) {
  state_->connections.remove_if([&](const NodeLink& c) { return c.node == node; });
}

Client::NodeLink* Client::State::find(const NodeId& node) {
  const auto found = std::find_if(connections.begin(), connections.end(),
                                  [&](const NodeLink& c) { return c.node == node; });
  return found == connections.end() ? nullptr : &*found;
}

// ---- connecting --------------------------------------------------------------------------------

Result<Greeting> Client::connect(const NodeId& node, const CurveKey& server,
                                 const std::string& host, std::uint16_t call_port, Millis timeout) {
  return connect(Target{node, server, host, call_port}, timeout);
}

Result<Greeting> Client::connect(const Target& target, Millis timeout) {
  State& s = *state_;
  const NodeId& node = target.id;
  const std::string where = place(target.host, target.port);
  disconnect(node);
  if (s.connections.size() >= kNodesMax) {
    return Error{1367, "too many nodes at once", node.value(),
                 "connect to at most " + std::to_string(kNodesMax)};
  }
  if (s.sockets.insecure() && !is_loopback_only(target.host)) {
    return Error{1352, "without CURVE only nodes on loopback are called", where,
                 "drop --insecure and use your key"};
  }
  const TimePoint deadline = boot_now() + timeout;
  const auto endpoint = s.endpoint_of(target);
  if (!endpoint.ok()) return endpoint.error();
  try {
    NodeLink& fresh =
        s.connections.emplace_back(s.sockets, node, s.sockets.make_dealer(&target.key));
    fresh.host = target.host;
    fresh.port = target.port;
    fresh.is_relayed = target.is_relayed;
    fresh.started = boot_now();
    fresh.socket.connect(*endpoint);
  } catch (const zmq::error_t& error) {
    disconnect(node);
    return Error{1361, std::string("cannot connect: ") + error.what(), where, "check the address"};
  }
  NodeLink& connection = s.connections.back();
  while (!connection.ready && !connection.ending && boot_now() < deadline) s.pump(deadline);
  if (!connection.ready) {
    Error error = s.explain_silence(connection);
    disconnect(node);
    return error;
  }
  return greet(node, connection.started, deadline);
}

Result<Greeting> Client::greet(const NodeId& node, TimePoint started, TimePoint deadline) {
  State& s = *state_;
  NodeLink& connection = *s.find(node);
  s.correlation = s.correlation.next();
  const Status sent =
      s.send(connection, s.correlation, wire::Hello{.software = RIFTBUS_VERSION, .bundles = true});
  auto answer = sent.ok() ? s.await(connection, s.correlation, deadline) : sent.error();
  const auto* hello = answer.ok() ? std::get_if<wire::HelloAnswer>(&*answer) : nullptr;
  if (hello == nullptr) {
    disconnect(node);
    if (!answer.ok()) return answer.error();
    return Error{1362, "the node answers hello with something else", node.value(),
                 "check its version"};
  }
  connection.takes_bundles = hello->bundles;
  return Greeting{hello->cluster, hello->software, hello->roster, hello->version,
                  boot_now() - started};
}

// A relay is asked from a local socket of ours (bus/detour.h), by its numeric address.
Result<std::string> Client::State::endpoint_of(const Target& target) {
  if (!target.is_relayed) return tcp_endpoint(target.host, target.port);
  const auto host = numeric_host(target.host);
  if (!host) {
    return Error{1361, "the relay's name has no address", target.host,
                 "check the name, or use an address"};
  }
  return detours.open({*host, target.port, target.id.value() + std::string(wire::kRelayedSuffix),
                       wire::kRelayedCallNumber});
}

Error Client::State::explain_silence(NodeLink& connection) {
  const std::string where =
      to_string({connection.node, {}, connection.host, connection.port, connection.is_relayed});
  if (connection.ending == ConnectionEvent::refused_by_server) {
    return {1363, "the node refuses this key", where,
            "ask an admin to approve it: 'riftbus key approve', then 'riftbus roster show'"};
  }
  if (connection.is_relayed) {
    return {1366,
            connection.ending ? "its relay leads nowhere: the relay does not run, or no such node "
                                "is attached to it"
                              : "no answer through its relay",
            where, "see riftbus relay list, and riftbus why path, from a member"};
  }
  if (connection.tcp) {
    const bool hung_up = connection.ending.has_value();
    return {1362,
            hung_up ? "it hung up during the handshake: it has another key, or is another program"
                    : "it accepts the connection but does not speak",
            where,
            hung_up ? "check host and port, and the node's key with 'riftbus roster show'"
                    : "the process may be stopped or overloaded, or the port is another program's"};
  }
  const int error = probe_tcp(connection.host, connection.port);
  if (error == ECONNREFUSED) {
    return {1360, "nobody listens there", where, "start the node, or check host and port"};
  }
  if (error == EADDRNOTAVAIL) {
    return {1361, "its host name has no address", where, "check the name, or use an address"};
  }
  return {1361, "no answer from the host", where, "check that it is up, and the firewalls between"};
}

// ---- calling -----------------------------------------------------------------------------------

Status Client::send(const NodeId& node, Correlation correlation, wire::Body body) {
  NodeLink* connection = state_->find(node);
  if (connection == nullptr) {
    return Error{1364, "not connected", node.value(), "connect to the node first"};
  }
  return state_->send(*connection, correlation, std::move(body));
}

Status Client::State::send(NodeLink& connection, Correlation number, wire::Body body) {
  seq = seq.next();
  const bool may_wait = connection.takes_bundles && wire::comes_in_crowds(wire::kind_of(body));
  const std::string bytes = wire::encode({self, instance, seq, number, std::move(body)});
  const bool has_room = connection.calls.has_room_for(bytes) || hand_over(connection);
  connection.calls.add(bytes);
  if (has_room && may_wait && !connection.calls.is_full()) return Ok{};
  if (hand_over(connection) && has_room) return Ok{};
  return Error{1364, "the connection is gone or does not take more", connection.node.value(),
               "connect again"};
}

bool Client::State::hand_over(NodeLink& connection) {
  const std::string_view frame = connection.calls.frame();
  const auto sent =
      ::zmq_send(connection.socket.handle(), frame.data(), frame.size(), ZMQ_DONTWAIT);
  connection.calls.clear();
  return sent >= 0;
}

Result<wire::Body> Client::call(const NodeId& node, wire::Body request, Millis timeout) {
  State& s = *state_;
  s.correlation = s.correlation.next();
  const Correlation number = s.correlation;
  const Status sent = send(node, number, std::move(request));
  if (!sent.ok()) return sent.error();
  auto answer = s.await(*s.find(node), number, boot_now() + timeout);
  if (!answer.ok() && answer.error().code == 1364) disconnect(node);
  return answer;
}

Result<wire::Body> Client::State::await(NodeLink& connection, Correlation number,
                                        TimePoint deadline) {
  for (;;) {
    if (auto answer = take_answer(connection.node, number)) {
      if (const auto* refusal = std::get_if<wire::Refusal>(&*answer)) {
        return Error{refusal->code, refusal->what, connection.node.value(), refusal->next};
      }
      return std::move(*answer);
    }
    if (connection.ending) {
      return Error{1364, "the node went away before it answered", connection.node.value(),
                   "try again, or ask another node"};
    }
    if (boot_now() >= deadline) {
      return Error{1365, "the node did not answer in time", connection.node.value(),
                   "it may be overloaded: try again with a longer timeout, or see its log"};
    }
    pump(deadline);
  }
}

std::optional<wire::Body> Client::State::take_answer(const NodeId& node, Correlation number) {
  const auto found = std::find_if(incoming.begin(), incoming.end(), [&](const Incoming& item) {
    return item.node == node && item.envelope.correlation == number;
  });
  if (found == incoming.end()) return std::nullopt;
  wire::Body body = std::move(found->envelope.body);
  incoming.erase(found);
  return body;
}

Result<std::optional<Incoming>> Client::receive(Millis timeout) {
  State& s = *state_;
  const TimePoint deadline = boot_now() + timeout;
  for (;;) {
    if (!s.incoming.empty()) {
      Incoming next = std::move(s.incoming.front());
      s.incoming.pop_front();
      return std::optional<Incoming>(std::move(next));
    }
    for (const NodeLink& connection : s.connections) {
      if (!connection.ending) continue;
      const NodeId gone = connection.node;
      disconnect(gone);
      return Error{1364, "the connection broke", gone.value(), "connect again"};
    }
    if (boot_now() >= deadline) return std::optional<Incoming>();
    s.pump(deadline);
  }
}

// ---- sockets -----------------------------------------------------------------------------------

// Waits for any socket once and takes in what came.
void Client::State::pump(TimePoint until) {
  std::vector<zmq::pollitem_t> items;
  for (NodeLink& connection : connections) {
    const bool lost = !connection.calls.empty() && !hand_over(connection);
    if (lost && !connection.ending) connection.ending = ConnectionEvent::disconnected;
    items.push_back({connection.monitor.handle(), 0, ZMQ_POLLIN, 0});
    items.push_back({connection.socket.handle(), 0, ZMQ_POLLIN, 0});
  }
  const auto left = std::chrono::ceil<Millis>(std::max<Nanos>(until - boot_now(), Nanos(0)));
  ::zmq_poll(items.data(), static_cast<int>(items.size()), static_cast<long>(left.count()));
  for (NodeLink& connection : connections) {
    watch(connection);
    read(connection);  // after the monitor: what came before the end is not lost
  }
}

void Client::State::watch(NodeLink& connection) {
  while (const auto event = connection.monitor.next()) {
    if (*event == ConnectionEvent::connected) {
      connection.tcp = true;
    } else if (*event == ConnectionEvent::ready) {
      connection.ready = true;
    } else if (!connection.ending) {
      connection.ending = *event;
    }
  }
}

void Client::State::read(NodeLink& connection) {
  zmq::message_t frame;
  for (std::size_t i = 0; i < kDrainMax; ++i) {
    if (::zmq_msg_recv(frame.handle(), connection.socket.handle(), ZMQ_DONTWAIT) < 0) return;
    bool whole = true;
    while (frame.more() &&
           ::zmq_msg_recv(frame.handle(), connection.socket.handle(), ZMQ_DONTWAIT) >= 0) {
      whole = false;
    }
    const std::string_view bytes(static_cast<const char*>(frame.data()), frame.size());
    if (!whole || !wire::split_frame(bytes, envelopes)) {
      ++dropped;
      continue;
    }
    for (const std::string_view envelope : envelopes) take(connection, envelope);
  }
}

void Client::State::take(const NodeLink& connection, std::string_view bytes) {
  auto outcome = wire::decode(bytes);
  if (!outcome.ok() || outcome.envelope.origin != connection.node) {
    ++dropped;
    return;
  }
  if (incoming.size() >= kIncomingMax) {
    incoming.pop_front();
    ++dropped;
  }
  incoming.push_back({connection.node, std::move(outcome.envelope), bytes.size()});
}

}  // namespace riftbus::bus
