// The target of a request line, taken apart: "/work/claim?node_id=n1" is a path and its arguments.
//
// Strict, because what is read in two ways is an attack: a path begins with "/", has no empty and
// no dot segment before or after decoding, and every "%" is followed by two hexadecimal digits. "+"
// is a blank in the query only. Control characters and bytes that are not UTF-8 are refused.
//
// Bounds: kTargetBytesMax, kArgumentsMax. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace riftbus::http {

inline constexpr std::size_t kTargetBytesMax = 8 * 1024;
inline constexpr std::size_t kArgumentsMax = 32;

struct Target {
  std::string path;
  std::map<std::string, std::string> query;  // of a name twice, the first
  bool operator==(const Target&) const = default;
};

[[nodiscard]] std::optional<Target> parse_target(std::string_view text);

}  // namespace riftbus::http
