#include "test/bus/gate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "bus/clock.h"

namespace riftbus::test {

RosterMaker& RosterMaker::list(std::string_view id, const CurveKey& key,
                               std::optional<std::int64_t> expires_at_s) {
  roster_.entries[id_of(id)] = {id_of(id), key, std::nullopt, {Role::node}, expires_at_s, ""};
  return *this;
}

RosterMaker& RosterMaker::rotate(std::string_view id, const CurveKey& key) {
  RosterEntry& entry = roster_.entries.at(id_of(id));
  entry.previous_key = entry.key;
  entry.key = key;
  return *this;
}

RosterMaker& RosterMaker::revoke(std::string_view id) {
  roster_.revoked_keys[roster_.entries.at(id_of(id)).key] = id_of(id);
  roster_.revoked[id_of(id)] = RosterVersion(1);
  roster_.entries.erase(id_of(id));
  return *this;
}

std::shared_ptr<const Roster> RosterMaker::share() const {
  return std::make_shared<const Roster>(roster_);
}

SocketWatch::SocketWatch(zmq::context_t& context, zmq::socket_t& socket)
    : socket_(&socket), events_(context, zmq::socket_type::pair) {
  static std::atomic<int> serial{0};
  const std::string endpoint = "inproc://watch-" + std::to_string(++serial);
  zmq_socket_monitor(socket.handle(), endpoint.c_str(), ZMQ_EVENT_ALL);
  events_.set(zmq::sockopt::linger, 0);
  events_.set(zmq::sockopt::rcvhwm, 0);
  events_.connect(endpoint);
}

SocketWatch::~SocketWatch() {
  if (*socket_) zmq_socket_monitor(socket_->handle(), nullptr, 0);
}

int SocketWatch::await(std::initializer_list<int> wanted) {
  const TimePoint deadline = bus::boot_now() + kPatience;
  for (;;) {
    events_.set(zmq::sockopt::rcvtimeo,
                static_cast<int>(std::max<std::int64_t>(0, to_ms(deadline - bus::boot_now()))));
    zmq::message_t event;
    zmq::message_t endpoint;
    if (!events_.recv(event) || !events_.recv(endpoint)) return 0;
    std::uint16_t number = 0;
    std::memcpy(&number, event.data(), sizeof number);
    if (std::ranges::find(wanted, number) != wanted.end()) return number;
  }
}

std::vector<zmq::message_t> receive(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(kPatience.count()));
  std::vector<zmq::message_t> frames;
  do {
    zmq::message_t frame;
    if (!socket.recv(frame)) return {};
    frames.push_back(std::move(frame));
  } while (frames.back().more());
  return frames;
}

std::string property(const zmq::message_t& frame, const char* name) {
  const char* const value = zmq_msg_gets(frame.handle(), name);
  return value == nullptr ? "" : value;
}

void send_text(zmq::socket_t& socket, std::string_view text) {
  EXPECT_TRUE(socket.send(zmq::buffer(text), zmq::send_flags::dontwait));
}

Server::Server(zmq::context_t& context, zmq::socket_type type)
    : socket(context, type), watch(context, socket) {
  socket.set(zmq::sockopt::linger, 0);
  make_server(socket, keys);
  socket.bind("tcp://127.0.0.1:*");
  endpoint = socket.get(zmq::sockopt::last_endpoint);
}

Peer::Peer(zmq::context_t& context, zmq::socket_type type, const Server& server,
           const KeyPair& keys)
    : socket(context, type), watch(context, socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::reconnect_ivl, 20);
  make_client(socket, keys, server.keys.public_key);
  if (type == zmq::socket_type::sub) socket.set(zmq::sockopt::subscribe, "");
  socket.connect(server.endpoint);
}

bool Peer::is_accepted() {
  return watch.await({ZMQ_EVENT_HANDSHAKE_SUCCEEDED, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH}) ==
         ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
}

}  // namespace riftbus::test
