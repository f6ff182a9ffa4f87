// Guard: who may ask over HTTP.
//
// Three gates. Host: a page that makes its own name point at this machine (DNS rebinding) still
// sends that name, so only addresses, localhost and names that the operator lists are answered.
// Origin: a browser says from which page a request comes; only from our own. Token: whatever
// changes something takes the node's token, as `Authorization: Bearer T` or `X-RingRift-Auth: T`;
// browsers attach neither by themselves, so no page can act with somebody's rights. A node without
// token refuses to be changed over HTTP at all.
//
// Tokens are compared through a keyed hash in constant time: nothing of them shows in how long it
// takes, not even their length. Thread-safe: immutable.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bus/http/message.h"
#include "bus/http/router.h"

namespace riftbus::http {

inline constexpr std::size_t kTokenBytesMin = 8;  // shorter ones can be guessed
inline constexpr std::size_t kTokenBytesMax = 512;

class Guard {
 public:
  // `tokens`: any of them will do. `hosts`: names beside addresses and localhost, in any case.
  // `tap_tokens`: let watch, and nothing else.
  Guard(const std::vector<std::string>& tokens, const std::vector<std::string>& hosts,
        const std::vector<std::string>& tap_tokens = {});

  // Why it goes no further: 403 HOST_NOT_ALLOWED, 403 ORIGIN_NOT_ALLOWED.
  [[nodiscard]] std::optional<Trouble> refuse_stranger(const Request& request) const;
  // Likewise for a route that takes the token: 401 UNAUTHORIZED, 403 NO_TOKEN_SET.
  [[nodiscard]] std::optional<Trouble> refuse_access(const Request& request, Access access) const;
  // It has the token itself, not only one for taps.
  [[nodiscard]] bool is_operator(const Request& request) const;

 private:
  using Digest = std::array<unsigned char, 32>;
  [[nodiscard]] Digest digest(std::string_view token) const;
  using Digests = std::vector<Digest>;
  [[nodiscard]] bool knows(const Digests& tokens, const Request& request) const;
  [[nodiscard]] bool knows(const Digests& tokens, std::string_view token) const;

  Digest key_{};
  Digests tokens_;
  Digests tap_tokens_;
  std::set<std::string> hosts_;
};

}  // namespace riftbus::http
