#include "bus/tap/filter.h"

#include <array>
#include <bitset>

namespace riftbus::tap {

bool Filter::fits_number(const Term& term, std::uint64_t number) {
  switch (term.op) {
    case Operator::equal:
      return number == term.number;
    case Operator::unequal:
      return number != term.number;
    case Operator::less:
      return number < term.number;
    case Operator::less_equal:
      return number <= term.number;
    case Operator::greater:
      return number > term.number;
    case Operator::greater_equal:
      return number >= term.number;
    case Operator::begins:
    case Operator::contains:
      break;
  }
  return fits_text(term, std::to_string(number));
}

bool Filter::fits_text(const Term& term, std::string_view text) {
  switch (term.op) {
    case Operator::equal:
      return matches_glob(term.text, text);
    case Operator::unequal:
      return !matches_glob(term.text, text);
    case Operator::begins:
      return text.starts_with(term.text);
    case Operator::contains:
      return text.find(term.text) != std::string_view::npos;
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal:
      break;
  }
  return false;  // an order of texts was not asked for: the parser demands a number
}

bool Filter::fits(const Term& term, const NodeId& node, const wire::TapFrame& frame) {
  if (!term.of_summary) {
    if (is_number(term.field)) return fits_number(term, number_of(term.field, frame));
    return fits_text(term, view_of(term.field, node, frame));
  }
  return any_summary_word(frame.summary, [&](std::string_view key, std::string_view value) {
    if (key != term.word) return false;
    if (term.numeric) {
      if (const auto number = parse_quantity(value)) return fits_number(term, *number);
    }
    return fits_text(term, value);
  });
}

bool Filter::matches(const NodeId& node, const wire::TapFrame& frame) const {
  if (steps_.empty()) return true;
  std::bitset<kTermsMax> stack;  // each step pushes at most one value, and there is one per term
  std::size_t height = 0;
  auto term = terms_.begin();
  for (const Step step : steps_) {
    switch (step) {
      case Step::term:
        stack[height++] = fits(*term++, node, frame);
        break;
      case Step::negate:
        stack.flip(height - 1);
        break;
      case Step::both:
        --height;
        stack[height - 1] = stack[height - 1] && stack[height];
        break;
      case Step::either:
        --height;
        stack[height - 1] = stack[height - 1] || stack[height];
        break;
    }
  }
  return stack[0];
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last one met, and the text it began with
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
  std::size_t digits = 0;
  std::uint64_t value = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    const auto digit = static_cast<std::uint64_t>(text[digits] - '0');
    if (__builtin_mul_overflow(value, 10U, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, digit, &value)) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  struct Unit {
    std::string_view suffix;
    std::uint64_t factor;
  };
  static constexpr auto kUnits = std::to_array<Unit>(
      {{"", 1}, {"k", 1000}, {"M", 1'000'000}, {"Ki", 1024}, {"Mi", 1024 * 1024}});
  for (const auto& unit : kUnits) {
    if (text.substr(digits) != unit.suffix) continue;
    if (__builtin_mul_overflow(value, unit.factor, &value)) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

}  // namespace riftbus::tap
