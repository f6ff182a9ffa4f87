#include "node/http/tap_feed.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "bus/tap/format.h"

namespace riftbus::node {

void TapFeed::add(const char* event, const std::string& data) {
  text_ += std::string("event: ") + event + "\ndata: " + data + "\n\n";
}

void TapFeed::take(const Result<wire::TapData>& part) {
  if (!part) {
    const auto& error = part.error();
    if (error.what == trouble_) return;
    trouble_ = error.what;
    return add("trouble",
               nlohmann::ordered_json{{"error", error.what}, {"code", error.code_text()}}.dump());
  }
  trouble_.clear();
  for (const auto& frame : part->frames) {
    text_ += "data: " + tap::json_line(tap::Seen{node_, frame}) + "\n\n";
  }
  // A tap that had to be begun anew counts from nothing.
  if (part->dropped < dropped_) dropped_ = 0;
  if (part->dropped == dropped_) return;
  const nlohmann::ordered_json told{{"dropped", part->dropped - dropped_},
                                    {"dropped_in_all", part->dropped},
                                    {"matched", part->matched}};
  dropped_ = part->dropped;
  add("dropped", told.dump());
}

std::string TapFeed::read() { return std::exchange(text_, {}); }

}  // namespace riftbus::node
