#include "node/ctl/work_input.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/needs.h"
#include "node/ctl/invocation.h"

namespace riftbus::ctl {

namespace {

constexpr std::uint16_t kBadItem = 1560;
constexpr std::uint16_t kUnknownKind = 1561;
constexpr std::uint64_t kIdsMax = 100 * 1000;
constexpr std::size_t kArgumentTextMax = 3500;
constexpr std::uint64_t kDaysMax = 366;

constexpr auto kKeys = std::to_array<std::string_view>(
    {"kind", "payload", "params", "args", "group", "priority", "delay_s", "expires_s", "deadline_s",
     "dedupe", "after", "needs", "data"});

Error bad_item(const std::string& what) {
  return {kBadItem, what, "", "see riftbus work add --help"};
}

// Reads one object, key by key; the first mistake stays.
class ItemReader {
 public:
  explicit ItemReader(const Json& item) : item_(item) {}

  std::string text(const char* key) {
    const auto found = item_.find(key);
    if (found == item_.end()) return "";
    if (!found->is_string()) return fail(std::string("\"") + key + "\" must be a text"), "";
    return found->get<std::string>();
  }
  std::uint64_t number(const char* key, std::uint64_t otherwise, std::uint64_t most) {
    const auto found = item_.find(key);
    if (found == item_.end()) return otherwise;
    if (!found->is_number_unsigned() || found->get<std::uint64_t>() > most) {
      fail(std::string("\"") + key + "\" must be a whole number up to " + std::to_string(most));
      return otherwise;
    }
    return found->get<std::uint64_t>();
  }
  std::uint64_t span_ms(const char* key) { return 1000 * number(key, 0, kDaysMax * 86400); }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> list;
    for (const Json& one : elements(key)) {
      if (!one.is_string()) {
        fail(std::string("\"") + key + "\" must be a list of texts");
        break;
      }
      list.push_back(one.get<std::string>());
    }
    return list;
  }
  std::vector<work::WorkId> ids(const char* key) {
    std::vector<work::WorkId> list;
    for (const Json& one : elements(key)) {
      if (!one.is_number_unsigned()) {
        fail(std::string("\"") + key + "\" must be a list of ids");
        break;
      }
      list.emplace_back(one.get<std::uint64_t>());
    }
    return list;
  }
  void fail(const std::string& what) {
    if (!error_) error_ = bad_item(what);
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  Json elements(const char* key) {
    const auto found = item_.find(key);
    if (found == item_.end()) return Json::array();
    if (found->is_array()) return *found;
    fail(std::string("\"") + key + "\" must be a list");
    return Json::array();
  }

  const Json& item_;
  std::optional<Error> error_;
};

std::optional<Error> find_unknown_key(const Json& item) {
  for (const auto& [key, value] : item.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end()) continue;
    Error error = unknown_word_error("key", key, {kKeys.begin(), kKeys.end()});
    error.code = kBadItem;
    return error;
  }
  return std::nullopt;
}

std::string payload_of(const Json& item, ItemReader& reader) {
  const bool has_parts = item.contains("params") || item.contains("args");
  if (item.contains("payload")) {
    if (has_parts) reader.fail("either \"payload\" or \"params\" and \"args\"");
    return reader.text("payload");
  }
  if (!has_parts) return "";
  const Json params = item.value("params", Json::object());
  if (!params.is_object()) reader.fail("\"params\" must be an object");
  const Json payload{{"params", params}, {"args", reader.texts("args")}};
  return payload.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::uint64_t> read_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return {};
  return number;
}

}  // namespace

Kinds read_kinds(const Json& document) {
  Kinds kinds;
  for (const Json& one : get(document, {"kinds"})) {
    KindTerms& kind = kinds[text(one, {"kind"})];
    work::Terms& terms = kind.terms;
    const auto number = [&one](const char* key, auto& value) {
      const auto found = integer(one, {key});
      if (found && *found >= 0)
        value = static_cast<std::remove_reference_t<decltype(value)>>(*found);
    };
    terms.needs = text(one, {"needs"});
    for (const Json& amount : get(one, {"reserve"})) {
      terms.reserve.push_back({text(amount, {"name"}), integer(amount, {"milli"}).value_or(0)});
    }
    number("priority", kind.priority);
    number("lease_ms", terms.lease_ms);
    number("timeout_ms", terms.timeout_ms);
    number("backoff_base_ms", terms.backoff_base_ms);
    number("backoff_cap_ms", terms.backoff_cap_ms);
    number("attempts_max", terms.attempts_max);
    number("losses_max", terms.losses_max);
    if (flag(one, {"finish_on_disconnect"})) terms.on_disconnect = work::OnDisconnect::finish;
    terms.overlap_ok = flag(one, {"overlap_ok"});
  }
  return kinds;
}

