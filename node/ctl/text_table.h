// Text tables for people: columns as wide as their widest cell, two blanks between them.
//
// Colour is a property of a cell and never changes its width. Widths count UTF-8 characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace riftbus::ctl {

enum class Tone : std::uint8_t { plain, good, warn, bad, faint, strong };

struct Cell {
  Cell(std::string t, Tone c = Tone::plain) : text(std::move(t)), tone(c) {}  // NOLINT
  Cell(const char* t) : text(t) {}                                            // NOLINT
  std::string text;
  Tone tone = Tone::plain;
};

// `text` with the escape sequences of `tone` around it, if `color`.
[[nodiscard]] std::string paint(std::string_view text, Tone tone, bool color);

class TextTable {
 public:
  explicit TextTable(std::vector<std::string> titles) : titles_(std::move(titles)) {}
  // As many cells as titles (CHECKed).
  void add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // Each line is indented by `indent` blanks and ends with a line feed; without trailing blanks.
  [[nodiscard]] std::string print(bool color, std::size_t indent = 0) const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace riftbus::ctl
