// Tokens: who may do what over HTTP, read from the settings and the files that they name.
//
// Blocking: at start, before the server runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/http_config.h"
#include "config/result.h"

namespace riftbus::node {

inline constexpr std::uint16_t kBadToken = 1608;

// Tokens that the settings give, first lines of files included; empty: none. 1608.
struct Tokens {
  std::vector<std::string> all;       // for everything
  std::vector<std::string> tap_only;  // for /tap, without payloads
};
[[nodiscard]] Result<Tokens> load_tokens(const HttpConfig& config);

}  // namespace riftbus::node
