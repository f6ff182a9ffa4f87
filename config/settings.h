// Settings: one table of every knob, which files, flags, environment and reports all read.
//
// A row names the setting ("listen.router_port": section and key of cluster.yaml), its unit, the
// flag, the names it has in the environment and in node files, and what it means. The native
// environment name follows from the flag: --router-port is RIFTBUS_ROUTER_PORT. Defaults are not
// in the table: they are the initialisers of config/cluster.h, read through the same accessors.
//
// The former orchestrator's names that mean something here are synonyms; those that mean nothing
// are in legacy_names(), each with the reason, so that users' files load and say what they lost.
//
// Pure and immutable; safe from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/cluster.h"
#include "config/result.h"

namespace riftbus {

enum class SettingForm : std::uint8_t { scalar, boolean, list };

// `shared`: may stand in the cluster file, for all nodes or for one. `per_node`: only under one
// node. `local`: never in the cluster file, because a shared file must not decide it.
enum class SettingScope : std::uint8_t { shared, per_node, local };

struct SettingSpec {
  std::string_view key;
  SettingForm form;
  SettingScope scope;
  std::string_view unit;
  // Flags without dashes, separated by spaces; the first is the native one. Empty: from the key.
  std::string_view flags;
  // Further environment names, separated by spaces.
  std::string_view synonyms;
  std::string_view meaning;
  // Interprets the text or texts; the Error has no place yet.
  Status (*assign)(NodeSettings&, const std::vector<std::string>& texts);
  std::vector<std::string> (*read)(const NodeSettings&);

  // "router-port"
  [[nodiscard]] std::string flag() const;
  // "host"; the former orchestrator's flags
  [[nodiscard]] std::vector<std::string> legacy_flags() const;
  // "RIFTBUS_ROUTER_PORT"
  [[nodiscard]] std::string environment_name() const;
  // The native name, then the synonyms, strongest first.
  [[nodiscard]] std::vector<std::string> environment_names() const;
};

// In the order in which reports show them.
[[nodiscard]] std::span<const SettingSpec> setting_specs();
[[nodiscard]] const SettingSpec* find_setting(std::string_view key);

// A name of the former orchestrator that has no effect, and why.
struct LegacyName {
  std::string_view name;
  std::string_view reason;
};
[[nodiscard]] std::span<const LegacyName> legacy_names();
[[nodiscard]] const LegacyName* find_legacy_name(std::string_view name);

// "a, b c" -> a, b, c: commas and blanks separate, empty parts vanish.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);
// As the setting's form wants it: a list split, a scalar as it is, without surrounding blanks.
[[nodiscard]] std::vector<std::string> split_setting(const SettingSpec& spec,
                                                     std::string_view text);
// true, yes, on, 1 and their opposites, in any case.
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);

}  // namespace riftbus
