// Any target and any body of an HTTP request: it reads into something within bounds, or is refused;
// what is found of a route, an item of work or an event is what can be written again.
//
// The first line of the input is the request's target, the rest its body.
// room: riftbus_node
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bus/http/guard.h"
#include "bus/http/target.h"
#include "bus/wire/reader.h"
#include "config/check.h"
#include "node/http/event_feed.h"
#include "node/http/http_front.h"
#include "node/http/legacy_work.h"
#include "node/http/routes.h"

namespace riftbus::node {
namespace {

void look_at_target(const std::string& text) {
  const auto target = http::parse_target(text);
  if (!target) return;
  // "/..jobs" is a name like any other.
  RIFTBUS_CHECK(target->path.front() == '/' &&
                (target->path + "/").find("/../") == std::string::npos);
  RIFTBUS_CHECK(wire::is_utf8(target->path) && target->query.size() <= http::kArgumentsMax);
  const http::Router router(http_routes());
  for (const char* method : {"GET", "HEAD", "POST", "OPTIONS"}) {
    const auto matched = router.match(method, target->path);
    const auto* match = std::get_if<http::Match>(&matched);
    if (match == nullptr) continue;
    for (const auto& [name, value] : match->captured) {
      RIFTBUS_CHECK(!value.empty() && value.find('/') == std::string::npos);
    }
  }
  http::Request request;
  request.host = request.origin = request.authorization = text;
  static const http::Guard guard({"a-token-to-guess"}, {"n1.example"});
  static_cast<void>(guard.refuse_stranger(request));
  RIFTBUS_CHECK(guard.refuse_access(request, http::Access::token).has_value() ||
                text.find("a-token-to-guess") != std::string::npos);
}

void look_at_body(const std::string& text) {
  EventFeed feed;
  feed.take(text);
  EventFeed::Place place;
  place.last_id = text.substr(0, 40);
  RIFTBUS_CHECK(feed.read(place).size() <= kPartBytes + text.size() + 256);
  const auto body = read_body(text);
  if (!body) return;
  static const NodeSettings settings;
  const auto spec = read_legacy_item(*body, settings);
  if (spec) {
    RIFTBUS_CHECK(spec->payload.size() <= work::kPayloadBytesMax);
    RIFTBUS_CHECK(config_in(spec->payload).is_object());
    RIFTBUS_CHECK(spec->terms.lease_ms > 0 && spec->terms.timeout_ms > 0);
  }
  RIFTBUS_CHECK(!dump(legacy_item(*body, 1'700'000'000'000)).empty());
}

}  // namespace
}  // namespace riftbus::node

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto end = text.find('\n');
  riftbus::node::look_at_target(text.substr(0, end));
  if (end != std::string::npos) riftbus::node::look_at_body(text.substr(end + 1));
  return 0;
}
