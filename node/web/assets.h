// The dashboard's files, built into the daemon: a node shows its page with nothing installed beside
// it and without a network beyond itself.
//
// The files are node/web/dist, which is committed (build.sh makes it from src); web.cmake embeds
// them. A page is answered with a policy that lets it load from this node alone and run no script
// or style that stands inside the page, so text from peers can never become code.
//
// Thread-safe: immutable.
#pragma once

#include <span>
#include <string_view>

#include "bus/http/message.h"

namespace riftbus::node {

struct Asset {
  std::string_view path;  // "/app.js"
  std::string_view content_type;
  std::string_view text;
};
[[nodiscard]] std::span<const Asset> web_assets();

// 404 for a path that is not among them.
[[nodiscard]] http::Response answer_page(const http::Request& request);

}  // namespace riftbus::node
