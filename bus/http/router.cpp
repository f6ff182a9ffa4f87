#include "bus/http/router.h"

#include <algorithm>
#include <optional>
#include <set>

namespace riftbus::http {

namespace {

std::string_view take_segment(std::string_view& text) {
  text.remove_prefix(1);
  const auto end = std::min(text.find('/'), text.size());
  const auto segment = text.substr(0, end);
  text.remove_prefix(end);
  return segment;
}

using Captured = std::map<std::string, std::string>;

std::optional<Captured> fit(std::string_view pattern, std::string_view path) {
  Captured captured;
  while (!pattern.empty() && !path.empty()) {
    const auto wanted = take_segment(pattern);
    const auto given = take_segment(path);
    if (wanted.size() > 2 && wanted.front() == '{') {
      if (given.empty()) return std::nullopt;
      captured.emplace(wanted.substr(1, wanted.size() - 2), given);
    } else if (wanted != given) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return captured;
}

}  // namespace

Matched Router::match(std::string_view method, std::string_view path) const {
  const std::string_view wanted = method == "HEAD" ? std::string_view("GET") : method;
  std::optional<Match> best;
  std::set<std::string> allowed;
  for (std::size_t index = 0; index < routes_.size(); ++index) {
    auto captured = fit(routes_[index].pattern, path);
    if (!captured) continue;
    if (routes_[index].method != wanted) {
      allowed.emplace(routes_[index].method);
      continue;
    }
    if (!best || captured->size() < best->captured.size()) best = Match{index, *captured};
  }
  if (best) return *best;
  if (allowed.empty()) return NoSuchPath{};
  if (allowed.contains("GET")) allowed.emplace("HEAD");
  WrongMethod wrong;
  for (const auto& one : allowed) wrong.allowed += (wrong.allowed.empty() ? "" : ", ") + one;
  return wrong;
}

}  // namespace riftbus::http
