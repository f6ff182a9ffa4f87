// The roster's text form: writer and reader of the grammar in config/ROSTER.md.
//
// The form is canonical: one roster has exactly one text (attributes of newer releases aside), so
// two people who sign the same roster sign the same bytes, and a diff of two files is a diff of
// two clusters. The reader is therefore strict: an order, a space or a leading zero that the
// writer would not produce is an error that names its line.
//
// Pure. The reader is total: any bytes give a roster or an Error, in time and memory linear in
// the input.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/result.h"
#include "config/roster.h"

namespace riftbus {

using RosterSignature = std::array<std::uint8_t, 64>;

// A document taken apart: what is signed, and the signature.
struct RosterDocument {
  std::string_view body;  // every line before the signature's; points into the caller's bytes
  RosterSignature signature{};
};

// Splits without believing: checks only the size and the form of the last line.
[[nodiscard]] Result<RosterDocument> split_roster_document(std::string_view bytes);
[[nodiscard]] Result<Roster> parse_roster_body(std::string_view body);

[[nodiscard]] std::string format_roster_body(const Roster& roster);
[[nodiscard]] std::string format_signature_line(const RosterSignature& signature);

// Every byte but [A-Za-z0-9._-] as %XX, upper case.
[[nodiscard]] std::string percent_encode(std::string_view text);

// Text a terminal can show safely: valid UTF-8 without control characters.
[[nodiscard]] bool is_plain_text(std::string_view text);

}  // namespace riftbus
