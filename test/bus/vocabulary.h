// Words that tests of the bus are written in.
#pragma once

#include <string_view>

#include "config/types.h"

namespace riftbus::test {

inline constexpr TimePoint kStart{Seconds(1000)};

inline NodeId id_of(std::string_view text) { return NodeId::parse(text).value(); }

}  // namespace riftbus::test
