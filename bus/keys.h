// CURVE key pairs, and the socket options that make a ZeroMQ socket use them.
//
// Every socket of the bus speaks CURVE (ZeroMQ RFC 26): the client knows the server's public key
// beforehand (from the roster), the server learns the client's in the handshake and asks the
// gatekeeper (bus/zap.h) who that is. CURVE alone encrypts but lets every stranger in, so
// make_server() always sets the ZAP domain, and a process starts its ZapHandler before its first
// server socket.
//
// Secrets are wiped when their owner goes, cannot be copied, and never enter a log or a message.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <zmq.hpp>

#include "config/result.h"
#include "config/roster.h"

namespace riftbus {

// The ZAP domain of every CURVE server socket of this project.
inline constexpr std::string_view kZapDomain = "riftbus";

// The secret half of a CURVE key pair. Wiped on destruction and when moved from.
class CurveSecret {
 public:
  explicit CurveSecret(const std::array<std::uint8_t, 32>& bytes) : bytes_(bytes) {}
  CurveSecret(const CurveSecret&) = delete;
  CurveSecret& operator=(const CurveSecret&) = delete;
  CurveSecret(CurveSecret&& other) noexcept;
  CurveSecret& operator=(CurveSecret&& other) noexcept;
  ~CurveSecret();
  [[nodiscard]] const std::array<std::uint8_t, 32>& bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, 32> bytes_;
};

struct KeyPair {
  CurveKey public_key;
  CurveSecret secret;

  [[nodiscard]] static KeyPair generate();
  // The pair that belongs to a stored secret.
  [[nodiscard]] static KeyPair from_secret(CurveSecret secret);
};

// Before bind() or connect(), on the thread that owns the socket. They throw zmq::error_t only if
// libzmq has no CURVE, which self_test_zap() reports as 1134 before any of this matters.
void make_server(zmq::socket_t& socket, const KeyPair& own);
void make_client(zmq::socket_t& socket, const KeyPair& own, const CurveKey& server);

// --insecure turns CURVE off, and is allowed only where nobody else can listen: IPv4 127.0.0.0/8
// and ::1 as literals ("[::1]" too). Names are refused, "localhost" as well: who resolves a name
// decides where it leads.
[[nodiscard]] bool is_loopback_only(std::string_view host);
// The same for a ZeroMQ endpoint: inproc:// and ipc:// stay on the machine, tcp:// is judged by its
// host. Anything else is refused.
[[nodiscard]] bool is_loopback_endpoint(std::string_view endpoint);

}  // namespace riftbus
