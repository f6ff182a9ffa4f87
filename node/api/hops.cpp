#include "node/api/hops.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace riftbus::node {

namespace {

// -1, and `error` says why.
int connect_to(const wire::Address& front, std::string& error) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = std::to_string(front.call_port);
  if (::getaddrinfo(front.host.c_str(), port.c_str(), &hints, &found) != 0) {
    error = "measured for numeric addresses only";
    return -1;
  }
  const int descriptor = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool began =
      descriptor >= 0 &&
      (::connect(descriptor, found->ai_addr, found->ai_addrlen) == 0 || errno == EINPROGRESS);
  if (!began) error = std::strerror(errno);
  ::freeaddrinfo(found);
  if (began) return descriptor;
  if (descriptor >= 0) ::close(descriptor);
  return -1;
}

void measure(int descriptor, HopOutcome& outcome) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  tcp_info info{};
  size = sizeof info;
  if (error == 0 && ::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    error = errno;
  }
  if (error != 0) {
    outcome.error = std::strerror(error);
  } else {
    outcome.rtt = std::chrono::microseconds(info.tcpi_rtt);
  }
}

}  // namespace

Hops::~Hops() {
  for (const Hop& hop : hops_) {
    if (hop.descriptor >= 0) ::close(hop.descriptor);
  }
}

void Hops::start(const HopOrder& order, bus::ReplyTo asker, Correlation correlation,
                 TimePoint now) {
  Hop& hop = hops_.emplace_back(Hop{{order, {}, asker, correlation}, -1, now + kPatience});
  hop.descriptor = connect_to(order.front, hop.report.outcome.error);
  looked_ = now;
}

bool Hops::look(Hop& hop, TimePoint now) {
  if (hop.descriptor < 0) return true;
  pollfd item{hop.descriptor, POLLOUT, 0};
  if (::poll(&item, 1, 0) > 0) {
    measure(hop.descriptor, hop.report.outcome);
  } else if (now >= hop.due) {
    hop.report.outcome.error = "no answer";
  } else {
    return false;
  }
  ::close(hop.descriptor);
  return true;
}

void Hops::step(TimePoint now, std::vector<Finished>& out) {
  looked_ = now;
  for (auto hop = hops_.begin(); hop != hops_.end();) {
    if (!look(*hop, now)) {
      ++hop;
      continue;
    }
    out.push_back(std::move(hop->report));
    hop = hops_.erase(hop);
  }
}

TimePoint Hops::next_deadline() const {
  return hops_.empty() ? TimePoint::max() : looked_ + kLookEvery;
}

}  // namespace riftbus::node
