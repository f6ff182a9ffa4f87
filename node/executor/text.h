// Texts of the kernel and of vendors' programs.
#pragma once

#include <string>

namespace riftbus::executor {

// Without the blanks and ends of lines around it.
[[nodiscard]] inline std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace riftbus::executor
