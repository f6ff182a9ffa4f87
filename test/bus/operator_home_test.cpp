#include "bus/operator_home.h"

#include <gtest/gtest.h>

namespace riftbus::bus {
namespace {

TEST(OperatorHome, WithoutKeysSaysWhatToDo) {
  const auto home = load_caller_home({"/nonexistent/keys", "", "", false}, {});
  ASSERT_FALSE(home.ok());
  EXPECT_EQ(home.error().code, 1508);
  EXPECT_FALSE(home.error().next.empty());
  EXPECT_EQ(load_caller_home({}, {{"HOME", "/nonexistent"}}).error().code, 1508);
}

TEST(OperatorHome, TheEnvironmentNamesTheDirectoryAndAnOptionWins) {
  const Environment environment{{"RIFTBUS_KEY", "/from/environment"}, {"HOME", "/nobody"}};
  EXPECT_EQ(*find_home({}, environment), "/from/environment");
  EXPECT_EQ(*find_home({"/given", "", "", false}, environment), "/given");
  EXPECT_EQ(*find_home({"", "prod", "", false}, {{"HOME", "/nobody"}}),
            "/nobody/.config/riftbus/prod");
  EXPECT_EQ(*find_home({"", "prod", "", false}, environment), "/nobody/.config/riftbus/prod")
      << "the flag names a cluster, and so does the variable: the flag wins";
  EXPECT_EQ(find_home({"/given", "prod", "", false}, environment).error().code, 1508);
  EXPECT_EQ(find_home({"", "../prod", "", false}, {{"HOME", "/nobody"}}).error().code, 1508);
}

TEST(OperatorHome, InsecureNeedsNoKeys) {
  const auto home = load_caller_home({"", "", "", true}, {{"HOME", "/nonexistent"}});
  ASSERT_TRUE(home.ok()) << home.error().to_string();
  EXPECT_FALSE(home->identity.has_value());
  EXPECT_FALSE(home->roster.has_value());
}

}  // namespace
}  // namespace riftbus::bus
