#include "bus/zap_self_test.h"

#include <cstring>
#include <zmq.hpp>

#include "bus/clock.h"

namespace riftbus::bus {

namespace {

enum class Verdict { accepted, refused, none };

constexpr int kHandshakeEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;

// The first handshake event on the monitor's socket. Event frame: a 16-bit number in the machine's
// byte order, then a 32-bit value; the next frame is the endpoint.
Verdict await_verdict(zmq::socket_t& events, TimePoint deadline) {
  for (;;) {
    const auto left_ms = to_ms(deadline - boot_now());
    if (left_ms <= 0) return Verdict::none;
    std::array<zmq::pollitem_t, 1> items{{{events.handle(), 0, ZMQ_POLLIN, 0}}};
    zmq::poll(items.data(), items.size(), Millis(left_ms));
    if (items[0].revents == 0) continue;
    zmq::message_t event;
    zmq::message_t endpoint;
    if (!events.recv(event) || !event.more() || !events.recv(endpoint)) continue;
    std::uint16_t number = 0;
    if (event.size() < sizeof number) continue;
    std::memcpy(&number, event.data(), sizeof number);
    if (number == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return Verdict::accepted;
    if (number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) return Verdict::refused;
  }
}

Verdict knock(zmq::context_t& context, const std::string& endpoint, const CurveKey& server,
              const KeyPair& keys) {
  // A name of its own: libzmq frees the last knock's a moment after its socket is closed.
  const std::string monitor = "inproc://riftbus-self-test-" + KeyPair::generate().public_key.z85();
  zmq::socket_t client(context, zmq::socket_type::dealer);
  client.set(zmq::sockopt::linger, 0);
  make_client(client, keys, server);
  if (zmq_socket_monitor(client.handle(), monitor.c_str(), kHandshakeEvents) != 0)
    return Verdict::none;
  zmq::socket_t events(context, zmq::socket_type::pair);
  events.set(zmq::sockopt::linger, 0);
  events.set(zmq::sockopt::rcvhwm, 0);  // a full monitor would stop libzmq's I/O thread
  events.connect(monitor);
  client.connect(endpoint);
  const Verdict verdict = await_verdict(events, boot_now() + kSelfTestTimeout);
  zmq_socket_monitor(client.handle(), nullptr, 0);
  return verdict;
}

Error no_verdict() {
  return Error{1133, "the security self-test got no answer on loopback", "127.0.0.1",
               "allow TCP on 127.0.0.1 and start again"};
}

}  // namespace

Status self_test_zap(zmq::context_t& context, const KeyPair* listed) {
  if (zmq_has("curve") != 1) {
    return Error{1134, "libzmq was built without CURVE", "", "install the distribution's libzmq5"};
  }
  try {
    const KeyPair server_keys = KeyPair::generate();
    zmq::socket_t server(context, zmq::socket_type::router);
    server.set(zmq::sockopt::linger, 0);
    make_server(server, server_keys);
    server.bind("tcp://127.0.0.1:*");
    const std::string endpoint = server.get(zmq::sockopt::last_endpoint);
    switch (knock(context, endpoint, server_keys.public_key, KeyPair::generate())) {
      case Verdict::accepted:
        return Error{1131, "a random key was let in: handshakes are not checked", endpoint,
                     "do not run this build"};
      case Verdict::none:
        return no_verdict();
      case Verdict::refused:
        break;
    }
    if (listed == nullptr) return Ok{};
    switch (knock(context, endpoint, server_keys.public_key, *listed)) {
      case Verdict::accepted:
        return Ok{};
      case Verdict::refused:
        return Error{1132, "this node's own key is refused", listed->public_key.z85(),
                     "see `riftbus key list`: the key may be revoked or expired"};
      case Verdict::none:
        break;
    }
    return no_verdict();
  } catch (const zmq::error_t& error) {
    return Error{1133, std::string("the security self-test cannot run: ") + error.what(),
                 "127.0.0.1", "allow TCP on 127.0.0.1 and start again"};
  }
}

}  // namespace riftbus::bus
