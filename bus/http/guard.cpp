#include "bus/http/guard.h"

#include <arpa/inet.h>
#include <sodium.h>

#include <algorithm>

#include "bus/http/letters.h"

namespace riftbus::http {

namespace {

// "[::1]:8770" -> "::1", "n1:8770" -> "n1". Empty: not a host.
std::string host_in(std::string_view text) {
  std::string_view port;
  std::string_view host = text;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return "";
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
    if (!port.empty() && port.front() != ':') return "";
  } else if (const auto mark = text.find(':'); mark != std::string_view::npos) {
    host = text.substr(0, mark);
    port = text.substr(mark);
  }
  const bool is_number = std::all_of(port.begin() + (port.empty() ? 0 : 1), port.end(),
                                     [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? lower(host) : "";
}

bool is_address(const std::string& host) {
  in_addr v4{};
  in6_addr v6{};
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 || inet_pton(AF_INET6, host.c_str(), &v6) == 1;
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  if (lower(authorization.substr(0, kScheme.size())) != kScheme) return {};
  return authorization.substr(kScheme.size());
}

}  // namespace

Guard::Guard(const std::vector<std::string>& tokens, const std::vector<std::string>& hosts,
             const std::vector<std::string>& tap_tokens) {
  randombytes_buf(key_.data(), key_.size());
  for (const auto& token : tokens) tokens_.push_back(digest(token));
  for (const auto& token : tap_tokens) tap_tokens_.push_back(digest(token));
  for (const auto& host : hosts) hosts_.insert(lower(host));
  hosts_.insert("localhost");
}

Guard::Digest Guard::digest(std::string_view token) const {
  Digest result{};
  crypto_generichash(result.data(), result.size(),
                     reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                     key_.data(), key_.size());
  return result;
}

// Looks at every token, whichever fits.
bool Guard::knows(const Digests& tokens, std::string_view token) const {
  if (token.empty() || token.size() > kTokenBytesMax) return false;
  const Digest given = digest(token);
  bool found = false;
  for (const auto& known : tokens) {
    found = sodium_memcmp(known.data(), given.data(), given.size()) == 0 || found;
  }
  return found;
}

bool Guard::knows(const Digests& tokens, const Request& request) const {
  const bool by_bearer = knows(tokens, bearer_of(request.authorization));
  const bool by_header = knows(tokens, request.shared_token);
  return by_bearer || by_header;
}

bool Guard::is_operator(const Request& request) const { return knows(tokens_, request); }

std::optional<Trouble> Guard::refuse_stranger(const Request& request) const {
  const std::string host = host_in(request.host);
  if (host.empty() || (!hosts_.contains(host) && !is_address(host))) {
    return Trouble{403,
                   "HOST_NOT_ALLOWED",
                   "this node is not asked for under that name",
                   {{"next", "ask for an address, or list the name in http.hosts"}}};
  }
  if (request.origin.empty()) return std::nullopt;
  if (request.origin == "http://" + request.host || request.origin == "https://" + request.host) {
    return std::nullopt;
  }
  return Trouble{403, "ORIGIN_NOT_ALLOWED", "pages of other origins may not ask this node", {}};
}

std::optional<Trouble> Guard::refuse_access(const Request& request, Access access) const {
  if (access == Access::open || access == Access::member) return std::nullopt;
  const bool is_watcher = access == Access::tap && knows(tap_tokens_, request);
  if (is_watcher) return std::nullopt;
  if (tokens_.empty() && (access != Access::tap || tap_tokens_.empty())) {
    return Trouble{403,
                   "NO_TOKEN_SET",
                   "this node has no token, so nothing is changed over HTTP",
                   {{"next", "set http.token_file or RINGRIFT_CLUSTER_AUTH_TOKEN_FILE"}}};
  }
  if (is_operator(request)) return std::nullopt;
  return Trouble{401,
                 "UNAUTHORIZED",
                 "unauthorized",
                 {{"next", "send Authorization: Bearer TOKEN, or X-RingRift-Auth: TOKEN"}}};
}

}  // namespace riftbus::http
