#include <cstdio>

#include "config/document.h"
#include "config/printable.h"

namespace riftbus {

namespace {

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
