#include "config/types.h"

#include <algorithm>
#include <cstdio>

namespace riftbus {

namespace {

constexpr std::size_t kNodeIdLengthMax = 64;

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

std::string Error::code_text() const {
  char text[16];
  std::snprintf(text, sizeof text, "F-%04u", static_cast<unsigned>(code));
  return text;
}

std::string Error::to_string() const {
  std::string text = code_text() + ": " + what;
  if (!where.empty()) text += " (" + where + ")";
  if (!next.empty()) text += "; " + next;
  return text;
}

bool NodeId::is_valid(std::string_view text) {
  if (text.empty() || text.size() > kNodeIdLengthMax) return false;
  if (text.front() == '.' || text.front() == '-') return false;
  return std::all_of(text.begin(), text.end(), is_id_character);
}

Result<NodeId> NodeId::parse(std::string_view text) {
  if (is_valid(text)) return NodeId(std::string(text));
  return Error{1001, "not a node id: \"" + std::string(text.substr(0, kNodeIdLengthMax)) + "\"", "",
               "use 1 to 64 characters of A-Z a-z 0-9 . _ - and begin with a letter or digit"};
}

std::string format_span(Nanos span) {
  const auto ms = to_ms(span);
  char text[40];
  if (ms > -1000 && ms < 1000) {
    std::snprintf(text, sizeof text, "%lldms", static_cast<long long>(ms));
  } else if (ms < 120'000) {
    std::snprintf(text, sizeof text, "%.1fs", static_cast<double>(ms) / 1000.0);
  } else if (ms < 7'200'000) {
    std::snprintf(text, sizeof text, "%lldm%02llds", static_cast<long long>(ms / 60'000),
                  static_cast<long long>(ms / 1000 % 60));
  } else {
    std::snprintf(text, sizeof text, "%lldh%02lldm", static_cast<long long>(ms / 3'600'000),
                  static_cast<long long>(ms / 60'000 % 60));
  }
  return text;
}

}  // namespace riftbus
