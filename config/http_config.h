// `http:` What this daemon answers over HTTP, beside the port that `listen:` names.
//
// Values without behaviour.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace riftbus {

struct HttpConfig {
  std::int64_t health_port = 8772;  // where supervisors of the former orchestrator look; 0: off
  // Whoever has it may do over HTTP what an operator may. Neither: nothing is changed over HTTP.
  std::string token;
  std::string token_file;      // its first line; read at start
  std::string tap_token_file;  // likewise; whoever has that one may watch (/tap), and nothing else
  // Names, beside addresses and localhost, that requests may ask for: a page whose own name points
  // at this machine must not be answered.
  std::vector<std::string> hosts;
  std::int64_t connections_max = 256;  // at once; then the one that waits longest gives way
  // How members are heard whose bus ports cannot be reached. swim: not at all; hybrid: over HTTP,
  // while the bus fails; http: over HTTP as well as over the bus (node/mesh/http_path.h).
  std::string membership = "swim";
  bool operator==(const HttpConfig&) const = default;
};

}  // namespace riftbus
