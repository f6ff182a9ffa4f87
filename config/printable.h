// Text from outside, made safe to show.
//
// A file, a flag or a variable may hold any bytes. Shown raw they could move an operator's cursor,
// hide a line of the log or make a JSON document invalid, so whatever is not printable UTF-8 is
// shown as \xNN. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace riftbus {

// Length of the UTF-8 sequence at the front of `rest`; 0: none (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
[[nodiscard]] std::size_t utf8_length(std::string_view rest);

// Valid UTF-8 without control characters; a line feed too is shown as \x0a.
[[nodiscard]] std::string make_printable(std::string_view text);

}  // namespace riftbus
