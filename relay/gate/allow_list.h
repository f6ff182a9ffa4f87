// AllowList: whose keys a relay lets in, under which node's name, and what each may forward.
//
// The file is written as OpenSSH's authorized_keys, so that one line serves both servers and
// `riftbus-tunnel --show-key` prints one that works as it is:
//
//   ssh-ed25519 AAAA... n1
//   restrict,port-forwarding,permitlisten="21017",expiry-time="20261201" ssh-ed25519 AAAA... n2
//   permitopen="127.0.0.1:7770" ssh-ed25519 AAAA... n3    its new key, while the old one is listed
//
// The word after the key is the node's id; a key belongs to one node only, a node may have several
// keys. Without permitlisten a key may listen under any number, since its listeners carry its
// node's name and nobody else's; without permitopen it may open nothing. `restrict` alone forbids
// forwards, as in sshd, and `port-forwarding` after it allows them again. Times are UTC. What
// would restrict a key in sshd and is not known here (from=, command=) makes its line invalid
// rather than unrestricted.
//
//   line    = [ options blanks ] "ssh-ed25519" blanks base64 blanks node-id [ blanks remark ]
//   options = option { "," option }        option = name [ "=" '"' text '"' ]
//   permitlisten = [ host ":" ] port-or-*  host: localhost, 127.0.0.1, ::1 or *
//   permitopen   = host ":" port-or-* | "none"   host: an address or localhost
//   expiry-time  = YYYYMMDD [ HHMM [ SS ] ] [ "Z" ]
//
// Total: any text gives a list of the lines that are right, and an Error (1832) for each that is
// not. Bounds: kKeysMax lines, kLineBytesMax each. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/forward.h"
#include "config/result.h"
#include "config/types.h"

namespace riftbus::relay {

inline constexpr std::size_t kKeysMax = 4096;
inline constexpr std::size_t kLineBytesMax = 8192;
inline constexpr std::size_t kPermitsMax = 64;

struct AllowedKey {
  NodeId node;
  std::string key;                           // base64, as after "ssh-ed25519"
  bool may_forward = true;                   // false: `restrict` alone
  std::vector<std::uint16_t> listen;         // 0: any; empty: any
  std::vector<ForwardEnd> open;              // port 0: any
  std::optional<std::int64_t> expires_at_s;  // seconds since the Unix epoch
  std::size_t line = 0;

  [[nodiscard]] bool may_listen(std::uint16_t port) const;
  [[nodiscard]] bool may_open(const std::string& host, std::uint16_t port) const;
  [[nodiscard]] bool is_expired(std::int64_t wall_s) const {
    return expires_at_s && wall_s >= *expires_at_s;
  }
  bool operator==(const AllowedKey&) const = default;
};

class AllowList {
 public:
  // 1832: the key is listed already.
  [[nodiscard]] Status add(AllowedKey key);
  // nullptr: not listed.
  [[nodiscard]] const AllowedKey* find(std::string_view key) const;
  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  bool operator==(const AllowList&) const = default;

 private:
  std::map<std::string, AllowedKey, std::less<>> keys_;
};

struct ParsedAllowList {
  AllowList list;
  std::vector<Error> problems;  // in the order of their lines
};
// `file` is for messages.
[[nodiscard]] ParsedAllowList parse_allow_list(std::string_view text, const std::string& file);

}  // namespace riftbus::relay
