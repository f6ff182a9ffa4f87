// RawPeer: a peer with a valid key that does not obey: bare sockets that send what they are told.
//
// The input tests need what the Bus itself would never send. The key is real and listed, because
// a stranger does not get past the gatekeeper (test/bus/zap_test.cpp).
#pragma once

#include <string>
#include <zmq.hpp>

#include "bus/keys.h"
#include "bus/wire/codec.h"
#include "test/bus/bus_world.h"

namespace riftbus::bus {

class RawPeer {
 public:
  // A DEALER (or SUB) connected to `server`, with a key listed as `name`.
  RawPeer(World& world, const std::string& name, const Peer& server,
          zmq::socket_type type = zmq::socket_type::dealer, const std::string& routing_id = "")
      : id_(id_of(name)), keys_(KeyPair::generate()), socket_(world.context(), type) {
    world.list(id_, keys_.public_key);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::sndtimeo, 2000);
    if (!routing_id.empty()) socket_.set(zmq::sockopt::routing_id, routing_id);
    if (type == zmq::socket_type::sub) socket_.set(zmq::sockopt::subscribe, "");
    make_client(socket_, keys_, server.keys.public_key);
    const auto port =
        type == zmq::socket_type::sub ? server.bus->pub_port() : server.bus->call_port();
    socket_.connect(tcp_endpoint("127.0.0.1", port));
  }

  [[nodiscard]] std::string encode(std::uint64_t seq, wire::Body body,
                                   const std::string& origin = "") const {
    return wire::encode({origin.empty() ? id_ : id_of(origin), Instance(1), Seq(seq),
                         Correlation(seq), std::move(body)});
  }
  bool send(const std::string& bytes, zmq::send_flags flags = zmq::send_flags::none) {
    return socket_.send(zmq::buffer(bytes), flags).has_value();
  }
  bool hello(std::uint64_t seq = 1) { return send(encode(seq, wire::Hello{})); }
  // The next message, if one has come.
  [[nodiscard]] std::optional<wire::Envelope> receive() {
    zmq::message_t frame;
    if (!socket_.recv(frame, zmq::recv_flags::dontwait)) return std::nullopt;
    auto outcome = wire::decode(frame.to_string_view());
    if (!outcome.ok()) return std::nullopt;
    return std::move(outcome.envelope);
  }
  [[nodiscard]] const NodeId& id() const { return id_; }
  [[nodiscard]] zmq::socket_t& socket() { return socket_; }

 private:
  NodeId id_;
  KeyPair keys_;
  zmq::socket_t socket_;
};

}  // namespace riftbus::bus
