#include "test/bench/queue_load_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "test/bench/queue_load.h"

namespace riftbus::bench {

namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kForgetBytes = 1 << 20;  // taken bytes that may lie in the buffer

}  // namespace

Stream::Stream(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("nobody listens on port " + std::to_string(port));
  }
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Stream::~Stream() { ::close(descriptor_); }

void Stream::flush() {
  for (std::string_view left = out_; !left.empty();) {
    const ssize_t written = ::send(descriptor_, left.data(), left.size(), MSG_NOSIGNAL);
    if (written < 0) give_up("the connection broke");
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  out_.clear();
}

bool Stream::fill(Millis patience) {
  pollfd item{descriptor_, POLLIN, 0};
  if (::poll(&item, 1, static_cast<int>(patience.count())) <= 0) return false;
  if (at_ > kForgetBytes || at_ == in_.size()) {
    in_.erase(0, at_);
    at_ = 0;
  }
  std::array<char, kReadBytes> buffer;
  const ssize_t got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (got <= 0) give_up("the peer has closed the connection");
  in_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

bool Stream::line(std::string_view& line) const {
  const std::string_view all = rest();
  const std::size_t end = all.find("\r\n");
  if (end == std::string_view::npos) return false;
  line = all.substr(0, end);
  return true;
}

void wait_for_either(const Stream& first, const Stream* second, Millis patience) {
  pollfd items[2] = {{first.descriptor(), POLLIN, 0},
                     {second == nullptr ? -1 : second->descriptor(), POLLIN, 0}};
  ::poll(items, 2, static_cast<int>(patience.count()));
}

}  // namespace riftbus::bench
