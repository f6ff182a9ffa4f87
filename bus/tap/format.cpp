#include "bus/tap/format.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "bus/wire/limits.h"

namespace riftbus::tap {

namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr int kSchema = 1;
constexpr int kJsonDepthMax = 3;

std::string printable(std::string text) {
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20U || byte == 0x7FU) c = '?';
  }
  return text;
}

std::string text_line(const TextFormat& format, const Seen& seen) {
  const auto& frame = seen.frame;
  std::string line = text_of(Field::time, seen);
  if (format.with_node) line += " [" + seen.node.value() + ']';
  const auto to = text_of(Field::to, seen);
  line += ' ' + frame.kind + ' ' + frame.origin.value() + '>' + (to.empty() ? "*" : to);
  line += " seq=" + std::to_string(frame.seq);
  if (frame.correlation != 0) line += " corr=" + std::to_string(frame.correlation);
  line += ' ' + std::to_string(frame.bytes) + 'B';
  if (!frame.summary.empty()) line += ' ' + frame.summary;
  if (!frame.payload.empty()) line += " payload=" + text_of(Field::payload, seen);
  return printable(std::move(line));
}

std::string fields_line(const FieldsFormat& format, const Seen& seen) {
  std::string line;
  for (const Field field : format.fields) {
    if (!line.empty() || field != format.fields.front()) line += '\t';
    line += printable(text_of(field, seen));
  }
  return line;
}

std::string dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

// ---- reading back ----------------------------------------------------------------------------

std::optional<std::string> unhex(std::string_view hex) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

// One object's members, read with types checked; any mismatch spoils the whole.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}
  [[nodiscard]] bool good() const { return good_; }

  std::string text(const char* key, std::size_t bytes_max) {
    const auto* value = find(key, &Json::is_string);
    if (value == nullptr) return {};
    auto text = value->get<std::string>();
    if (text.size() > bytes_max) good_ = false;
    return good_ ? std::move(text) : std::string();
  }
  std::uint64_t number(const char* key, std::uint64_t most) {
    const auto* value = find(key, &Json::is_number_unsigned);
    const auto number = value == nullptr ? 0 : value->get<std::uint64_t>();
    if (number > most) good_ = false;
    return number;
  }
  std::int64_t signed_number(const char* key) {
    const auto* value = find(key, &Json::is_number_integer);
    if (value == nullptr) return 0;
    if (value->is_number_unsigned() &&
        value->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
      good_ = false;
      return 0;
    }
    return value->get<std::int64_t>();
  }
  NodeId id(const char* key) {
    const auto value = text(key, wire::kNodeIdBytesMax);
    if (value.empty()) return {};
    if (!NodeId::is_valid(value)) {
      good_ = false;
      return {};
    }
    return NodeId::parse(value).value();
  }
  // True: the first word; false: the second.
  bool choice(const char* key, std::string_view first, std::string_view second) {
    const auto value = text(key, wire::kNameBytesMax);
    if (value != first && value != second) good_ = false;
    return value == first;
  }

 private:
  // Absent members are as if empty.
  const Json* find(const char* key, bool (Json::*is_type)() const noexcept) {
    const auto found = object_.find(key);
    if (found == object_.end()) return nullptr;
    if (!((*found).*is_type)()) {
      good_ = false;
      return nullptr;
    }
    return &*found;
  }

  const Json& object_;
  bool good_ = true;
};

constexpr auto kAny = std::numeric_limits<std::uint64_t>::max();

std::optional<Entry> read_frame(const Json& object) {
  Members in(object);
  Seen seen;
  seen.node = in.id("node");
  auto& frame = seen.frame;
  frame.wall_ms = in.signed_number("wall_ms");
  frame.direction = in.choice("dir", "in", "out") ? wire::Direction::in : wire::Direction::out;
  frame.channel = in.choice("channel", "pub", "call") ? wire::Channel::pub : wire::Channel::call;
  frame.kind = in.text("kind", wire::kNameBytesMax);
  frame.origin = in.id("from");
  frame.peer = in.id("peer");
  frame.seq = in.number("seq", kAny);
  frame.correlation = in.number("corr", kAny);
  frame.bytes =
      static_cast<std::uint32_t>(in.number("bytes", std::numeric_limits<std::uint32_t>::max()));
  frame.summary = in.text("summary", wire::kSummaryBytesMax);
  const auto payload = unhex(in.text("payload", kLineBytesMax));
  if (!in.good() || !payload) return std::nullopt;
  frame.payload = *payload;
  return seen;
}

