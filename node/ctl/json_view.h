// Looking into a JSON document that a node sent: absent or oddly typed parts read as "unknown".
//
// A node of another version may leave keys out or add some, so nothing here throws or asserts:
// get() of a missing path is null, and each reader of null gives the empty value.
//
// Text from peers ends up on a terminal: text() makes control characters visible as '?', so that no
// peer can move the cursor or colour the screen.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"

namespace riftbus::ctl {

using Json = nlohmann::ordered_json;

// 1507 unless it is an object with "schema" 1.
[[nodiscard]] Result<Json> parse_document(std::string_view text, std::string_view from);

[[nodiscard]] const Json& get(const Json& json, std::initializer_list<std::string_view> path);
[[nodiscard]] std::string text(const Json& json, std::initializer_list<std::string_view> path);
[[nodiscard]] std::optional<std::int64_t> integer(const Json& json,
                                                  std::initializer_list<std::string_view> path);
[[nodiscard]] std::optional<double> real(const Json& json,
                                         std::initializer_list<std::string_view> path);
[[nodiscard]] bool flag(const Json& json, std::initializer_list<std::string_view> path);
// A list of texts; others in it are left out.
[[nodiscard]] std::vector<std::string> texts(const Json& json,
                                             std::initializer_list<std::string_view> path);

[[nodiscard]] std::string printable(std::string_view text);
[[nodiscard]] std::string join(const std::vector<std::string>& words, std::string_view glue);

// "-" for what is not known; "7.1s", "84ms", "1.24ms", "host:port".
[[nodiscard]] std::string or_dash(std::string_view text);
[[nodiscard]] std::string age_text(const Json& time);
[[nodiscard]] std::string span_text(const std::optional<std::int64_t>& ms);
[[nodiscard]] std::string rtt_text(const std::optional<double>& ms);
[[nodiscard]] std::string address_text(const Json& address);
[[nodiscard]] std::string count_text(const std::optional<std::int64_t>& count);

}  // namespace riftbus::ctl
