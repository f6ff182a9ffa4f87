// Letters of words that mean the same in capitals: names of hosts, of schemes.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace riftbus::http {

[[nodiscard]] inline std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return result;
}

}  // namespace riftbus::http
