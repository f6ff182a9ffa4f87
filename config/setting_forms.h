// How the texts of a setting become a member of NodeSettings, and back: one pair of functions per
// form of value, for the tables of settings (config/settings_rows.h). Only those include this.
//
// Section names a member of NodeSettings, Member a member of that section. An Error has no place
// yet; the caller knows it. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/settings.h"

namespace riftbus {

using Texts = std::vector<std::string>;

inline Status out_of_range(const std::string& text, std::int64_t low, std::int64_t high) {
  return Error{1008,
               "\"" + text + "\" is not a number from " + std::to_string(low) + " to " +
                   std::to_string(high),
               "", "write digits only, without a unit"};
}

inline std::optional<std::int64_t> parse_integer(const std::string& text) {
  std::int64_t value = 0;
  const auto end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return value;
}

// Section: a member of NodeSettings; Member: a member of that section, of any integer type or an
// optional one.
template <auto Section, auto Member, std::int64_t Low, std::int64_t High>
Status assign_integer(NodeSettings& node, const Texts& texts) {
  const auto value = parse_integer(texts.front());
  if (!value || *value < Low || *value > High) return out_of_range(texts.front(), Low, High);
  auto& target = (node.*Section).*Member;
  using Target = std::remove_reference_t<decltype(target)>;
  if constexpr (std::is_integral_v<Target>) {
    target = static_cast<Target>(*value);
  } else {
    target = *value;
  }
  return Ok{};
}

template <auto Section, auto Member>
Texts read_integer(const NodeSettings& node) {
  const auto& value = (node.*Section).*Member;
  if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(value)>>) {
    return {std::to_string(value)};
  } else {
    return value ? Texts{std::to_string(*value)} : Texts{};
  }
}

inline Status set_boolean(bool& target, const std::string& text) {
  const auto value = parse_boolean(text);
  if (!value) {
    return Error{1007, "\"" + text.substr(0, 80) + "\" is neither true nor false", "",
                 "write true or false"};
  }
  target = *value;
  return Ok{};
}

template <auto Section, auto Member>
Status assign_boolean(NodeSettings& node, const Texts& texts) {
  return set_boolean((node.*Section).*Member, texts.front());
}

template <auto Section, auto Member>
Texts read_boolean(const NodeSettings& node) {
  return {(node.*Section).*Member ? "true" : "false"};
}

inline Texts read_text(const std::string& text) { return text.empty() ? Texts{} : Texts{text}; }

template <auto Section, auto Member>
Texts read_word(const NodeSettings& node) {
  return read_text((node.*Section).*Member);
}

template <auto Section, auto Member, bool MayListenEverywhere>
Status assign_host(NodeSettings& node, const Texts& texts) {
  const std::string& host = texts.front();
  const bool is_wildcard = is_wildcard_host(host);
  if (is_wildcard && !MayListenEverywhere) {
    return Error{1009, "\"" + host + "\" cannot be dialled", "", "write the address others use"};
  }
  if (!is_wildcard && !is_valid_host(host)) {
    return Error{1009, "not a host: \"" + host.substr(0, 80) + "\"", "",
                 "write a name or an address without a port"};
  }
  (node.*Section).*Member = host;
  return Ok{};
}

template <auto Section, auto Member>
Status assign_path(NodeSettings& node, const Texts& texts) {
  const std::string& path = texts.front();
  if (path.find('\0') != std::string::npos || path.size() > 1024) {
    return Error{1008, "not a path", "", "use at most 1024 characters"};
  }
  (node.*Section).*Member = path;
  return Ok{};
}

template <auto Section, auto Member>
Status assign_user(NodeSettings& node, const Texts& texts) {
  if (!NodeId::is_valid(texts.front())) {
    return Error{1008, "not a user's name: \"" + texts.front().substr(0, 80) + "\"", "",
                 "use 1 to 64 characters of A-Z a-z 0-9 . _ -"};
  }
  (node.*Section).*Member = texts.front();
  return Ok{};
}

template <auto Section, auto Member, const auto& Choices>
Status assign_choice(NodeSettings& node, const Texts& texts) {
  const auto found = std::find(Choices.begin(), Choices.end(), texts.front());
  if (found == Choices.end()) {
    std::string all;
    for (const auto choice : Choices) all += (all.empty() ? "" : ", ") + std::string(choice);
    return Error{1008, "\"" + texts.front().substr(0, 80) + "\" is not one of " + all, "",
                 "choose one of them"};
  }
  (node.*Section).*Member = std::string(*found);
  return Ok{};
}

// Of SSH, at both ends of a tunnel.
inline constexpr std::array<std::string_view, 3> kCiphers{"auto", "chacha20", "aes-gcm"};

inline constexpr auto kScalar = SettingForm::scalar;
inline constexpr auto kShared = SettingScope::shared;

template <auto Section, auto Member, std::int64_t Low, std::int64_t High>
constexpr SettingSpec integer(std::string_view key, std::string_view unit, std::string_view flags,
                              std::string_view synonyms, std::string_view meaning) {
  return {key,
          kScalar,
          kShared,
          unit,
          flags,
          synonyms,
          meaning,
          &assign_integer<Section, Member, Low, High>,
          &read_integer<Section, Member>};
}

}  // namespace riftbus
