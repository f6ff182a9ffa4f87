#include "config/suggest.h"

#include <algorithm>
#include <vector>

namespace riftbus {

namespace {

char fold(char c) {
  if (c == '-') return '_';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = fold(a[i - 1]) == fold(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0u : 1u)});
      const bool swapped =
          i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::optional<std::string_view> suggest_word(std::string_view word,
                                             std::span<const std::string_view> known) {
  if (word.empty() || word.size() > kSuggestLengthMax) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto candidate : known) {
    if (candidate.empty() || candidate.size() > kSuggestLengthMax) continue;
    const auto steps = distance(word, candidate);
    // Two short words that share nothing are near each other by length alone.
    if (steps < best_distance && steps < candidate.size()) {
      best = candidate;
      best_distance = steps;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known,
                         std::string_view fallback) {
  const auto best = suggest_word(word, known);
  return best ? "did you mean \"" + std::string(*best) + "\"?" : std::string(fallback);
}

}  // namespace riftbus
