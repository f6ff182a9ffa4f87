// ZapHandler: the gatekeeper. Decides every CURVE handshake of the process from the roster.
//
// libzmq asks whoever is bound to inproc://zeromq.zap.01 (ZeroMQ RFC 27) before it lets a peer in;
// with nobody bound there it lets everybody in, silently. Hence three rules:
//   - the handler starts before the first server socket of its context and ends after the last;
//   - the process aborts if its thread cannot go on;
//   - self_test_zap() (bus/zap_self_test.h) tries a random key at start-up.
//
// An accepted connection's messages carry, readable with zmq_msg_gets(): "User-Id", the node's id;
// kKeyProperty, the key it proved; kLinkProperty, a number that no other connection of this process
// has had. bus/cut.h builds on them. On a ROUTER, libzmq 4.3.4 may leave them off the routing-id
// frame: read them from a later frame.
//
// ZAP judges at the handshake only. What is connected stays connected when the roster changes:
// cutting it is ConnectionBook's work, after replace().
//
// Contract: start, replace, counters and take_refusals may be called from any thread. One thread
// of its own, which blocks all signals, allocates little, and does no I/O but inproc.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bus/access_list.h"
#include "config/result.h"
#include "config/roster.h"

namespace zmq {
class context_t;
}

namespace riftbus::bus {

inline constexpr const char* kZapEndpoint = "inproc://zeromq.zap.01";
inline constexpr const char* kLinkProperty = "Riftbus-Link";
inline constexpr const char* kKeyProperty = "Riftbus-Key";

// Refused handshakes alike in reason, key and address, since the last take_refusals().
struct RefusedHandshake {
  Refusal refusal = Refusal::unknown;
  std::string key_z85;  // empty if the request had none
  NodeId owner;         // of an expired or revoked key
  std::string address;  // the peer's IP address as libzmq saw it; printable
  std::uint64_t count = 0;
};
struct Refusals {
  std::vector<RefusedHandshake> kinds;  // in order of first appearance
  std::uint64_t others = 0;             // refusals that found no room in `kinds`
};
// So many kinds are kept between two calls of take_refusals(): whoever logs them once a second
// writes a bounded log, whatever a scanner does.
inline constexpr std::size_t kRefusalKindsMax = 16;

struct ZapCounters {
  std::uint64_t accepted = 0;
  std::array<std::uint64_t, 4> refused{};  // by Refusal
  [[nodiscard]] std::uint64_t refused_total() const;
};

class ZapHandler {
 public:
  // Returns when the handler is bound and answering. `context` must outlive it. Error 1130: another
  // handler is bound in this context.
  [[nodiscard]] static Result<std::unique_ptr<ZapHandler>> start(
      zmq::context_t& context, std::shared_ptr<const Roster> roster);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

  // In force for every handshake that libzmq asks about after this returns.
  void replace(std::shared_ptr<const Roster> roster);
  // The list in force.
  [[nodiscard]] std::shared_ptr<const AccessList> access() const;
  [[nodiscard]] ZapCounters counters() const;
  [[nodiscard]] Refusals take_refusals();

 private:
  struct State;
  explicit ZapHandler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace riftbus::bus
