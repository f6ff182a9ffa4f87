// Suggestions: the known word that a misspelt one was probably meant to be.
//
// Optimal string alignment distance (insert, delete, replace, swap neighbours), case-insensitive,
// with `-` and `_` equal. A suggestion that is further away than a third of the word misleads more
// than it helps, so then there is none. Pure; the cost is bounded by kSuggestLengthMax squared.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace riftbus {

inline constexpr std::size_t kSuggestLengthMax = 64;

// The nearest of `known`; the first one wins a tie. Empty: nothing is near.
[[nodiscard]] std::optional<std::string_view> suggest_word(std::string_view word,
                                                           std::span<const std::string_view> known);
// `did you mean "x"?`, else `fallback`.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> known,
                                       std::string_view fallback);

}  // namespace riftbus
