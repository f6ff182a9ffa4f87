// Status: what the tunnel does now, as a file that `riftbus-tunnel --status` and others read.
//
//   {"schema": 1, "node": "vast-1", "pid": 4711, "state": "running", "wall_ms": ..., "links": [
//     {"class": "control", "state": "up", "since_s": 192, "server": "192.0.2.24:22",
//      "cipher": "...", "dials": 3, "rises": 2,
//      "connections": 5, "connections_total": 812, "refused": 0, "unreached": 0, "exhausted": 0,
//      "bytes_to_server": 1, "bytes_from_server": 2,
//      "forwards": [{"side": "reverse", "forward": "0:127.0.0.1:7770", "server_port": 43210}],
//      "carried": false, "direct_error": null | {...},
//      "error": null | {"code": "F-1810", "what": "...", "where": "...", "next": "..."}}]}
//
// `carried`: over CURVE, by the bus, and `direct_error` says why the direct way does not do.
// `state` is "stopped" after a clean end. bus/ssh/status_file.h writes it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/result.h"
#include "tunnel/link.h"

namespace riftbus::tunnel {

struct StatusHead {
  std::string node;
  std::int64_t pid = 0;
  std::int64_t wall_ms = 0;
  bool is_running = true;
};
[[nodiscard]] nlohmann::json describe_status(const StatusHead& head,
                                             const std::vector<const Link*>& links, TimePoint now);
// 1821: missing or not a status file.
[[nodiscard]] Result<nlohmann::json> read_status(const std::string& path);

struct StatusText {
  std::string text;  // a line per link and per forward
  bool all_are_up = false;
};
// For people. Total: what is missing in `status` is left out.
[[nodiscard]] StatusText format_status(const nlohmann::json& status);

}  // namespace riftbus::tunnel
