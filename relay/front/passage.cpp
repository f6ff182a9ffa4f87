#include "relay/front/passage.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace riftbus::relay {

namespace {

// -1, and errno.
int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return descriptor;
  }
  const int why = errno;
  ::close(descriptor);
  errno = why;
  return -1;
}

SocksReply reply_for(int problem) {
  switch (problem) {
    case ENOENT:
      return SocksReply::unreachable;
    case ECONNREFUSED:  // the socket of a session that is gone
      return SocksReply::refused;
    default:
      return SocksReply::failure;
  }
}

}  // namespace

Passage::Passage(bus::Loop& loop, Owner& owner, int accepted, std::string socket_dir)
    : owner_(owner),
      loop_(loop),
      socket_dir_(std::move(socket_dir)),
      member_(accepted),
      pump_(loop, *this) {
  loop.watch(accepted, *this, true, false);
}

Passage::~Passage() {
  if (member_ < 0) return;
  loop_.forget(member_);
  ::close(member_);
}

void Passage::on_ready(bus::Readiness) {
  std::array<char, SocksRequest::kRequestBytesMax> bytes{};
  const auto size = ::recv(member_, bytes.data(), bytes.size(), 0);
  if (size < 0 && bus::must_wait()) return;
  auto step = size <= 0 ? SocksRequest::Step::hang_up
                        : request_.take({bytes.data(), static_cast<std::size_t>(size)});
  if (step == SocksRequest::Step::greet) {
    say(request_.answer());
    step = request_.take({});
  }
  if (step == SocksRequest::Step::ask) return connect();
  if (step != SocksRequest::Step::hang_up) return;
  if (size > 0) say(request_.answer());
  finish();
}

void Passage::connect() {
  const auto& target = request_.target();
  const std::string name = target.node.value() + "." + std::to_string(target.number);
  const int node = connect_unix(socket_dir_ + "/" + name);
  if (node < 0) reply_ = reply_for(errno);
  say(encode_reply(reply_));
  if (node < 0) return finish();
  is_open_ = true;
  loop_.forget(member_);
  pump_.start(std::exchange(member_, -1), node);
  owner_.on_change(*this);
}

void Passage::on_pump_done() { finish(); }

void Passage::finish() {
  is_done_ = true;
  if (member_ >= 0) {
    loop_.forget(member_);
    ::close(std::exchange(member_, -1));
  }
  owner_.on_change(*this);
}

// A few bytes to a socket with nothing before them: they fit, or it is broken, which shows when it
// is read.
void Passage::say(const std::string& words) {
  [[maybe_unused]] const auto sent = ::send(member_, words.data(), words.size(), MSG_NOSIGNAL);
}

}  // namespace riftbus::relay
