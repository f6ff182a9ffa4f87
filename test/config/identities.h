// Ids, keys and pins as tests of config/ write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/roster.h"
#include "config/types.h"

namespace riftbus {

inline const std::string kPin = "SHA256:" + std::string(43, 'A');

inline NodeId id_of(std::string_view text) { return NodeId::parse(text).value(); }

inline CurveKey key_of(std::uint8_t seed) {
  CurveKey key;
  key.bytes.fill(seed);
  return key;
}

}  // namespace riftbus