std::optional<Entry> read_loss(const Json& object) {
  Members in(object);
  Loss loss;
  loss.node = in.id("node");
  loss.by_node = in.number("by_node", kAny);
  loss.by_tap = in.number("by_tap", kAny);
  if (!in.good()) return std::nullopt;
  return loss;
}

}  // namespace

Result<Format> parse_format(std::string_view text) {
  constexpr std::size_t kFieldsMax = 32;
  const auto bad = [](const std::string& what) {
    return Error{1553, what, "", "use text, json or fields=time,kind,from,to,size,summary"};
  };
  // The names that other commands of `riftbus` have for the same.
  if (text == "text" || text == "table") return Format(TextFormat{});
  if (text == "json" || text == "jsonl") return Format(JsonFormat{});
  constexpr std::string_view kPrefix = "fields=";
  if (!text.starts_with(kPrefix))
    return bad("no such output format: " + printable(std::string(text)));
  text.remove_prefix(kPrefix.size());
  FieldsFormat format;
  for (bool more = true; more && format.fields.size() < kFieldsMax;) {
    const auto comma = text.find(',');
    const auto field = find_field(text.substr(0, comma));
    if (!field) return bad("no such field: " + printable(std::string(text.substr(0, comma))));
    format.fields.push_back(*field);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return Format(std::move(format));
}

std::string format_line(const Format& format, const Seen& seen) {
  if (const auto* text = std::get_if<TextFormat>(&format)) return text_line(*text, seen);
  if (const auto* fields = std::get_if<FieldsFormat>(&format)) return fields_line(*fields, seen);
  return json_line(seen);
}

std::string json_line(const Seen& seen) {
  const auto& frame = seen.frame;
  OrderedJson json{{"schema", kSchema},
                   {"type", "frame"},
                   {"node", seen.node.value()},
                   {"wall_ms", frame.wall_ms},
                   {"dir", to_string(frame.direction)},
                   {"channel", to_string(frame.channel)},
                   {"kind", frame.kind},
                   {"from", frame.origin.value()},
                   {"to", view_of(Field::to, seen.node, frame)},
                   {"peer", frame.peer.value()},
                   {"seq", frame.seq},
                   {"corr", frame.correlation},
                   {"bytes", frame.bytes},
                   {"summary", frame.summary}};
  if (!frame.payload.empty()) json["payload"] = text_of(Field::payload, seen);
  return dump(json);
}

std::string json_line(const Loss& loss) {
  return dump(OrderedJson{{"schema", kSchema},
                          {"type", "loss"},
                          {"node", loss.node.value()},
                          {"by_node", loss.by_node},
                          {"by_tap", loss.by_tap}});
}

std::optional<Entry> parse_json_line(std::string_view line) {
  if (line.size() > kLineBytesMax) return std::nullopt;
  bool shallow = true;
  const auto watch_depth = [&](int depth, Json::parse_event_t, const Json&) {
    shallow = shallow && depth <= kJsonDepthMax;
    return shallow;
  };
  const Json object = Json::parse(line, watch_depth, false);
  if (!shallow || !object.is_object()) return std::nullopt;
  const auto schema = object.find("schema");
  if (schema == object.end() || *schema != kSchema) return std::nullopt;
  const auto type = object.find("type");
  if (type == object.end() || !type->is_string()) return std::nullopt;
  if (*type == "frame") return read_frame(object);
  if (*type == "loss") return read_loss(object);
  return Entry();
}

}  // namespace riftbus::tap
