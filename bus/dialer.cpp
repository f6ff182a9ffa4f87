#include "bus/dialer.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace riftbus::bus {

Dialer::~Dialer() {
  for (Dial& dial : dials_) close_all(dial);
}

void Dialer::start(const NodeId& peer, const std::vector<DialTarget>& targets, Nanos patience,
                   TimePoint now) {
  Dial& dial = dials_.emplace_back();
  dial.peer = peer;
  dial.deadline = now + patience;
  ++generation_;
  if (dials_.size() > limits_.dials_max) return;  // step() finds it without descriptors
  for (const DialTarget& target : targets) {
    open(dial, target);
    if (dial.accepted) break;
  }
}

void Dialer::open(Dial& dial, const DialTarget& target) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found) !=
      0) {
    return;
  }
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    const int result = ::connect(fd, found->ai_addr, found->ai_addrlen);
    if (result == 0) {
      dial.accepted = true;
      ::close(fd);
    } else if (errno == EINPROGRESS) {
      dial.descriptors.push_back(fd);
    } else {
      dial.refused = dial.refused || errno == ECONNREFUSED;
      ::close(fd);
    }
  }
  ::freeaddrinfo(found);
}

void Dialer::collect_descriptors(std::vector<int>& out) const {
  for (const Dial& dial : dials_) {
    out.insert(out.end(), dial.descriptors.begin(), dial.descriptors.end());
  }
}

TimePoint Dialer::next_deadline() const {
  TimePoint next = TimePoint::max();
  for (const Dial& dial : dials_) {
    next = std::min(next, dial.descriptors.empty() ? TimePoint{} : dial.deadline);
  }
  return next;
}

void Dialer::look(Dial& dial) {
  for (auto fd = dial.descriptors.begin(); fd != dial.descriptors.end();) {
    pollfd item{*fd, POLLOUT, 0};
    if (::poll(&item, 1, 0) <= 0) {
      ++fd;
      continue;
    }
    int error = 0;
    socklen_t bytes = sizeof error;
    if (::getsockopt(*fd, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 && error == 0) {
      dial.accepted = true;
    } else if (error == ECONNREFUSED) {
      dial.refused = true;
    }
    ::close(*fd);
    fd = dial.descriptors.erase(fd);
    ++generation_;
  }
}

void Dialer::step(TimePoint now, std::vector<Finished>& out) {
  for (auto dial = dials_.begin(); dial != dials_.end();) {
    look(*dial);
    if (!dial->accepted && !dial->descriptors.empty() && now < dial->deadline) {
      ++dial;
      continue;
    }
    const DialOutcome outcome = dial->accepted  ? DialOutcome::accepted
                                : dial->refused ? DialOutcome::refused
                                                : DialOutcome::silent;
    out.push_back({std::move(dial->peer), outcome});
    close_all(*dial);
    dial = dials_.erase(dial);
    ++generation_;
  }
}

void Dialer::close_all(Dial& dial) {
  for (const int fd : dial.descriptors) ::close(fd);
  dial.descriptors.clear();
}

}  // namespace riftbus::bus
