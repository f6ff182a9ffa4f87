// HttpWay: what the rest of a node is told of membership over HTTP (node/mesh/http_path.h): its
// mode, where members listen, and how each one is heard.
//
// Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/wire/message.h"
#include "config/roster.h"
#include "config/types.h"

namespace riftbus::node {

enum class MembershipMode : std::uint8_t { swim, hybrid, http };
[[nodiscard]] const char* to_string(MembershipMode mode);
[[nodiscard]] std::optional<MembershipMode> parse_membership_mode(std::string_view text);

// Where a member listens for HTTP.
struct HttpPlace {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HttpPlace&) const = default;
};

// What a member says of its own place, in the tag kHttpTag: "8770" at the hosts of its addresses,
// or "host:8770".
inline constexpr const char* kHttpTag = "http";
[[nodiscard]] std::vector<HttpPlace> http_places(const std::string& tag,
                                                 const std::vector<wire::Address>& addresses);

// The keys with which a member may post, the present one in front; none: it is no member, or its
// key has expired by `now_s` (seconds since the Unix epoch), as on the bus.
[[nodiscard]] std::vector<CurveKey> posting_keys(const Roster& roster, const NodeId& peer,
                                                 std::int64_t now_s);

// One member's way over HTTP, for people.
struct HttpWay {
  bool in_use = false;  // it is heard this way only
  TimePoint since;      // of in_use
  std::optional<TimePoint> last_heard;
  HttpPlace place;  // posted to last
  std::uint64_t posts = 0;
  std::uint64_t failures = 0;
  std::string trouble;  // of the last post; empty: it was answered
};

}  // namespace riftbus::node
