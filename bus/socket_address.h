// SocketAddress: what the socket calls of the system take, of a numeric TCP address or of a path.
//
// Pure.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace riftbus::bus {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;  // that of the family; 0: it is no address
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// IPv4 or IPv6, without brackets; of size 0 if `host` is a name.
[[nodiscard]] SocketAddress tcp_address(const std::string& host, std::uint16_t port);
// A path that is too long is cut.
[[nodiscard]] SocketAddress unix_address(const std::string& path);

}  // namespace riftbus::bus
