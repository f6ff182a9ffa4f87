// The numbers and spans that a command line may hold.
#include <array>
#include <charconv>
#include <cmath>

#include "node/ctl/invocation.h"

namespace riftbus::ctl {

namespace {

constexpr double kDurationMax_s = 10.0 * 365 * 24 * 3600;

struct Unit {
  std::string_view name;
  double seconds;
};
constexpr auto kUnits = std::to_array<Unit>({
    {"", 1},
    {"ms", 0.001},
    {"s", 1},
    {"m", 60},
    {"h", 3600},
    {"d", 86'400},
});

}  // namespace

Result<Millis> parse_duration(std::string_view text, std::string_view what) {
  const Error error{1501, std::string(what) + " is \"" + std::string(text.substr(0, 64)) + "\"", "",
                    "give a time such as 2, 0.5, 500ms, 90s, 3m, 24h or 7d"};
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (parsed.ec != std::errc() || !(number > 0)) return error;
  const std::string_view suffix(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
  for (const auto& unit : kUnits) {
    if (unit.name != suffix) continue;
    const double seconds = number * unit.seconds;
    if (seconds < 0.001 || seconds > kDurationMax_s) return error;
    return Millis(std::llround(seconds * 1000.0));
  }
  return error;
}

Result<std::uint64_t> parse_count(std::string_view text, std::string_view what, std::uint64_t low,
                                  std::uint64_t high) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec == std::errc() && parsed.ptr == end && value >= low && value <= high) return value;
  return Error{1501, std::string(what) + " is \"" + std::string(text.substr(0, 64)) + "\"", "",
               "give a number from " + std::to_string(low) + " to " + std::to_string(high)};
}

}  // namespace riftbus::ctl
