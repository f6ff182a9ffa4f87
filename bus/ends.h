// Ends: sockets to and at the ends of forwards, TCP and Unix, never blocking.
//
// A name that is not resolved yet is `pending`: ask again when the resolver has something. Of
// several addresses of a name, attempt n takes the n-th, so that one dead address does not stop
// the tunnel.
#pragma once

#include <cstdint>
#include <string>

#include "bus/resolver.h"
#include "config/forward.h"
#include "config/result.h"
#include "config/types.h"

namespace riftbus::bus {

struct Dialling {
  int descriptor = -1;   // connected, or connecting: writable when it is decided
  bool pending = false;  // the name is being looked up
  std::string problem;   // if neither
};
[[nodiscard]] Dialling dial_end(const ForwardEnd& end, Resolver& resolver, TimePoint now,
                                std::uint64_t attempt);
// Of a socket that has become writable: empty if it is connected.
[[nodiscard]] std::string connect_problem(int descriptor);

// 1817. A Unix socket is 0600; a leftover one that nobody listens on is replaced.
[[nodiscard]] Result<int> listen_end(const ForwardEnd& end);
// -1: nobody waits, or errno says that nothing is left to let them in with. Then they go on
// waiting, and the listener is readable all the time: do not watch it for a while.
[[nodiscard]] int accept_end(int listener);
[[nodiscard]] bool is_exhausted(int error);

// Small messages leave at once; what the kernel holds unsent is bounded, and a peer that does not
// acknowledge for `silence_max` ends the connection.
void tune_server_socket(int descriptor, std::int64_t unsent_bytes_max, Nanos silence_max);
// Acknowledges at once what was read: sshd leaves Nagle's algorithm on and would wait for it. Each
// time costs a packet, so not for servers that do not.
void acknowledge_now(int descriptor);

}  // namespace riftbus::bus
