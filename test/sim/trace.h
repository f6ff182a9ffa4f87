// Trace: the fingerprint of a run, and its last lines when somebody wants to read them.
//
// The hash takes in everything that happens; two runs of a seed that differ anywhere differ in it.
// Texts cost much more than hashes, so they are made only when asked for: a failing seed is run a
// second time with `text` on, which tests determinism at the same time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "config/types.h"

namespace riftbus::sim {

class Trace {
 public:
  // Lines to remember; 0: none are made.
  explicit Trace(std::size_t lines_max) : lines_max_(lines_max) {}

  [[nodiscard]] bool wants_text() const { return lines_max_ > 0 || sink_ != nullptr; }
  void mix(std::uint64_t word);
  void mix(std::string_view bytes);
  void line(TimePoint at, const std::string& who, const std::string& text);
  // Lines go here as they come, beside being remembered.
  void set_sink(std::function<void(const std::string&)> sink) { sink_ = std::move(sink); }

  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] const std::deque<std::string>& tail() const { return tail_; }

 private:
  std::size_t lines_max_;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
  std::deque<std::string> tail_;
  std::function<void(const std::string&)> sink_;
};

// "12.345678s"
[[nodiscard]] std::string format_time(TimePoint at);

}  // namespace riftbus::sim
