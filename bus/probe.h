// Probe: what a bare look at a host says, to explain to an operator why a call came to nothing.
//
// Contract: blocks, for a name server or half a second; for tools, not for a loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace riftbus::bus {

// The first address of a name, in digits; nothing: it has none.
[[nodiscard]] std::optional<std::string> numeric_host(const std::string& host);
// What a bare TCP connect says: 0 accepted, an errno, or ETIMEDOUT.
[[nodiscard]] int probe_tcp(const std::string& host, std::uint16_t port);

}  // namespace riftbus::bus
