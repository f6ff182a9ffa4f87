// Field: the parts of a tapped message that can be filtered on, printed and counted.
//
// One table gives their names to the filter language, to `-o fields=...` and to `-z top,...`, so
// that the three agree. Besides these, a filter knows the words of the message's summary
// ("standing=suspect subject=n3"), which differ from kind to kind.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bus/wire/message.h"

namespace riftbus::tap {

// A message as seen by one tapped node.
struct Seen {
  NodeId node;
  wire::TapFrame frame;
  bool operator==(const Seen&) const = default;
};

enum class Field : std::uint8_t {
  time,       // of day at the tapped node, UTC
  node,       // where the tap sits
  direction,  // in, out
  channel,    // pub, call
  kind,       // also called topic
  from,       // who said it
  to,         // whom it reached; empty: everyone (a publication going out)
  peer,       // the other end of the connection
  seq,
  correlation,  // 0: one-way
  size,         // bytes
  summary,
  payload,  // hexadecimal; empty unless asked for and granted
};

struct FieldName {
  std::string_view name;
  Field field;
};
// Every name and synonym; the first name of a field is the one that is shown.
[[nodiscard]] std::span<const FieldName> field_names();
[[nodiscard]] std::optional<Field> find_field(std::string_view name);
[[nodiscard]] std::string_view to_string(Field field);

[[nodiscard]] bool is_number(Field field);
[[nodiscard]] std::uint64_t number_of(Field field, const wire::TapFrame& frame);
// Without copying where the frame holds the text; `node` is the tapped one. Not for `time`, the
// payload and numbers, of which the result is empty: see text_of.
[[nodiscard]] std::string_view view_of(Field field, const NodeId& node,
                                       const wire::TapFrame& frame);
// Any field, for people.
[[nodiscard]] std::string text_of(Field field, const Seen& seen);

[[nodiscard]] std::string_view to_string(wire::Direction direction);
[[nodiscard]] std::string_view to_string(wire::Channel channel);

// Calls f(key, value) for each "key=value" in a summary; a word without "=" gives (word, "").
// Stops when f returns true and returns whether it did.
template <class F>
bool any_summary_word(std::string_view summary, F&& f) {
  while (!summary.empty()) {
    const auto end = summary.find_first_of(" ;");
    const auto word = summary.substr(0, end);
    summary.remove_prefix(end == std::string_view::npos ? summary.size() : end + 1);
    if (word.empty()) continue;
    const auto equals = word.find('=');
    const bool pair = equals != std::string_view::npos;
    if (f(word.substr(0, equals), pair ? word.substr(equals + 1) : std::string_view())) return true;
  }
  return false;
}

}  // namespace riftbus::tap
