#include "config/env.h"

#include <algorithm>
#include <utility>

#include "config/settings.h"
#include "config/suggest.h"

namespace riftbus {

namespace {

constexpr std::string_view kNativePrefix = "RIFTBUS_";
// The former orchestrator's overrides of its own network settings.
constexpr std::string_view kLegacyPrefix = "RINGRIFT_P2P_";

std::vector<std::string> names_in_environment(const SettingSpec& spec) {
  return spec.environment_names();
}

std::vector<std::string> all_names() {
  std::vector<std::string> names{std::string(kConfigVariable), std::string(kNodeConfVariable)};
  for (const auto& spec : setting_specs()) {
    for (auto& name : spec.environment_names()) names.push_back(std::move(name));
  }
  return names;
}

// A misspelt name is worth a warning when it claims to be ours, or is very near one of ours.
void report_unknown(const Assignment& assignment, std::span<const std::string> known,
                    bool is_node_file, Diagnostics& diagnostics) {
  if (const auto* legacy = find_legacy_name(assignment.name)) {
    diagnostics.note(1020, assignment.where, assignment.name + " has no effect",
                     std::string(legacy->reason));
    return;
  }
  if (assignment.name.starts_with(kLegacyPrefix)) {
    diagnostics.note(1020, assignment.where, assignment.name + " has no effect",
                     "riftbus has no such setting");
    return;
  }
  const bool is_native = assignment.name.starts_with(kNativePrefix);
  if (!is_native && !is_node_file) return;
  const std::vector<std::string_view> views(known.begin(), known.end());
  const auto near = suggest_word(assignment.name, views);
  const bool is_near = near && near->size() + 2 > assignment.name.size() &&
                       near->size() < assignment.name.size() + 3 && assignment.name.size() > 5;
  if (!is_native && !is_near) return;
  diagnostics.warning(1005, assignment.where, "unknown name " + assignment.name,
                      did_you_mean(assignment.name, views, "see config/README.md for all names"));
}

std::vector<SettingInput> interpret(std::span<const Assignment> assignments, bool is_node_file,
                                    Diagnostics& diagnostics) {
  const auto known = all_names();
  for (const auto& assignment : assignments) {
    const bool is_known =
        std::find(known.begin(), known.end(), assignment.name) != known.end() ||
        (!is_node_file &&
         std::ranges::find(kOperatorVariables, assignment.name) != std::end(kOperatorVariables));
    if (!is_known) report_unknown(assignment, known, is_node_file, diagnostics);
  }
  return interpret_assignments(assignments, names_in_environment, diagnostics);
}

}  // namespace

std::vector<SettingInput> read_environment(const std::map<std::string, std::string>& environment,
                                           Diagnostics& diagnostics) {
  std::vector<Assignment> assignments;
  for (const auto& [name, value] : environment) {
    assignments.push_back({name, value, {"env " + name, 0, 0}});
  }
  return interpret(assignments, false, diagnostics);
}

std::vector<SettingInput> read_node_conf(std::string_view text, const std::string& file,
                                         Diagnostics& diagnostics) {
  const auto assignments = parse_node_conf(text, file, diagnostics);
  std::map<std::string_view, int> first_lines;
  for (const auto& assignment : assignments) {
    const auto [place, is_new] = first_lines.emplace(assignment.name, assignment.where.line);
    if (!is_new) {
      diagnostics.warning(1006, assignment.where, assignment.name + " is set twice",
                          "this line wins over line " + std::to_string(place->second));
    }
  }
  return interpret(assignments, true, diagnostics);
}

}  // namespace riftbus
