// Socks: what a relay needs of SOCKS5 (RFC 1928), the server's side.
//
// Members reach a node behind NAT through its relay: they ask for "<id>.riftbus", and the number by
// which it listens there. So CONNECT to a name is all there is; addresses, BIND and UDP are
// refused, and a relay never leads anywhere but to nodes that are attached to it. There is no
// authentication: what lies behind is CURVE, end to end, and refuses strangers itself.
//
//   client: 05 n method*n                      server: 05 00   (05 FF if "none" is not offered)
//   client: 05 01 00 03 length name port       server: 05 code 00 01 0 0 0 0 0 0
//
// Total: any bytes, in any pieces, give one of four answers. A client that sends more before it
// has its answer breaks the protocol and is refused. Pure; bounded by kRequestBytesMax.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/types.h"

namespace riftbus::relay {

// RFC 1928, section 6.
enum class SocksReply : std::uint8_t {
  succeeded = 0,
  failure = 1,
  unreachable = 4,  // no such node is attached
  refused = 5,      // it is, and does not listen by that port
  no_such_command = 7,
  no_such_address_type = 8
};
// What to send; nothing follows a reply other than `succeeded`.
[[nodiscard]] std::string encode_reply(SocksReply reply);

// After the node's id: some ids look like an address, which a client would send as one.
inline constexpr std::string_view kNodeSuffix = ".riftbus";

struct SocksTarget {
  NodeId node;
  std::uint16_t number = 0;
};

class SocksRequest {
 public:
  static constexpr std::size_t kRequestBytesMax = 4 + 1 + 255 + 2;

  enum class Step : std::uint8_t {
    more,    // bytes are missing
    greet,   // send answer(), and go on with take({})
    ask,     // target() is wanted: connect, then send encode_reply()
    hang_up  // send answer(), which may be empty, and close
  };
  // Everything that came since the last call.
  Step take(std::string_view bytes);

  [[nodiscard]] const std::string& answer() const { return answer_; }
  [[nodiscard]] const SocksTarget& target() const { return target_; }

 private:
  enum class Stage : std::uint8_t { greeting, request, over };
  Step take_greeting();
  Step take_request();
  Step hang_up(std::string answer);

  Stage stage_ = Stage::greeting;
  std::string buffer_;
  std::string answer_;
  SocksTarget target_;
};

}  // namespace riftbus::relay
