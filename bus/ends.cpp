#include "bus/ends.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bus/socket_address.h"
#include "config/address.h"

namespace riftbus::bus {

namespace {

constexpr int kBacklog = 1024;  // a relay that is back meets all its nodes at once

void set_option(int descriptor, int level, int option, int value) {
  setsockopt(descriptor, level, option, &value, sizeof value);
}

int open_socket(int family) {
  const int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor >= 0 && family != AF_UNIX) {
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  }
  return descriptor;
}

Dialling dial_address(const SocketAddress& address) {
  const int descriptor = open_socket(address.storage.ss_family);
  if (descriptor < 0) return {-1, false, std::strerror(errno)};
  if (connect(descriptor, address.get(), address.size) == 0 || errno == EINPROGRESS) {
    return {descriptor, false, ""};
  }
  std::string problem = std::strerror(errno);
  close(descriptor);
  return {-1, false, std::move(problem)};
}

// A socket file that answers nobody is left over from a process that died.
void remove_leftover(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  const auto dialling = dial_address(unix_address(path));
  if (dialling.descriptor >= 0) {
    close(dialling.descriptor);
  } else {
    unlink(path.c_str());
  }
}

}  // namespace

Dialling dial_end(const ForwardEnd& end, Resolver& resolver, TimePoint now, std::uint64_t attempt) {
  if (end.is_unix()) return dial_address(unix_address(end.path));
  const auto hosts = resolver.lookup(end.host, now);
  if (hosts.empty()) return {-1, true, ""};
  return dial_address(tcp_address(hosts[attempt % hosts.size()], end.port));
}

std::string connect_problem(int descriptor) {
  int problem = 0;
  socklen_t size = sizeof problem;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &problem, &size) != 0) problem = errno;
  return problem == 0 ? "" : std::strerror(problem);
}

Result<int> listen_end(const ForwardEnd& end) {
  const auto refuse = [&](const std::string& why) {
    return Error{1817, "cannot listen: " + why, end.to_string(),
                 "see who listens there with ss -ltnp, or choose another"};
  };
  if (end.is_unix()) remove_leftover(end.path);
  const std::string host = end.host == "*"           ? "0.0.0.0"
                           : end.host == "localhost" ? "127.0.0.1"
                                                     : end.host;
  const auto address = end.is_unix() ? unix_address(end.path) : tcp_address(host, end.port);
  if (address.size == 0) return refuse("it needs an address, not a name");
  const int descriptor = open_socket(address.storage.ss_family);
  if (descriptor < 0) return refuse(std::strerror(errno));
  if (!end.is_unix()) set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
  // Before anybody can connect: the mode of the file is that of the socket at bind().
  if (end.is_unix()) fchmod(descriptor, S_IRUSR | S_IWUSR);
  if (bind(descriptor, address.get(), address.size) != 0 || listen(descriptor, kBacklog) != 0) {
    const std::string why = std::strerror(errno);
    close(descriptor);
    return refuse(why);
  }
  return descriptor;
}

int accept_end(int listener) {
  const int descriptor = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor >= 0) set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  return descriptor;
}

bool is_exhausted(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void tune_server_socket(int descriptor, std::int64_t unsent_bytes_max, Nanos silence_max) {
  set_option(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, static_cast<int>(unsent_bytes_max));
  set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(to_ms(silence_max)));
}

void acknowledge_now(int descriptor) { set_option(descriptor, IPPROTO_TCP, TCP_QUICKACK, 1); }

}  // namespace riftbus::bus
