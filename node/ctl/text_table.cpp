#include "node/ctl/text_table.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::ctl {

namespace {

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned>(c) & 0xC0U) != 0x80U;
  }));
}

std::string_view escape_of(Tone tone) {
  switch (tone) {
    case Tone::good:
      return "\x1b[32m";
    case Tone::warn:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::strong:
      return "\x1b[1m";
    case Tone::plain:
      break;
  }
  return "";
}

}  // namespace

std::string paint(std::string_view text, Tone tone, bool color) {
  if (!color || tone == Tone::plain || text.empty()) return std::string(text);
  return std::string(escape_of(tone)) + std::string(text) + "\x1b[0m";
}

void TextTable::add(std::vector<Cell> row) {
  RIFTBUS_CHECK(row.size() == titles_.size());
  rows_.push_back(std::move(row));
}

std::string TextTable::print(bool color, std::size_t indent) const {
  std::vector<std::size_t> widths;
  for (const auto& title : titles_) widths.push_back(width_of(title));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i].text));
    }
  }
  std::string out;
  const auto print_row = [&](const std::vector<Cell>& row) {
    out += std::string(indent, ' ');
    std::size_t gap = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!row[i].text.empty()) {
        out += std::string(gap, ' ') + paint(row[i].text, row[i].tone, color);
        gap = 0;
      }
      gap += widths[i] - width_of(row[i].text) + 2;
    }
    out += "\n";
  };
  std::vector<Cell> head;
  for (const auto& title : titles_) head.emplace_back(title, Tone::strong);
  print_row(head);
  for (const auto& row : rows_) print_row(row);
  return out;
}

}  // namespace riftbus::ctl
