// How scripts and verdicts write ids, terms and places in the log.
#pragma once

#include <cstdint>
#include <string>

namespace riftbus::consensus {

inline std::string number(std::uint64_t value) { return std::to_string(value); }

}  // namespace riftbus::consensus
