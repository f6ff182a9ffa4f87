#include "config/assignments.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

namespace riftbus {

namespace {

using ByName = std::map<std::string_view, const Assignment*>;

void unite(SettingInput& input, std::vector<std::string> texts) {
  for (auto& text : texts) {
    const bool is_new =
        std::find(input.texts.begin(), input.texts.end(), text) == input.texts.end();
    if (is_new) input.texts.push_back(std::move(text));
  }
}

std::optional<SettingInput> find_input(const SettingSpec& spec, NamesOf names_of,
                                       const ByName& by_name, Diagnostics& diagnostics) {
  std::optional<SettingInput> input;
  std::string first_name;
  for (const auto& name : names_of(spec)) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) continue;
    const Assignment& assignment = *found->second;
    auto texts = split_setting(spec, assignment.value);
    if (texts.empty()) continue;
    if (!input) {
      input = SettingInput{std::string(spec.key), std::move(texts), assignment.where};
      first_name = name;
    } else if (spec.form == SettingForm::list) {
      unite(*input, std::move(texts));
    } else if (texts != input->texts) {
      diagnostics.warning(
          1019, assignment.where,
          name + "=" + texts.front() + " disagrees with " + first_name + "=" + input->texts.front(),
          first_name + " is used; remove the other");
    }
  }
  return input;
}

}  // namespace

std::vector<SettingInput> interpret_assignments(std::span<const Assignment> assignments,
                                                NamesOf names_of, Diagnostics& diagnostics) {
  ByName by_name;
  for (const auto& assignment : assignments) by_name[assignment.name] = &assignment;
  std::vector<SettingInput> inputs;
  for (const auto& spec : setting_specs()) {
    auto input = find_input(spec, names_of, by_name, diagnostics);
    if (input) inputs.push_back(std::move(*input));
  }
  return inputs;
}

}  // namespace riftbus
