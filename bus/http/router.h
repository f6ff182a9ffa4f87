// Router: one table of routes from which everything about them follows.
//
// A row says method, path, who may, what it is for, and what it takes. Requests are matched with
// it, /openapi.json and the reference for people are written from it (describe.h), and tests walk
// over it: a route that is served is documented, and one that is documented is served.
//
// Patterns are literal segments and {names}; a literal wins over a name. HEAD asks like GET.
// OPTIONS is nobody's: no page of another origin is told that it may (no CORS).
//
// Pure; the table outlives the router.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace riftbus::http {

// `token`: with the node's token only. Reading is open, except where it would change something
// (a claim by GET) or the former orchestrator protected it. `tap`: with that token or the one that
// only lets watch. `member`: a seal in the body shows who it is; the body is small, because it must
// be read to know.
enum class Access : std::uint8_t { open, token, tap, member };
// What the reference calls it.
[[nodiscard]] std::string_view to_string(Access access);

struct Parameter {
  std::string_view name;
  std::string_view in;    // "path", "query", "body" (a key of a JSON object)
  std::string_view form;  // "string", "integer", "boolean", "object", "array"
  bool required;
  std::string_view meaning;
};

struct Route {
  std::string_view method;  // "GET", "POST"
  std::string_view pattern;
  Access access;
  std::string_view summary;
  std::span<const Parameter> parameters;
};

struct Match {
  std::size_t index = 0;  // of the route in the table
  std::map<std::string, std::string> captured;
};
struct NoSuchPath {};
struct WrongMethod {
  std::string allowed;  // "GET, HEAD"
};
using Matched = std::variant<Match, NoSuchPath, WrongMethod>;

class Router {
 public:
  explicit Router(std::span<const Route> routes) : routes_(routes) {}

  [[nodiscard]] Matched match(std::string_view method, std::string_view path) const;
  [[nodiscard]] const Route& route(std::size_t index) const { return routes_[index]; }
  [[nodiscard]] std::span<const Route> routes() const { return routes_; }

 private:
  std::span<const Route> routes_;
};

}  // namespace riftbus::http
