// Forwards: which connections a tunnel carries, and to which servers it goes.
//
// A forward is written as ssh's -R and -L write it, with an optional class at its end:
//
//   reverse  21017:127.0.0.1:7770          the server's 127.0.0.1:21017 leads to port 7770 here
//   reverse  0.0.0.0:21017:10.0.0.5:80     on every address of the server; to another machine
//   reverse  0:127.0.0.1:7770              the server chooses a free port; the status names it
//   reverse  21018:127.0.0.1:7771@bulk     in the session for bulk, so that it delays no control
//   reverse  21019:/run/app.sock           leads to a Unix socket here
//   local    7100:127.0.0.1:7770           127.0.0.1:7100 here leads to port 7770 at the server
//   local    /run/a.sock:10.0.0.9:22       a Unix socket here leads to a machine behind the server
//   local    [::1]:7100:[::1]:7770         IPv6 stands in brackets, as in a URL
//
//   forward = listen ":" target [ "@" ( "control" | "bulk" ) ]      class: control
//   listen  = [ host ":" ] port | path        host: 127.0.0.1; "*" or 0.0.0.0: every address
//   target  = host ":" port | path
//   host    = name | IPv4 | "[" IPv6 "]"      path = "/" ..., 107 bytes, without : @ , and blanks
//   server  = [ user "@" ] host [ ":" port ] "#" pin { "#" pin }     port: 22
//   pin     = "SHA256:" 43 characters of base64, as `ssh-keygen -l` prints it
//
// Unlike ssh's, a listener without a host is 127.0.0.1 and never "localhost", which an
// authorized_keys file with permitlisten="127.0.0.1:21017" refuses. A reverse forward cannot
// listen on a Unix socket: libssh has no request for it. A server has two pins while its key is
// being changed.
//
// The parsers are total: any text gives a value or an Error (1800, 1801, 1802) that names the
// column and what was expected there. Pure values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"

namespace riftbus {

// More than the longest value written out in full, so that every value reads back: a user, a DNS
// name, a port and all pins are 533 bytes.
inline constexpr std::size_t kForwardBytesMax = 640;
inline constexpr std::size_t kSocketPathBytesMax = 107;  // sun_path, less its zero
inline constexpr std::size_t kServerPinsMax = 4;
inline constexpr std::uint16_t kSshPort = 22;

enum class ForwardSide : std::uint8_t { reverse = 1, local = 2 };
// Two SSH sessions, because a stream that fills one delays everything else in it.
enum class TrafficClass : std::uint8_t { control = 1, bulk = 2 };
[[nodiscard]] std::string_view to_string(ForwardSide side);
[[nodiscard]] std::string_view to_string(TrafficClass traffic);

// One end: a host and port, or the path of a Unix socket.
struct ForwardEnd {
  std::string host;        // without brackets; "*": every address
  std::uint16_t port = 0;  // 0 only where a server may choose
  std::string path;        // not empty: a Unix socket, and host and port mean nothing

  [[nodiscard]] bool is_unix() const { return !path.empty(); }
  // "127.0.0.1:7770", "[::1]:7770", "/run/app.sock"
  [[nodiscard]] std::string to_string() const;
  bool operator==(const ForwardEnd&) const = default;
};

struct Forward {
  ForwardSide side = ForwardSide::reverse;
  ForwardEnd listen;  // at the server if reverse, else here
  ForwardEnd target;  // reached from here if reverse, else from the server
  TrafficClass traffic = TrafficClass::control;

  // What parse_forward() reads back; the class only if it is bulk.
  [[nodiscard]] std::string to_string() const;
  bool operator==(const Forward&) const = default;
};

[[nodiscard]] Result<Forward> parse_forward(std::string_view text, ForwardSide side);

struct TunnelServer {
  std::string user;  // empty: tunnel.user
  std::string host;
  std::uint16_t port = kSshPort;
  std::vector<std::string> pins;  // "SHA256:..."; one at least
  // Not empty: the Unix socket from which the bus carries the session there (node/mesh/carrier.h).
  // Never written in a file.
  std::string carrier;

  [[nodiscard]] bool is_carried() const { return !carrier.empty(); }
  // "192.0.2.24:22": for people.
  [[nodiscard]] std::string address() const;
  // What parse_tunnel_server() reads back.
  [[nodiscard]] std::string to_string() const;
  bool operator==(const TunnelServer&) const = default;
};

[[nodiscard]] Result<TunnelServer> parse_tunnel_server(std::string_view text);
// "SHA256:" and 43 characters of base64.
[[nodiscard]] bool is_host_pin(std::string_view text);

}  // namespace riftbus
