#include "bus/dialer.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "bus/socks_words.h"

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
  dial.relayed = dial.relayed || !target.name.empty();
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
    if (result == 0 && target.name.empty()) {
      dial.accepted = true;
      ::close(fd);
    } else if (result == 0 || errno == EINPROGRESS) {
      Try& one = dial.tries.emplace_back();
      one.descriptor = fd;
      if (!target.name.empty()) one.question = socks_question(target.name, target.number);
    } else {
      dial.refused = dial.refused || errno == ECONNREFUSED;
      ::close(fd);
    }
  }
  ::freeaddrinfo(found);
}

void Dialer::collect_descriptors(std::vector<Waiting>& out) const {
  for (const Dial& dial : dials_) {
    for (const Try& one : dial.tries) out.push_back({one.descriptor, one.is_asking});
  }
}

TimePoint Dialer::next_deadline() const {
  TimePoint next = TimePoint::max();
  for (const Dial& dial : dials_) {
    next = std::min(next, dial.tries.empty() ? TimePoint{} : dial.deadline);
  }
  return next;
}

void Dialer::look(Dial& dial) {
  for (auto one = dial.tries.begin(); one != dial.tries.end();) {
    if (!look_at(*one, dial)) {
      ++one;
      continue;
    }
    ::close(one->descriptor);
    one = dial.tries.erase(one);
    ++generation_;
  }
}

bool Dialer::look_at(Try& one, Dial& dial) {
  pollfd item{one.descriptor, static_cast<short>(one.is_asking ? POLLIN : POLLOUT), 0};
  if (::poll(&item, 1, 0) <= 0) return false;
  if (one.is_asking) return take_answer(one, dial);
  int error = 0;
  socklen_t bytes = sizeof error;
  if (::getsockopt(one.descriptor, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0 || error != 0) {
    dial.refused = dial.refused || error == ECONNREFUSED;
    return true;
  }
  if (one.question.empty()) {
    dial.accepted = true;
    return true;
  }
  one.is_asking = true;
  ++generation_;
  const std::string words = std::exchange(one.question, {});
  const auto sent = ::send(one.descriptor, words.data(), words.size(), MSG_NOSIGNAL);
  return sent != static_cast<ssize_t>(words.size());  // fresh: it fits, or it is broken
}

bool Dialer::take_answer(Try& one, Dial& dial) {
  char bytes[kSocksAnswerBytes];
  const auto size = ::recv(one.descriptor, bytes, kSocksAnswerBytes - one.answer.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return false;
  if (size <= 0) return true;
  one.answer.append(bytes, static_cast<std::size_t>(size));
  if (one.answer.size() < kSocksAnswerBytes) return false;
  const auto verdict = read_socks_answer(one.answer);
  dial.accepted = dial.accepted || verdict == SocksVerdict::open;
  dial.relay_answered = dial.relay_answered || verdict != SocksVerdict::nonsense;
  return true;
}

DialOutcome Dialer::outcome_of(const Dial& dial) {
  if (dial.accepted) return DialOutcome::accepted;
  if (dial.relayed) return dial.relay_answered ? DialOutcome::silent : DialOutcome::relay_lost;
  return dial.refused ? DialOutcome::refused : DialOutcome::silent;
}

void Dialer::step(TimePoint now, std::vector<Finished>& out) {
  for (auto dial = dials_.begin(); dial != dials_.end();) {
    look(*dial);
    if (!dial->accepted && !dial->tries.empty() && now < dial->deadline) {
      ++dial;
      continue;
    }
    out.push_back({std::move(dial->peer), outcome_of(*dial)});
    close_all(*dial);
    dial = dials_.erase(dial);
    ++generation_;
  }
}

void Dialer::close_all(Dial& dial) {
  for (const Try& one : dial.tries) ::close(one.descriptor);
  dial.tries.clear();
}

}  // namespace riftbus::bus
