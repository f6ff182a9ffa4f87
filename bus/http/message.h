// Request and Response: what an HTTP call is once the bytes are read, and before they are written.
//
// Only what anybody here looks at is kept of a request's header. A response's body is shared and
// never changed, so that one document answers many connections without being copied. With `pull` it
// is a stream of server-sent events: the server asks for the next text as often as it can be sent.
//
// Errors have one shape, {"error":text,"code":WORD,"status":n,"details":{...}}: `code` is for
// programs and does not change, `details` may name the F-code that `riftbus explain` knows.
//
// Values; no thread of their own.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace riftbus::http {

struct Request {
  std::string method;                           // as sent: "GET"
  std::string path;                             // decoded, without query: "/work/node/n1"
  std::map<std::string, std::string> query;     // decoded; of a name twice, the first
  std::map<std::string, std::string> captured;  // {name} of the route's pattern
  std::string host;
  std::string origin;
  std::string authorization;
  std::string shared_token;  // X-RingRift-Auth
  std::string last_event_id;
  std::string if_none_match;
  std::string body;
  std::string target;              // as it came, until it is read into path and query
  std::size_t route = 0;           // in the table of routes, once it was looked up
  bool on_health_port = false;     // came to the port that answers about health only
  bool is_tap_only = false;        // by a token that only lets watch
  std::size_t body_bytes_max = 0;  // 0: the server's; may be set while the header is judged
};

// The next part of a stream; empty: nothing new. Called by the server's thread only.
using Pull = std::function<std::string()>;

struct Response {
  unsigned status = 200;
  std::shared_ptr<const std::string> body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  Pull pull;
};

[[nodiscard]] Response make_response(unsigned status, std::string body,
                                     std::string content_type = "application/json");

struct Trouble {
  unsigned status = 500;
  std::string code;   // "NOT_LEADER"
  std::string error;  // for people
  std::map<std::string, std::string> details;
};
[[nodiscard]] Response make_error(const Trouble& trouble);

}  // namespace riftbus::http
