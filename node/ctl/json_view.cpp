#include "node/ctl/json_view.h"

#include <chrono>
#include <cstdio>

#include "config/types.h"

namespace riftbus::ctl {

namespace {

constexpr std::string_view kUnknown = "-";

const Json& null_json() {
  static const Json kNull;
  return kNull;
}

}  // namespace

Result<Json> parse_document(std::string_view text, std::string_view from) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_object() && integer(json, {"schema"}) == 1) return json;
  return Error{1507, "the answer is not a document of schema 1", std::string(from),
               "compare the versions: riftbus version, riftbus status -o json"};
}

const Json& get(const Json& json, std::initializer_list<std::string_view> path) {
  const Json* at = &json;
  for (const auto key : path) {
    if (!at->is_object()) return null_json();
    const auto found = at->find(std::string(key));
    if (found == at->end()) return null_json();
    at = &*found;
  }
  return *at;
}

std::string text(const Json& json, std::initializer_list<std::string_view> path) {
  const Json& found = get(json, path);
  return found.is_string() ? printable(found.get_ref<const std::string&>()) : "";
}

std::optional<std::int64_t> integer(const Json& json,
                                    std::initializer_list<std::string_view> path) {
  const Json& found = get(json, path);
  if (!found.is_number_integer()) return std::nullopt;
  return found.get<std::int64_t>();
}

std::optional<double> real(const Json& json, std::initializer_list<std::string_view> path) {
  const Json& found = get(json, path);
  if (!found.is_number()) return std::nullopt;
  return found.get<double>();
}

bool flag(const Json& json, std::initializer_list<std::string_view> path) {
  const Json& found = get(json, path);
  return found.is_boolean() && found.get<bool>();
}

std::vector<std::string> texts(const Json& json, std::initializer_list<std::string_view> path) {
  std::vector<std::string> out;
  for (const auto& item : get(json, path)) {
    if (item.is_string()) out.push_back(printable(item.get_ref<const std::string&>()));
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters too: 0xC2 and a second byte below 0xA0.
    const bool long_control =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (long_control) ++i;
    out += byte < 0x20 || byte == 0x7F || long_control ? '?' : text[i];
  }
  return out;
}

std::string or_dash(std::string_view text) { return std::string(text.empty() ? kUnknown : text); }

std::string join(const std::vector<std::string>& words, std::string_view glue) {
  std::string out;
  for (const auto& word : words) {
    if (!out.empty()) out += glue;
    out += word;
  }
  return out;
}

std::string span_text(const std::optional<std::int64_t>& ms) {
  return ms ? format_span(Millis(*ms)) : std::string(kUnknown);
}

std::string age_text(const Json& time) { return span_text(integer(time, {"age_ms"})); }

std::string rtt_text(const std::optional<double>& ms) {
  if (!ms) return std::string(kUnknown);
  char text[32];
  std::snprintf(text, sizeof text, *ms < 10 ? "%.2fms" : "%.0fms", *ms);
  return text;
}

std::string address_text(const Json& address) {
  const std::string host = text(address, {"host"});
  if (host.empty()) return std::string(kUnknown);
  const auto port = integer(address, {"call_port"});
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + (port ? std::to_string(*port) : "?");
}

std::string count_text(const std::optional<std::int64_t>& count) {
  return count ? std::to_string(*count) : std::string(kUnknown);
}

}  // namespace riftbus::ctl
