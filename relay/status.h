// Status: what the SSH half does now, as a file that `riftbus-relay-ssh --status` and others read.
//
//   {"schema": 1, "pid": 4711, "state": "running", "wall_ms": ..., "ssh": "0.0.0.0:7722",
//    "host_key": "SHA256:...", "keys": 12, "strangers": 0,
//    "sessions": [{"session": 7, "node": "n1", "class": "control", "address": "192.0.2.7",
//                  "since_s": 192, "cipher": "...", "listeners": ["n1.21017"], "connections": 5,
//                  "connections_total": 812, "bytes_to_node": 1, "bytes_from_node": 2}],
//    "counters": {"admitted": 9, "superseded": 1, ...}}
//
// Sessions in the order in which they connected, strangers left out; `session` only grows, so of
// two of one node and class the higher is the newer. `state` is "stopped" after a clean end.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "config/result.h"
#include "relay/ssh_half.h"

namespace riftbus::relay {

struct StatusHead {
  std::string ssh;
  std::string host_key;
  std::int64_t pid = 0;
  std::int64_t wall_ms = 0;
  bool is_running = true;
};
[[nodiscard]] nlohmann::json describe_status(const StatusHead& head, const SshHalf& half,
                                             TimePoint now);
// 1846: missing or not a status file.
[[nodiscard]] Result<nlohmann::json> read_status(const std::string& path);

struct StatusText {
  std::string text;  // a line per session and per listener
  bool is_running = false;
};
// For people. Total: what is missing in `status` is left out.
[[nodiscard]] StatusText format_status(const nlohmann::json& status);
[[nodiscard]] StatusText format_front_status(const nlohmann::json& status);

}  // namespace riftbus::relay
