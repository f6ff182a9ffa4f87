#include "bus/http/target.h"

#include <gtest/gtest.h>

namespace riftbus::http {
namespace {

TEST(Target, IsAPathAndDecodedArguments) {
  const auto target = parse_target("/work/claim?node_id=n%2D1&capabilities=a,b+c&flag");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/work/claim");
  EXPECT_EQ(target->query.at("node_id"), "n-1");
  EXPECT_EQ(target->query.at("capabilities"), "a,b c");
  EXPECT_EQ(target->query.at("flag"), "");
}

TEST(Target, OfTwoArgumentsWithOneNameTheFirstCounts) {
  EXPECT_EQ(parse_target("/a?x=1&x=2")->query.at("x"), "1");
}

TEST(Target, ASlashAtTheEndDoesNotMatter) {
  EXPECT_EQ(parse_target("/health/")->path, "/health");
  EXPECT_EQ(parse_target("/")->path, "/");
}

class BadTarget : public testing::TestWithParam<const char*> {};

TEST_P(BadTarget, IsRefused) { EXPECT_FALSE(parse_target(GetParam())) << GetParam(); }

INSTANTIATE_TEST_SUITE_P(Target, BadTarget,
                         testing::Values("", "health", "http://n1/health", "*", "/../etc/passwd",
                                         "/a/./b", "/a//b", "/a/%2e%2e/b", "/a%2fb", "/a%5cb",
                                         "/a%00b", "/a%0ab", "/a%", "/a%2", "/a%zz", "/%ff",
                                         "/a?x=%ff", "/a?x=%0d%0aSet-Cookie:y"));

TEST(Target, HasBounds) {
  EXPECT_FALSE(parse_target("/" + std::string(kTargetBytesMax, 'a')));
  std::string many = "/a?";
  for (std::size_t i = 0; i < kArgumentsMax; ++i) many += "x" + std::to_string(i) + "=1&";
  EXPECT_TRUE(parse_target(many));
  EXPECT_FALSE(parse_target(many + "y=1"));
}

}  // namespace
}  // namespace riftbus::http
