#include "bus/probe.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "config/types.h"

namespace riftbus::bus {

namespace {

constexpr Millis kProbePatience{500};

}  // namespace

std::optional<std::string> numeric_host(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return std::nullopt;
  char text[NI_MAXHOST];
  const bool is_known = ::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr,
                                      0, NI_NUMERICHOST) == 0;
  ::freeaddrinfo(found);
  return is_known ? std::optional<std::string>(text) : std::nullopt;
}

// What a bare TCP connect says: 0 accepted, an errno, or ETIMEDOUT.
int probe_tcp(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return EADDRNOTAVAIL;
  }
  int error = ETIMEDOUT;
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    if (::connect(fd, found->ai_addr, found->ai_addrlen) == 0) {
      error = 0;
    } else if (errno != EINPROGRESS) {
      error = errno;
    } else {
      pollfd item{fd, POLLOUT, 0};
      socklen_t bytes = sizeof error;
      if (::poll(&item, 1, static_cast<int>(kProbePatience.count())) > 0) {
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
      }
    }
    ::close(fd);
  }
  ::freeaddrinfo(found);
  return error;
}

}  // namespace riftbus::bus
