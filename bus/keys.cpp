#include "bus/keys.h"

#include <arpa/inet.h>
#include <sodium.h>

namespace riftbus {

CurveSecret::CurveSecret(CurveSecret&& other) noexcept : bytes_(other.bytes_) {
  sodium_memzero(other.bytes_.data(), other.bytes_.size());
}

CurveSecret& CurveSecret::operator=(CurveSecret&& other) noexcept {
  if (this != &other) {
    bytes_ = other.bytes_;
    sodium_memzero(other.bytes_.data(), other.bytes_.size());
  }
  return *this;
}

CurveSecret::~CurveSecret() { sodium_memzero(bytes_.data(), bytes_.size()); }

KeyPair KeyPair::generate() {
  RIFTBUS_CHECK(sodium_init() >= 0);
  std::array<std::uint8_t, crypto_box_SECRETKEYBYTES> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  CurveSecret secret(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return from_secret(std::move(secret));
}

KeyPair KeyPair::from_secret(CurveSecret secret) {
  CurveKey key;
  RIFTBUS_CHECK(crypto_scalarmult_base(key.bytes.data(), secret.bytes().data()) == 0);
  return KeyPair{key, std::move(secret)};
}

void make_server(zmq::socket_t& socket, const KeyPair& own) {
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(own.secret.bytes()));
  socket.set(zmq::sockopt::zap_domain, kZapDomain);
}

void make_client(zmq::socket_t& socket, const KeyPair& own, const CurveKey& server) {
  socket.set(zmq::sockopt::curve_serverkey, zmq::buffer(server.bytes));
  socket.set(zmq::sockopt::curve_publickey, zmq::buffer(own.public_key.bytes));
  socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(own.secret.bytes()));
}

bool is_loopback_only(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return host.substr(1, host.size() - 2) == "::1";
  }
  const std::string text(host);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_loopback_endpoint(std::string_view endpoint) {
  if (endpoint.starts_with("inproc://") || endpoint.starts_with("ipc://")) return true;
  constexpr std::string_view kTcp = "tcp://";
  if (!endpoint.starts_with(kTcp)) return false;
  const std::string_view address = endpoint.substr(kTcp.size());
  // "source;destination" is ZeroMQ's syntax for a bound client: both would need judging.
  if (address.find(';') != std::string_view::npos) return false;
  const auto colon = address.rfind(':');
  return colon != std::string_view::npos && is_loopback_only(address.substr(0, colon));
}

}  // namespace riftbus
