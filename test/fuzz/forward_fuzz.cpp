// Any text as a forward or as a tunnel's server: it parses, and reads back as it was written, or
// the error names what was expected and where.
// room: riftbus_config
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/check.h"
#include "config/forward.h"

namespace {

void check_error(const riftbus::Error& error, std::uint16_t low, std::uint16_t high) {
  RIFTBUS_CHECK(error.code >= low && error.code <= high);
  RIFTBUS_CHECK(error.what.find(" at column ") != std::string::npos && !error.next.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace riftbus;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto side : {ForwardSide::reverse, ForwardSide::local}) {
    const auto forward = parse_forward(text, side);
    if (forward) {
      RIFTBUS_CHECK(*parse_forward(forward->to_string(), side) == *forward);
    } else {
      check_error(forward.error(), 1800, 1800);
    }
  }
  const auto server = parse_tunnel_server(text);
  if (server) {
    RIFTBUS_CHECK(*parse_tunnel_server(server->to_string()) == *server);
  } else {
    check_error(server.error(), 1801, 1802);
  }
  return 0;
}
