// Sockets: ZeroMQ sockets with every option that the bus depends on, set before bind or connect.
//
// The reasons stand beside the options in socket.cpp. An outgoing socket connects once and never
// by itself again (RECONNECT_IVL -1): bus/link.h decides when, and to which address.
//
// A Monitor reports what happens to one outgoing socket's connection. It must be destroyed before
// that socket: a monitor whose reader is gone stops libzmq's I/O thread.
//
// Contract: one thread, the one that uses the sockets. The context must outlive everything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "bus/bus_limits.h"
#include "bus/keys.h"
#include "config/result.h"

namespace riftbus::bus {

// One I/O thread and room for limits.sockets_max sockets. Before the first socket of the context.
void prepare_context(zmq::context_t& context, const Limits& limits);

class SocketFactory {
 public:
  // `keys` nullptr: no CURVE.
  SocketFactory(zmq::context_t& context, const KeyPair* keys, const Limits& limits);

  [[nodiscard]] bool insecure() const { return keys_ == nullptr; }
  [[nodiscard]] zmq::context_t& context() { return context_; }

  [[nodiscard]] zmq::socket_t make_router();
  [[nodiscard]] zmq::socket_t make_publisher();
  // `server` is the key that the peer must prove; nullptr only when insecure (CHECKed).
  [[nodiscard]] zmq::socket_t make_dealer(const CurveKey* server);
  [[nodiscard]] zmq::socket_t make_subscriber(const CurveKey* server);
  // Unique in the context.
  [[nodiscard]] std::string next_monitor_endpoint();

 private:
  [[nodiscard]] zmq::socket_t make(zmq::socket_type type);
  void secure_client(zmq::socket_t& socket, const CurveKey* server);

  zmq::context_t& context_;
  const KeyPair* keys_;
  const Limits& limits_;
  std::uint64_t mark_ = 0;  // drawn at random: tells the factories of one context apart
  std::uint64_t monitors_ = 0;
};

enum class ConnectionEvent : std::uint8_t {
  connected,          // TCP
  ready,              // handshake done: messages flow
  refused_by_server,  // the server's roster does not list our key
  handshake_failed,   // wrong server key, or the peer speaks something else
  closed,             // the TCP connect failed
  disconnected,
};

class Monitor {
 public:
  Monitor(SocketFactory& factory, zmq::socket_t& watched);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // Nothing: no more events for now.
  [[nodiscard]] std::optional<ConnectionEvent> next();
  [[nodiscard]] void* handle() { return pair_.handle(); }

 private:
  zmq::socket_t& watched_;
  zmq::socket_t pair_;
};

// "192.0.2.1:7770", "[2001:db8::1]:7770", "*:7770"
[[nodiscard]] std::string host_and_port(std::string_view host, std::uint16_t port);
// "tcp://192.0.2.1:7770", "tcp://[2001:db8::1]:7770", "tcp://*:7770"
[[nodiscard]] std::string tcp_endpoint(std::string_view host, std::uint16_t port);
// Binds and gives the port really bound. 1350: in use or not ours; 1351: not permitted.
[[nodiscard]] Result<std::uint16_t> bind_tcp(zmq::socket_t& socket, std::string_view host,
                                             std::uint16_t port);

}  // namespace riftbus::bus
