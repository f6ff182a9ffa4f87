#include "bus/http/target.h"

#include <algorithm>

#include "bus/wire/reader.h"

namespace riftbus::http {

namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = digit_of(text[i + 1]);
      const int low = digit_of(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (is_control(c)) return std::nullopt;
    result += c;
  }
  if (!wire::is_utf8(result)) return std::nullopt;
  return result;
}

// Each segment is decoded by itself: an encoded slash must not make two of one.
std::optional<std::string> decode_path(std::string_view text) {
  if (text.empty() || text.front() != '/') return std::nullopt;
  std::string path;
  while (!text.empty()) {
    text.remove_prefix(1);  // the slash
    const auto end = std::min(text.find('/'), text.size());
    auto segment = decode(text.substr(0, end), false);
    if (!segment || segment->find_first_of("/\\") != std::string::npos) return std::nullopt;
    if (*segment == "." || *segment == "..") return std::nullopt;
    text.remove_prefix(end);
    const bool is_last = text.empty();
    if (segment->empty() && !is_last) return std::nullopt;
    path += "/" + *segment;
  }
  // "/health/" is "/health".
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
  if (text.size() > kTargetBytesMax) return std::nullopt;
  const auto mark = std::min(text.find('?'), text.size());
  auto path = decode_path(text.substr(0, mark));
  if (!path) return std::nullopt;
  Target target{std::move(*path), {}};
  std::string_view rest = mark == text.size() ? std::string_view() : text.substr(mark + 1);
  std::size_t count = 0;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    const auto pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    if (++count > kArgumentsMax) return std::nullopt;
    const auto sign = std::min(pair.find('='), pair.size());
    auto name = decode(pair.substr(0, sign), true);
    auto value = decode(pair.substr(std::min(sign + 1, pair.size())), true);
    if (!name || !value) return std::nullopt;
    target.query.emplace(std::move(*name), std::move(*value));
  }
  return target;
}

}  // namespace riftbus::http
