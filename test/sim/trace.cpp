#include "test/sim/trace.h"

#include <cstdio>

namespace riftbus::sim {

void Trace::mix(std::uint64_t word) {
  hash_ = (hash_ ^ word) * 0x9fb21c651e98df25ULL;
  hash_ ^= hash_ >> 32;
}

void Trace::mix(std::string_view bytes) {
  std::uint64_t word = bytes.size();
  for (const char c : bytes) word = (word ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  mix(word);
}

void Trace::line(TimePoint at, const std::string& who, const std::string& text) {
  std::string made = format_time(at) + " " + who + " " + text;
  if (sink_) sink_(made);
  if (lines_max_ == 0) return;
  tail_.push_back(std::move(made));
  if (tail_.size() > lines_max_) tail_.pop_front();
}

std::string format_time(TimePoint at) {
  char text[32];
  const auto micros = at.time_since_epoch().count() / 1000;
  std::snprintf(text, sizeof text, "%4lld.%06llds", static_cast<long long>(micros / 1'000'000),
                static_cast<long long>(micros % 1'000'000));
  return text;
}

}  // namespace riftbus::sim
