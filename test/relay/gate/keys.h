// Keys as tests of the gate write them: a letter each.
#pragma once

#include <string>

namespace riftbus::relay {

inline std::string key_of(char c) { return "AAAAC3NzaC1lZDI1NTE5AAAAI" + std::string(43, c); }

}  // namespace riftbus::relay
