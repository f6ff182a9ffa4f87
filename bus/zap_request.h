// The two messages of ZeroMQ RFC 27, apart from any socket: a request's frames are read, a reply's
// frames are written.
//
// Pure and total: requests come from libzmq, but any part of this process could send to the
// endpoint, so any frames give a request or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/roster.h"
#include "config/types.h"

namespace riftbus::bus {

struct ZapRequest {
  std::string request_id;
  std::string address;          // printable, or empty
  std::optional<CurveKey> key;  // nothing: not a CURVE request of our domain, to be refused
};

// `frames`: those after the routing id and the empty delimiter. Nothing: not even answerable.
[[nodiscard]] std::optional<ZapRequest> parse_zap_request(
    const std::vector<std::string_view>& frames);

// The frames after the routing id and the delimiter.
[[nodiscard]] std::vector<std::string> format_zap_refusal(const ZapRequest& request,
                                                          std::string_view reason);
[[nodiscard]] std::vector<std::string> format_zap_welcome(
    const ZapRequest& request, const NodeId& user,
    const std::vector<std::pair<std::string_view, std::string>>& properties);

}  // namespace riftbus::bus
