#include "bus/cut.h"

#include <netdb.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <vector>
#include <zmq.hpp>

#include "bus/zap.h"

namespace riftbus::bus {

namespace {

// zmq_msg_gets() only reads, but cppzmq throws where it finds nothing.
const char* find_property(const zmq::message_t& frame, const char* name) {
  return zmq_msg_gets(frame.handle(), name);
}

std::optional<LinkNumber> read_link(const zmq::message_t& frame) {
  const char* const text = find_property(frame, kLinkProperty);
  if (text == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  const char* const end = text + std::strlen(text);
  if (std::from_chars(text, end, number).ptr != end) return std::nullopt;
  return LinkNumber(number);
}

// What getpeername() says of the descriptor now; 0 bytes if it is no connected socket.
socklen_t read_peer(int fd, sockaddr_storage& peer) {
  socklen_t bytes = sizeof peer;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &bytes) != 0) return 0;
  return bytes;
}

bool is_open(const Connection& connection) {
  sockaddr_storage peer{};
  const socklen_t bytes = read_peer(connection.fd, peer);
  return bytes > 0 && bytes == connection.peer_bytes &&
         std::memcmp(&peer, &connection.peer, bytes) == 0;
}

// libzmq noted the peer's IP address when it accepted the connection. If the descriptor now leads
// elsewhere, it has been reused before its first message was read.
bool leads_to(const Connection& connection, const char* address) {
  char host[NI_MAXHOST];
  return address != nullptr && connection.peer_bytes > 0 &&
         ::getnameinfo(reinterpret_cast<const sockaddr*>(&connection.peer), connection.peer_bytes,
                       host, sizeof host, nullptr, 0, NI_NUMERICHOST) == 0 &&
         std::strcmp(host, address) == 0;
}

}  // namespace

const Connection* ConnectionBook::note(const zmq::message_t& frame) {
  const auto link = read_link(frame);
  if (!link) return nullptr;
  if (const auto known = by_link_.find(*link); known != by_link_.end()) return &known->second;

  const char* const user = find_property(frame, "User-Id");
  const char* const key_text = find_property(frame, kKeyProperty);
  if (user == nullptr || key_text == nullptr) return nullptr;
  auto id = NodeId::parse(user);
  const auto key = CurveKey::from_z85(key_text);
  if (!id.ok() || !key.ok()) return nullptr;
  Connection connection{*link, std::move(*id), *key, zmq_msg_get(frame.handle(), ZMQ_SRCFD), {}, 0};
  connection.peer_bytes = read_peer(connection.fd, connection.peer);
  if (!leads_to(connection, find_property(frame, "Peer-Address"))) connection.peer_bytes = 0;
  return enter(std::move(connection));
}

const Connection* ConnectionBook::enter(Connection connection) {
  const LinkNumber link = connection.link;
  const int fd = connection.fd;
  Connection& entered = by_link_.emplace(link, std::move(connection)).first->second;
  const auto holder = by_fd_.find(fd);
  if (holder != by_fd_.end() && holder->second > link) {
    retire(entered);  // a newer connection has the number: this is an old one's late message
    return &entered;
  }
  if (holder != by_fd_.end()) retire(by_link_.at(holder->second));
  by_fd_.insert_or_assign(fd, link);
  return &entered;
}

void ConnectionBook::retire(Connection& connection) {
  const auto holder = by_fd_.find(connection.fd);
  if (holder != by_fd_.end() && holder->second == connection.link) by_fd_.erase(holder);
  connection.peer_bytes = 0;
  connection.fd = -1;
  ended_.push_back(connection.link);
  if (ended_.size() <= kEndedConnectionsMax) return;
  by_link_.erase(ended_.front());
  ended_.pop_front();
}

bool ConnectionBook::end(Connection& connection) {
  const bool ended = is_open(connection) && ::shutdown(connection.fd, SHUT_RDWR) == 0;
  retire(connection);
  return ended;
}

std::map<NodeId, std::size_t> ConnectionBook::cut_if(
    const std::function<bool(const Connection&)>& matches) {
  std::vector<LinkNumber> wanted;
  for (const auto& [fd, link] : by_fd_) {
    if (matches(by_link_.at(link))) wanted.push_back(link);
  }
  std::map<NodeId, std::size_t> ended;
  for (const LinkNumber link : wanted) {
    Connection& connection = by_link_.at(link);
    if (end(connection)) ++ended[connection.user];
  }
  return ended;
}

std::map<NodeId, std::size_t> ConnectionBook::cut_refused(const AccessList& access,
                                                          std::int64_t now_s) {
  return cut_if([&](const Connection& connection) {
    return !access.decide(connection.key, now_s).allowed();
  });
}

bool ConnectionBook::cut(LinkNumber link) {
  const auto found = by_link_.find(link);
  return found != by_link_.end() && found->second.fd >= 0 && end(found->second);
}

std::size_t ConnectionBook::count_open(const NodeId& user) const {
  std::size_t open = 0;
  for (const auto& [fd, link] : by_fd_) {
    const Connection& connection = by_link_.at(link);
    if (connection.user == user && is_open(connection)) ++open;
  }
  return open;
}

}  // namespace riftbus::bus
