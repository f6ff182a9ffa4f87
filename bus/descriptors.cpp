#include "bus/descriptors.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>

namespace riftbus::bus {

namespace {

constexpr int kHighestLookedAt = 65'536;

// 0: not a TCP socket.
std::uint16_t local_port(int fd) {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return 0;
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  return 0;
}

bool is_listener(int fd) {
  int listens = 0;
  socklen_t bytes = sizeof listens;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) != 0 || listens != 0;
}

}  // namespace

Result<std::size_t> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::size_t{0};
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  const auto in_force = static_cast<std::size_t>(limit.rlim_cur);
  if (in_force >= kDescriptorsAdvised) return in_force;
  return Error{1354, "only " + std::to_string(in_force) + " file descriptors are allowed", "",
               "raise the hard limit: LimitNOFILE= in the unit, or ulimit -Hn"};
}

std::size_t descriptors_left() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kDescriptorsLow;
  const int lowest = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (lowest < 0) return 0;
  ::close(lowest);
  const auto in_force = static_cast<std::size_t>(limit.rlim_cur);
  const auto used = static_cast<std::size_t>(lowest);
  return in_force > used ? in_force - used : 0;
}

std::size_t cut_unproven(const std::set<std::uint16_t>& ports, const std::set<int>& proven) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const int end = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kHighestLookedAt));
  std::size_t ended = 0;
  for (int fd = 3; fd < end; ++fd) {
    const std::uint16_t port = local_port(fd);
    if (port == 0 || !ports.contains(port) || proven.contains(fd) || is_listener(fd)) continue;
    if (::shutdown(fd, SHUT_RDWR) == 0) ++ended;
  }
  return ended;
}

}  // namespace riftbus::bus
