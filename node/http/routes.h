// The table of every HTTP route of a node: what it is for, who may, and who answers.
//
// `here` is answered by the HTTP thread from what the loop has published: it works while the loop
// stands still. `shared` is asked of the loop, at most twice a second however many ask; `single` is
// asked of the loop for each request.
#pragma once

#include <cstdint>
#include <span>

#include "bus/http/router.h"
#include "node/http/http_desk.h"

namespace riftbus::node {

enum class Way : std::uint8_t { here, shared, single };
// What the HTTP thread answers itself.
enum class Own : std::uint8_t { none, health, ready, openapi, stream, tap, page };

struct HttpRoute {
  Way way = Way::single;
  HttpHandler handler = nullptr;  // of shared and single
  Own own = Own::none;            // of here
};

// Both in the same order.
[[nodiscard]] std::span<const http::Route> http_routes();
[[nodiscard]] std::span<const HttpRoute> http_handlers();

}  // namespace riftbus::node
