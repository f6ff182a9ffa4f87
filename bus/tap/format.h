// Format: how a tapped message is printed.
//
//   text     14:02:11.084 ping n1>n2 seq=88121 corr=7 36B          one line, for people; UTC
//            14:02:11.102 beat n2>* seq=301 52B inc=3 up_ms=65000  a publication goes to everyone
//   json     {"schema":1,"type":"frame","node":"n1","wall_ms":...} one object per line
//   fields=  kind,from,size                                        values parted by tabs
//
// JSON is also the format of records (record.h): parse_json_line() reads back what json_line()
// writes. Keys may be added under the same schema. Text from a tapped node is printed without
// control characters, whatever it holds.
//
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bus/tap/field.h"
#include "config/result.h"

namespace riftbus::tap {

struct TextFormat {
  bool with_node = false;  // several nodes are tapped: say which one saw it
};
struct JsonFormat {};
struct FieldsFormat {
  std::vector<Field> fields;
};
using Format = std::variant<TextFormat, JsonFormat, FieldsFormat>;

// "text", "json", "fields=kind,from,size". Error 1553.
[[nodiscard]] Result<Format> parse_format(std::string_view text);
// Without the end of line.
[[nodiscard]] std::string format_line(const Format& format, const Seen& seen);

// Messages that were lost between two lines of a record.
struct Loss {
  NodeId node;
  std::uint64_t by_node = 0;  // in the node's bounded queue
  std::uint64_t by_tap = 0;   // on the way, or in the tap
  bool operator==(const Loss&) const = default;
};
[[nodiscard]] std::string json_line(const Seen& seen);
[[nodiscard]] std::string json_line(const Loss& loss);

// Longest line that is looked at: a frame with a payload of 64 KiB in hexadecimal fits.
inline constexpr std::size_t kLineBytesMax = 256 * 1024;
// monostate: a line of a later version with another type, to be skipped. Nothing: not a line of a
// record at all.
using Entry = std::variant<std::monostate, Seen, Loss>;
[[nodiscard]] std::optional<Entry> parse_json_line(std::string_view line);

}  // namespace riftbus::tap
