// ConnectionBook: which live TCP connection belongs to whom, so that it can be ended.
//
// libzmq judges a peer at the handshake and never again: a revoked peer that is connected keeps
// sending, and a revoked subscriber keeps receiving. It has no call to disconnect one peer either.
// But each message tells the descriptor it came over (ZMQ_SRCFD: deprecated, yet stable in every
// 4.x), and shutdown() on that descriptor ends the connection as if the network had; the reconnect
// then meets the gatekeeper.
//
// The descriptor belongs to libzmq, which may have closed it and the kernel may have given its
// number to somebody else. So the book keeps the peer's address as of the connection's first
// message and compares before it cuts. Messages that were queued when their connection ended, and
// come out after the number has a new owner, are told apart by link numbers, which only grow.
// Between comparison and shutdown() remains a window of a few
// instructions in which the wrong peer could lose its connection; it reconnects.
//
// Limits: a connection on which the peer has not yet sent anything is not in the book. It can do no
// harm before its first message, and the owner asks note() on that one: so give every message to
// note(), and cut() when its sender is not allowed (any more). A subscriber sends its
// subscriptions, so an XPUB's peers are known too. Entries are bounded by the number of
// descriptors: a new connection on a number replaces the old one's entry.
//
// Contract: the thread that reads the sockets; both ROUTER and XPUB may share a book.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "bus/access_list.h"
#include "config/roster.h"
#include "config/types.h"

namespace zmq {
class message_t;
}

namespace riftbus::bus {

// Different for every connection accepted by this process.
using LinkNumber = Strong<struct LinkNumberTag>;

struct Connection {
  LinkNumber link;
  NodeId user;   // as the gatekeeper said: trusted
  CurveKey key;  // which of its keys it proved
  int fd = -1;
  sockaddr_storage peer{};
  socklen_t peer_bytes = 0;  // 0: known to be over, or the address could not be read
};

// Connections that are over stay known, as such, until so many more are: their last messages may
// still wait in a socket's queue.
inline constexpr std::size_t kEndedConnectionsMax = 1024;

class ConnectionBook {
 public:
  // The connection that `frame` came over, now on record; nullptr if it was not accepted by our
  // gatekeeper (inproc, --insecure). A payload frame of a ROUTER, any frame of an XPUB. Valid until
  // the next non-const call. Cheap: the system is asked only at a connection's first message.
  const Connection* note(const zmq::message_t& frame);

  // Ends what matches; returns whose connections ended, with their number.
  // A connection that had ended by itself is not counted.
  std::map<NodeId, std::size_t> cut_if(const std::function<bool(const Connection&)>& matches);
  // Everybody whose key the list does not allow now: after each replace(), and now and then, since
  // keys expire without a new roster.
  std::map<NodeId, std::size_t> cut_refused(const AccessList& access, std::int64_t now_s);
  // False: it had ended by itself, or is not on record.
  bool cut(LinkNumber link);

  // Of those on record, how many of this user's connections are still open.
  [[nodiscard]] std::size_t count_open(const NodeId& user) const;
  [[nodiscard]] std::size_t size() const { return by_link_.size() - ended_.size(); }

 private:
  const Connection* enter(Connection connection);
  bool end(Connection& connection);
  void retire(Connection& connection);

  std::map<LinkNumber, Connection> by_link_;
  std::map<int, LinkNumber> by_fd_;  // those not known to be over
  std::deque<LinkNumber> ended_;     // oldest first
};

}  // namespace riftbus::bus
