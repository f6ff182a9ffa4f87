#include "config/settings.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "config/flags.h"
#include "config/suggest.h"
#include "config/yaml.h"
#include "test/config/golden.h"

namespace riftbus {
namespace {

TEST(Settings, EveryNameBelongsToOneSettingOnly) {
  std::set<std::string> keys, flags, variables;
  for (const auto& spec : setting_specs()) {
    EXPECT_TRUE(keys.insert(std::string(spec.key)).second) << spec.key;
    EXPECT_TRUE(flags.insert(spec.flag()).second) << spec.key;
    for (const auto& flag : spec.legacy_flags()) EXPECT_TRUE(flags.insert(flag).second) << flag;
    for (const auto& name : spec.environment_names()) {
      EXPECT_TRUE(variables.insert(name).second) << name;
      EXPECT_EQ(find_legacy_name(name), nullptr) << name << " cannot also be without effect";
    }
  }
}

TEST(Settings, EveryDefaultIsAcceptedByItsOwnSetting) {
  const NodeSettings defaults;
  for (const auto& spec : setting_specs()) {
    const auto texts = spec.read(defaults);
    if (texts.empty()) continue;
    NodeSettings node;
    EXPECT_TRUE(spec.assign(node, texts)) << spec.key;
    EXPECT_EQ(spec.read(node), texts) << spec.key;
  }
}

// The documentation cannot drift: full.yaml names every key of the file, with its default.
TEST(Settings, FullExampleShowsEveryKeyWithItsDefault) {
  const auto text = read_source("config/examples/full.yaml");
  Diagnostics diagnostics;
  const auto root = parse_document(text, "full.yaml", diagnostics);
  ASSERT_TRUE(root);
  const NodeSettings defaults;
  for (const auto& spec : setting_specs()) {
    if (spec.scope == SettingScope::local) continue;
    const std::string key(spec.key);
    const auto dot = key.find('.');
    const auto name = dot == std::string::npos ? key : key.substr(dot + 1);
    EXPECT_NE(text.find(name + ":"), std::string::npos) << key;
    const bool has_default = key.starts_with("limits.") || key.starts_with("log.") ||
                             key.starts_with("listen.") || key.starts_with("peer_cache.") ||
                             key.starts_with("executor.") || key.starts_with("http.") ||
                             key.starts_with("tunnel.") || key.starts_with("relay.");
    // Lists of the tunnel have no default: the file shows an example.
    if (spec.form == SettingForm::list) continue;
    if (!has_default) continue;
    const auto* section = root->find(key.substr(0, dot));
    ASSERT_NE(section, nullptr) << key;
    const auto* value = section->find(name);
    ASSERT_NE(value, nullptr) << key;
    const auto texts = spec.read(defaults);
    EXPECT_EQ(value->text, texts.empty() ? "" : texts.front()) << key;
  }
}

TEST(Settings, ReadmeNamesEveryFlagAndVariable) {
  const auto readme = read_source("config/README.md");
  for (const auto& spec : setting_specs()) {
    EXPECT_NE(readme.find("`--" + spec.flag() + "`"), std::string::npos) << spec.flag();
    for (const auto& name : split_list(spec.synonyms)) {
      EXPECT_NE(readme.find("`" + name + "`"), std::string::npos) << name;
    }
  }
  for (const auto& legacy : legacy_names()) {
    EXPECT_NE(readme.find(std::string(legacy.name)), std::string::npos) << legacy.name;
  }
}

TEST(Settings, HelpNamesEveryFlag) {
  const auto help = describe_flags();
  for (const auto& spec : setting_specs()) {
    EXPECT_NE(help.find("--" + spec.flag()), std::string::npos) << spec.key;
    EXPECT_NE(help.find(spec.environment_name()), std::string::npos) << spec.key;
  }
}

TEST(Suggest, FindsTheNearWordAndNoOther) {
  const std::string_view known[] = {"nodes", "voters", "limits", "hwm_control"};
  EXPECT_EQ(suggest_word("ndoes", known), "nodes");
  EXPECT_EQ(suggest_word("Voter", known), "voters");
  EXPECT_EQ(suggest_word("hwm-controll", known), "hwm_control");
  EXPECT_EQ(suggest_word("timing", known), std::nullopt);
  EXPECT_EQ(suggest_word("", known), std::nullopt);
  EXPECT_EQ(suggest_word(std::string(10'000, 'x'), known), std::nullopt);
}

}  // namespace
}  // namespace riftbus
