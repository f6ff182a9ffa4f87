#include <cstdio>

#include "config/document.h"

namespace riftbus {

namespace {

// Length of the UTF-8 sequence at the front of `rest`; 0: not UTF-8 (RFC 3629, so no overlong
// forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view rest) {
  const auto byte = [&](std::size_t i) {
    return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0u;
  };
  const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return is_tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return is_tail(1) && is_tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return is_tail(1) && is_tail(2) && is_tail(3) ? 4 : 0;
  }
  return 0;
}

std::string hex_byte(char c) {
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return text;
}

bool is_forbidden_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

}  // namespace

bool is_config_text(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  if (text.size() > kConfigBytesMax) {
    diagnostics.error(1004, {file, 0, 0}, "file has " + std::to_string(text.size()) + " bytes",
                      "at most " + std::to_string(kConfigBytesMax) + " are read");
    return false;
  }
  int line = 1;
  int column = 1;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text.substr(i));
    if (length == 0 || is_forbidden_control(text[i])) {
      diagnostics.error(
          1003, {file, line, column},
          "byte " + hex_byte(text[i]) + (length == 0 ? " is not UTF-8" : " is a control character"),
          "save the file as UTF-8 text");
      return false;
    }
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
    i += length;
  }
  return true;
}

}  // namespace riftbus
