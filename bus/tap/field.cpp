#include "bus/tap/field.h"

#include <array>
#include <cstdio>

namespace riftbus::tap {

namespace {

constexpr auto kNames = std::to_array<FieldName>({{"time", Field::time},
                                                  {"node", Field::node},
                                                  {"dir", Field::direction},
                                                  {"direction", Field::direction},
                                                  {"channel", Field::channel},
                                                  {"kind", Field::kind},
                                                  {"topic", Field::kind},
                                                  {"from", Field::from},
                                                  {"origin", Field::from},
                                                  {"to", Field::to},
                                                  {"peer", Field::peer},
                                                  {"seq", Field::seq},
                                                  {"corr", Field::correlation},
                                                  {"correlation", Field::correlation},
                                                  {"size", Field::size},
                                                  {"bytes", Field::size},
                                                  {"summary", Field::summary},
                                                  {"payload", Field::payload}});

std::string time_of_day(std::int64_t wall_ms) {
  constexpr std::int64_t kDayMs = 86'400'000;
  const std::int64_t ms = ((wall_ms % kDayMs) + kDayMs) % kDayMs;
  char text[24];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d.%03d", static_cast<int>(ms / 3'600'000),
                static_cast<int>(ms / 60'000 % 60), static_cast<int>(ms / 1000 % 60),
                static_cast<int>(ms % 1000));
  return text;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4U];
    out += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

}  // namespace

std::span<const FieldName> field_names() { return kNames; }

std::optional<Field> find_field(std::string_view name) {
  for (const auto& known : kNames) {
    if (known.name == name) return known.field;
  }
  return std::nullopt;
}

std::string_view to_string(Field field) {
  for (const auto& known : kNames) {
    if (known.field == field) return known.name;
  }
  return "?";
}

std::string_view to_string(wire::Direction direction) {
  return direction == wire::Direction::in ? "in" : "out";
}

std::string_view to_string(wire::Channel channel) {
  return channel == wire::Channel::pub ? "pub" : "call";
}

bool is_number(Field field) {
  return field == Field::seq || field == Field::correlation || field == Field::size;
}

std::uint64_t number_of(Field field, const wire::TapFrame& frame) {
  if (field == Field::seq) return frame.seq;
  return field == Field::correlation ? frame.correlation : frame.bytes;
}

std::string_view view_of(Field field, const NodeId& node, const wire::TapFrame& frame) {
  switch (field) {
    case Field::node:
      return node.value();
    case Field::direction:
      return to_string(frame.direction);
    case Field::channel:
      return to_string(frame.channel);
    case Field::kind:
      return frame.kind;
    case Field::from:
      return frame.origin.value();
    case Field::to:
      return frame.direction == wire::Direction::in ? node.value() : frame.peer.value();
    case Field::peer:
      return frame.peer.value();
    case Field::summary:
      return frame.summary;
    case Field::time:
    case Field::seq:
    case Field::correlation:
    case Field::size:
    case Field::payload:
      break;
  }
  return {};
}

std::string text_of(Field field, const Seen& seen) {
  if (field == Field::time) return time_of_day(seen.frame.wall_ms);
  if (field == Field::payload) return hex(seen.frame.payload);
  if (is_number(field)) return std::to_string(number_of(field, seen.frame));
  return std::string(view_of(field, seen.node, seen.frame));
}

}  // namespace riftbus::tap
