#include <unistd.h>
#include <zmq.h>

#include <string>
#include <zmq.hpp>

#include "bus/socket.h"
#include "test/bench/bus_bench.h"

namespace riftbus::bench {

using bus::bind_tcp;
using bus::tcp_endpoint;

namespace {

zmq::socket_t bare_socket(zmq::context_t& context, zmq::socket_type type, const Shape& shape) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, static_cast<int>(shape.messages) + 1000);
  socket.set(zmq::sockopt::rcvhwm, static_cast<int>(shape.messages) + 1000);
  return socket;
}

void bare_server_key(zmq::socket_t& socket, const KeyPair& own) {
  socket.set(zmq::sockopt::curve_server, 1);
  socket.set(zmq::sockopt::curve_secretkey,
             zmq::const_buffer(own.secret.bytes().data(), own.secret.bytes().size()));
}

std::size_t turn_bare(zmq::socket_t& socket, zmq::message_t& message, Millis patience) {
  zmq_pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
  ::zmq_poll(&item, 1, static_cast<long>(patience.count()));
  std::size_t count = 0;
  while (count < 512 && ::zmq_msg_recv(message.handle(), socket.handle(), ZMQ_DONTWAIT) >= 0) {
    ++count;
  }
  return count;
}

}  // namespace

void serve_bare(const Pair& pair, const Shape& shape) {
  zmq::context_t context;
  zmq::socket_t router = bare_socket(context, zmq::socket_type::router, shape);
  zmq::socket_t publisher = bare_socket(context, zmq::socket_type::pub, shape);
  bare_server_key(router, pair.server);
  bare_server_key(publisher, pair.server);
  const std::uint16_t ports[2] = {*bind_tcp(router, "127.0.0.1", 0),
                                  *bind_tcp(publisher, "127.0.0.1", 0)};
  write_all(pair.to_client[1], ports, sizeof ports);
  const std::string bytes(size_of(shape), 'x');
  zmq::message_t id;
  zmq::message_t payload;
  zmq_pollitem_t items[2] = {{router.handle(), 0, ZMQ_POLLIN, 0},
                             {nullptr, pair.to_server[0], ZMQ_POLLIN, 0}};
  for (;;) {
    ::zmq_poll(items, 2, 1000);
    while (::zmq_msg_recv(id.handle(), router.handle(), ZMQ_DONTWAIT) >= 0) {
      ::zmq_msg_recv(payload.handle(), router.handle(), 0);
      ::zmq_msg_send(id.handle(), router.handle(), ZMQ_SNDMORE);
      ::zmq_msg_send(payload.handle(), router.handle(), 0);
    }
    if (items[1].revents == 0) continue;
    char letter = 'q';
    if (::read(pair.to_server[0], &letter, 1) != 1 || letter == 'q') return;
    const std::size_t count = letter == 'g' ? shape.messages : 1;
    for (std::size_t i = 0; i < count; ++i) {
      ::zmq_send(publisher.handle(), bytes.data(), bytes.size(), 0);
    }
  }
}

double ask_bare(const Pair& pair, const Shape& shape) {
  zmq::context_t context;
  std::uint16_t ports[2];
  read_all(pair.to_client[0], ports, sizeof ports);
  zmq::socket_t socket = bare_socket(
      context, shape.publishes ? zmq::socket_type::sub : zmq::socket_type::dealer, shape);
  make_client(socket, pair.client, pair.server.public_key);
  if (shape.publishes) socket.set(zmq::sockopt::subscribe, "");
  socket.connect(tcp_endpoint("127.0.0.1", ports[shape.publishes ? 1 : 0]));
  zmq::message_t message;
  const Turn turn = [&](Millis patience) { return turn_bare(socket, message, patience); };
  if (shape.publishes) return measure_publications(pair, shape, turn);
  const std::string bytes(size_of(shape), 'x');
  return measure_calls(
      shape, [&] { ::zmq_send(socket.handle(), bytes.data(), bytes.size(), 0); }, turn);
}

}  // namespace riftbus::bench
