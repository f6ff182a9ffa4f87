#include "bus/socket.h"

#include <sodium.h>
#include <zmq.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "bus/uninterrupted.h"
#include "bus/wire/topic.h"
#include "config/address.h"
#include "config/check.h"

namespace riftbus::bus {

namespace {

int millis(Millis span) { return static_cast<int>(span.count()); }

}  // namespace

void prepare_context(zmq::context_t& context, const Limits& limits) {
  context.set(zmq::ctxopt::io_threads, 1);
  context.set(zmq::ctxopt::max_sockets, limits.sockets_max);
  // A closing context must not wait for messages that nobody will read.
  context.set(zmq::ctxopt::blocky, 0);
}

SocketFactory::SocketFactory(zmq::context_t& context, const KeyPair* keys, const Limits& limits)
    : context_(context), keys_(keys), limits_(limits) {
  randombytes_buf(&mark_, sizeof mark_);
}

zmq::socket_t SocketFactory::make(zmq::socket_type type) {
  namespace opt = zmq::sockopt;
  zmq::socket_t socket(context_, type);
  // Set here and not at closing time: set late it races with the I/O thread (libzmq #2733).
  socket.set(opt::linger, 0);
  socket.set(opt::ipv6, 1);
  // Nothing is queued for a connection that does not exist: the bus keeps its own bounded queues.
  socket.set(opt::immediate, 1);
  // One oversize message costs the sender its connection, never our memory.
  socket.set(opt::maxmsgsize, limits_.message_bytes_max);
  // A full queue is an answer ("slow peer"), never a wait.
  socket.set(opt::sndtimeo, 0);
  socket.set(opt::handshake_ivl, millis(limits_.handshake));
  // Before connect: libzmq #4532. Answered by the I/O thread, so they prove only that the process
  // exists; the members' own beats prove that it works.
  socket.set(opt::heartbeat_ivl, millis(limits_.heartbeat));
  socket.set(opt::heartbeat_timeout, millis(limits_.heartbeat_timeout));
  socket.set(opt::heartbeat_ttl, millis(limits_.heartbeat_timeout));
  // A dead path is noticed although the kernel would retransmit for a quarter of an hour.
  socket.set(opt::tcp_maxrt, millis(limits_.unacknowledged));
  // Ours to decide, see bus/link.h.
  socket.set(opt::reconnect_ivl, -1);
  socket.set(opt::backlog, limits_.backlog);
  return socket;
}

zmq::socket_t SocketFactory::make_router() {
  auto socket = make(zmq::socket_type::router);
  socket.set(zmq::sockopt::sndhwm, limits_.hwm_calls);
  socket.set(zmq::sockopt::rcvhwm, limits_.hwm_calls);
  // An answer to somebody who left is an error that we count, not a silent loss. ROUTER_HANDOVER
  // stays off: with it a second valid key that claims a peer's routing id gets its answers.
  socket.set(zmq::sockopt::router_mandatory, 1);
  if (keys_ != nullptr) make_server(socket, *keys_);
  return socket;
}

zmq::socket_t SocketFactory::make_publisher() {
  auto socket = make(zmq::socket_type::xpub);
  // A subscriber that lags is served the next beat, not the last hundred; gaps are repaired by
  // Resync.
  socket.set(zmq::sockopt::sndhwm, limits_.hwm_published);
  socket.set(zmq::sockopt::rcvhwm, limits_.hwm_calls);
  // Every subscription is shown, also the second one to a topic: that is how the connection's
  // owner becomes known, for the day on which it is revoked.
  socket.set(zmq::sockopt::xpub_verbose, 1);
  if (keys_ != nullptr) make_server(socket, *keys_);
  return socket;
}

zmq::socket_t SocketFactory::make_dealer(const CurveKey* server) {
  auto socket = make(zmq::socket_type::dealer);
  socket.set(zmq::sockopt::sndhwm, limits_.hwm_calls);
  socket.set(zmq::sockopt::rcvhwm, limits_.hwm_calls);
  secure_client(socket, server);
  return socket;
}

zmq::socket_t SocketFactory::make_subscriber(const CurveKey* server) {
  auto socket = make(zmq::socket_type::sub);
  socket.set(zmq::sockopt::rcvhwm, limits_.hwm_calls);
  socket.set(zmq::sockopt::subscribe, wire::subscription_for(wire::kTopicBeat));
  socket.set(zmq::sockopt::subscribe, wire::subscription_for(wire::kTopicGossip));
  secure_client(socket, server);
  return socket;
}

void SocketFactory::secure_client(zmq::socket_t& socket, const CurveKey* server) {
  if (keys_ == nullptr) return;
  RIFTBUS_CHECK(server != nullptr);
  make_client(socket, *keys_, *server);
}

std::string SocketFactory::next_monitor_endpoint() {
  // Not by our address: libzmq frees a name some time after its socket, when another factory may
  // already stand where the last one stood.
  char text[80];
  std::snprintf(text, sizeof text, "inproc://riftbus-monitor-%016llx-%llu",
                static_cast<unsigned long long>(mark_),
                static_cast<unsigned long long>(++monitors_));
  return text;
}

Monitor::Monitor(SocketFactory& factory, zmq::socket_t& watched)
    : watched_(watched), pair_(factory.context(), zmq::socket_type::pair) {
  constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED |
                          ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                          ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
  const std::string endpoint = factory.next_monitor_endpoint();
  RIFTBUS_CHECK(::zmq_socket_monitor(watched_.handle(), endpoint.c_str(), kEvents) == 0);
  pair_.set(zmq::sockopt::linger, 0);
  pair_.set(zmq::sockopt::rcvhwm, 0);  // no mark: the I/O thread must never wait for us
  pair_.connect(endpoint);
}

Monitor::~Monitor() { ::zmq_socket_monitor(watched_.handle(), nullptr, 0); }

std::optional<ConnectionEvent> Monitor::next() {
  for (;;) {
    zmq::message_t head;
    const auto receive = [this](zmq::message_t& frame) {
      return uninterrupted(
          [&] { return ::zmq_msg_recv(frame.handle(), pair_.handle(), ZMQ_DONTWAIT); });
    };
    if (receive(head) < 0) return std::nullopt;
    zmq::message_t address;
    if (head.more()) (void)receive(address);
    std::uint16_t event = 0;
    if (head.size() < sizeof event) continue;
    std::memcpy(&event, head.data(), sizeof event);
    switch (event) {
      case ZMQ_EVENT_CONNECTED:
        return ConnectionEvent::connected;
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        return ConnectionEvent::ready;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return ConnectionEvent::refused_by_server;
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return ConnectionEvent::handshake_failed;
      case ZMQ_EVENT_CLOSED:
        return ConnectionEvent::closed;
      case ZMQ_EVENT_DISCONNECTED:
        return ConnectionEvent::disconnected;
      default:
        break;
    }
  }
}

std::string host_and_port(std::string_view host, std::uint16_t port) {
  std::string endpoint;
  if (is_wildcard_host(host)) {
    endpoint += '*';
  } else if (host.find(':') != std::string_view::npos && host.front() != '[') {
    endpoint += '[';
    endpoint += host;
    endpoint += ']';
  } else {
    endpoint += host;
  }
  endpoint += ':';
  endpoint += port == 0 ? "*" : std::to_string(port);
  return endpoint;
}

std::string tcp_endpoint(std::string_view host, std::uint16_t port) {
  return "tcp://" + host_and_port(host, port);
}

Result<std::uint16_t> bind_tcp(zmq::socket_t& socket, std::string_view host, std::uint16_t port) {
  const std::string endpoint = tcp_endpoint(host, port);
  if (::zmq_bind(socket.handle(), endpoint.c_str()) != 0) {
    const int code = ::zmq_errno();
    const std::string what = "cannot listen on " + endpoint + ": " + ::zmq_strerror(code);
    if (code == EACCES) {
      return Error{1351, what, endpoint, "use a port above 1023, or grant CAP_NET_BIND_SERVICE"};
    }
    return Error{1350, what, endpoint,
                 "see with 'ss -ltnp' who holds the port, or listen on another host or port"};
  }
  const std::string bound = socket.get(zmq::sockopt::last_endpoint);
  const auto colon = bound.rfind(':');
  RIFTBUS_CHECK(colon != std::string::npos);
  return static_cast<std::uint16_t>(std::strtoul(bound.c_str() + colon + 1, nullptr, 10));
}

}  // namespace riftbus::bus