Result<work::Spec> read_item(const Json& item, const Kinds& kinds) {
  if (!item.is_object()) return bad_item("an item is a JSON object on one line");
  if (auto unknown = find_unknown_key(item)) return *unknown;
  ItemReader reader(item);
  work::Spec spec;
  spec.kind = reader.text("kind");
  const auto kind = kinds.find(spec.kind);
  if (!reader.error() && kind == kinds.end()) {
    std::vector<std::string_view> known;
    for (const auto& [name, terms] : kinds) known.push_back(name);
    Error error = unknown_word_error("kind of work", spec.kind, known);
    error.code = kUnknownKind;
    if (error.next.empty()) error.next = "kinds stand in the cluster file under `jobs`";
    return error;
  }
  if (kind != kinds.end()) {
    spec.terms = kind->second.terms;
    spec.priority = kind->second.priority;
  }
  spec.payload = payload_of(item, reader);
  if (spec.payload.size() > work::kPayloadBytesMax) {
    reader.fail("the payload is longer than " + std::to_string(work::kPayloadBytesMax) + " bytes");
  }
  spec.group = reader.text("group");
  spec.priority = static_cast<std::uint8_t>(reader.number("priority", spec.priority, 255));
  spec.delay_ms = reader.span_ms("delay_s");
  spec.expires_ms = reader.span_ms("expires_s");
  spec.deadline_ms = reader.span_ms("deadline_s");
  spec.dedupe = reader.text("dedupe");
  spec.after = reader.ids("after");
  spec.data = reader.texts("data");
  if (item.contains("needs")) spec.terms.needs = reader.text("needs");
  if (reader.error()) return *reader.error();
  if (auto needs = work::Needs::parse(spec.terms.needs); !needs.ok()) return needs.error();
  return spec;
}

Result<work::Spec> read_item_line(std::string_view line, const Kinds& kinds) {
  if (line.size() > kWorkLineBytesMax) return bad_item("the line is too long");
  // Deeper than any item needs: refused before the parser's stack is used up.
  int depth = 0;
  for (const char c : line) {
    depth += c == '{' || c == '[' ? 1 : 0;
    depth -= c == '}' || c == ']' ? 1 : 0;
    if (depth > 64) return bad_item("too deep");
  }
  const Json item = Json::parse(line, nullptr, false);
  if (item.is_discarded()) return bad_item("not JSON");
  return read_item(item, kinds);
}

// ---- ids -------------------------------------------------------------------------------------

Result<IdRanges> read_ids(const std::vector<std::string>& words) {
  IdRanges ranges;
  std::uint64_t count = 0;
  for (const std::string& word : words) {
    std::string_view rest = word;
    do {
      const auto comma = std::min(rest.find(','), rest.size());
      const std::string_view part = rest.substr(0, comma);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      const auto dash = std::min(part.find('-'), part.size());
      const auto first = read_number(part.substr(0, dash));
      const auto last = dash == part.size() ? first : read_number(part.substr(dash + 1));
      if (!first || !last || *last < *first) {
        return Error{1501, "\"" + printable(word.substr(0, 64)) + "\" is no id of work", "",
                     "write 17, or 17-20,23"};
      }
      if (*last - *first >= kIdsMax)
        return Error{1501, "too many ids at once", "", "at most 100,000"};
      count += *last - *first + 1;
      ranges.emplace_back(*first, *last);
    } while (!rest.empty());
  }
  if (count > kIdsMax) return Error{1501, "too many ids at once", "", "at most 100,000"};
  return ranges;
}

Result<std::uint64_t> read_id(const std::vector<std::string>& words) {
  auto ids = read_ids(words);
  if (!ids.ok()) return ids.error();
  if (ids->size() == 1 && ids->front().first == ids->front().second) return ids->front().first;
  return Error{1501, "one id, please", "", "write 17"};
}

IdRanges ranges_of(std::vector<std::uint64_t> ids) {
  std::sort(ids.begin(), ids.end());
  IdRanges ranges;
  for (const std::uint64_t id : ids) {
    const bool continues = !ranges.empty() && id <= ranges.back().second + 1;
    if (continues) {
      ranges.back().second = id;
    } else {
      ranges.emplace_back(id, id);
    }
  }
  return ranges;
}

namespace {

std::string range_text(const std::pair<std::uint64_t, std::uint64_t>& range) {
  std::string text = std::to_string(range.first);
  if (range.second != range.first) text += "-" + std::to_string(range.second);
  return text;
}

}  // namespace

std::string text_of(const IdRanges& ranges) {
  std::string all;
  for (const auto& range : ranges) all += (all.empty() ? "" : ",") + range_text(range);
  return all;
}

std::vector<std::string> argument_texts(const IdRanges& ranges) {
  std::vector<std::string> parts;
  std::uint64_t count = 0;
  for (const auto& range : ranges) {
    const std::uint64_t size = range.second - range.first + 1;
    count += size;
    if (parts.empty() || parts.back().size() > kArgumentTextMax || count > kIdsMax) {
      parts.emplace_back();
      count = size;
    }
    parts.back() += (parts.back().empty() ? "" : ",") + range_text(range);
  }
  return parts;
}

std::vector<work::WorkId> list_ids(const IdRanges& ranges) {
  std::vector<work::WorkId> ids;
  for (const auto& [first, last] : ranges) {
    for (std::uint64_t id = first; id <= last; ++id) ids.emplace_back(id);
  }
  return ids;
}

}  // namespace riftbus::ctl
