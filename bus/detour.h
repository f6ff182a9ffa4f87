// Detours: local sockets that lead through relays.
//
// A node that nobody can dial is reached through a relay, a SOCKS5 proxy (RFC 1928). libzmq has a
// SOCKS client, but version 4.3.4 aborts the process when a socket is closed whose proxy had
// refused ("Bad file descriptor (src/epoll.cpp:113)"), and it cannot be given a connection that
// somebody else has made. So each connection gets a Unix socket of its own to go to: it is accepted
// once, from this process only, and its bytes are moved to the relay by one thread for all of them.
// What is in them is CURVE, between us and the node.
//
// A detour that fails, or that nobody takes within kPatience, is closed, which its user sees as a
// connection that ended.
//
// Contract: loop thread. Their own thread begins with the first detour and is joined by the
// destructor, which closes them all. Bounds: kDetoursMax at once. Linux: the sockets have abstract
// names, so nothing is left behind.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/result.h"

namespace riftbus::bus {

struct DetourTarget {
  std::string relay;  // numeric address
  std::uint16_t port = 0;
  std::string name;  // at most 255 bytes
  std::uint16_t number = 0;
};

class Detours {
 public:
  static constexpr std::size_t kDetoursMax = 1024;
  static constexpr std::int64_t kPatienceMs = 10'000;  // to be taken, and until it leads somewhere

  Detours();
  ~Detours();
  Detours(const Detours&) = delete;
  Detours& operator=(const Detours&) = delete;

  // The endpoint for one zmq connect(). 1357: too many, or no descriptor is left.
  [[nodiscard]] Result<std::string> open(const DetourTarget& target);

 private:
  class Detour;
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace riftbus::bus
