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

bool must_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

Passage::Passage(ssh::Loop& loop, Owner& owner, int accepted, std::string socket_dir)
    : owner_(owner), socket_dir_(std::move(socket_dir)), member_(loop, *this), node_(loop, *this) {
  member_.descriptor = accepted;
  loop.watch(accepted, member_, true, false);
}

void Passage::Side::close() {
  if (descriptor < 0) return;
  loop.forget(descriptor);
  ::close(std::exchange(descriptor, -1));
}

void Passage::on_ready(Side& side, ssh::Readiness what) {
  if (is_done_) return;
  if (!is_open_) return negotiate();
  side.hung_up = side.hung_up || what.broken;
  move(member_, node_);
  move(node_, member_);
  if (is_done_ || is_over(member_, node_) || is_over(node_, member_)) return finish();
  watch(member_, node_);
  watch(node_, member_);
}

void Passage::negotiate() {
  std::array<char, SocksRequest::kRequestBytesMax> bytes{};
  const auto size = ::recv(member_.descriptor, bytes.data(), bytes.size(), 0);
  if (size < 0 && must_wait()) return;
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
  node_.descriptor = connect_unix(socket_dir_ + "/" + name);
  if (node_.descriptor < 0) reply_ = reply_for(errno);
  say(encode_reply(reply_));
  if (node_.descriptor < 0 || is_done_) return finish();
  is_open_ = true;
  watch(member_, node_);
  watch(node_, member_);
  owner_.on_change(*this);
}

void Passage::finish() {
  is_done_ = true;
  member_.close();
  node_.close();
  owner_.on_change(*this);
}

// A few bytes to a socket with nothing before them: they fit, or it is broken.
void Passage::say(const std::string& words) {
  if (::send(member_.descriptor, words.data(), words.size(), MSG_NOSIGNAL) < 0) is_done_ = true;
}

// Everything that `side` sent was delivered, and nothing more can reach it.
bool Passage::is_over(const Side& side, const Side& other) {
  if (!side.ended || other.has_unsent()) return false;
  return side.hung_up || (other.ended && !side.has_unsent());
}

void Passage::move(Side& from, Side& to) {
  std::array<char, kChunkBytes> chunk;
  while (!is_done_ && flush(to) && !from.ended) {
    const auto size = ::recv(from.descriptor, chunk.data(), chunk.size(), 0);
    if (size < 0) {
      if (must_wait()) return;
      is_done_ = true;  // reset
      return;
    }
    if (size == 0) {
      from.ended = true;
      ::shutdown(to.descriptor, SHUT_WR);
      return;
    }
    bytes_ += static_cast<std::uint64_t>(size);
    if (!send(to, chunk.data(), static_cast<std::size_t>(size))) return;
    // One chunk per turn, for fairness; the kernel tells of the rest, unless the side is gone.
    if (!from.hung_up) return;
  }
}

bool Passage::flush(Side& side) {
  if (!side.has_unsent()) return true;
  std::vector<char> waiting = std::exchange(side.unsent, {});
  const std::size_t begin = std::exchange(side.sent, 0);
  return send(side, waiting.data() + begin, waiting.size() - begin);
}

bool Passage::send(Side& side, const char* data, std::size_t size) {
  while (size > 0 && !side.hung_up) {
    const auto taken = ::send(side.descriptor, data, size, MSG_NOSIGNAL);
    if (taken < 0) {
      if (errno == EINTR) continue;
      side.hung_up = !must_wait();
      if (side.hung_up) break;
      side.unsent.assign(data, data + size);
      return false;
    }
    data += taken;
    size -= static_cast<std::size_t>(taken);
  }
  return true;
}

void Passage::watch(Side& side, const Side& other) {
  const bool reads = !side.ended && !other.has_unsent();
  // The kernel tells of a hang-up again and again, whether or not anything was asked for.
  if (side.hung_up) return side.loop.forget(side.descriptor);
  side.loop.watch(side.descriptor, side, reads, side.has_unsent());
}

}  // namespace riftbus::relay
