// The names by which riftbus-tunnel and riftbus-relay know each other over SSH.
//
// A relay says what it is in its SSH version line, so that a tunnel needs no setting to know one.
// To a relay the user's name is the node's id, and "+bulk" after it asks for the node's second
// session: `ssh n1@relay`, `ssh n1+bulk@relay`. "+" is in no node id.
//
// Pure.
#pragma once

#include <string_view>

#include "config/forward.h"

namespace riftbus {

inline constexpr std::string_view kRelayBanner = "riftbus-relay";
inline constexpr std::string_view kBulkSuffix = "+bulk";

[[nodiscard]] constexpr std::string_view suffix_of(TrafficClass traffic) {
  return traffic == TrafficClass::bulk ? kBulkSuffix : std::string_view{};
}

}  // namespace riftbus
