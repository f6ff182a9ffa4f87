// Any text as a filter: it parses or names a column; what parses can be asked about any message.
// The first line is the filter, the rest the summary of the message.
// room: riftbus_tap
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bus/tap/filter.h"
#include "config/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace riftbus;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto line = bytes.substr(0, bytes.find('\n'));
  const auto filter = tap::Filter::parse(line);
  if (!filter.ok()) {
    RIFTBUS_CHECK(filter.error().code == 1550 && !filter.error().what.empty());
    return 0;
  }
  const NodeId node = NodeId::parse("n1").value();
  wire::TapFrame frame;
  frame.kind = "gossip";
  frame.origin = node;
  frame.bytes = 1000;
  const bool without = filter->matches(node, frame);
  frame.summary = bytes.substr(line.size());
  // A filter that says it needs no summary does not look at it.
  RIFTBUS_CHECK(filter->needs_summary() || filter->matches(node, frame) == without);
  (void)filter->matches(node, frame);
  return 0;
}
