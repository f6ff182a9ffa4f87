#include "relay/gate/allow_list.h"

#include <gtest/gtest.h>

#include "test/relay/gate/keys.h"

namespace riftbus::relay {
namespace {

std::string line_of(char c, const std::string& node) {
  return "ssh-ed25519 " + key_of(c) + " " + node;
}

AllowedKey parse_one(const std::string& line) {
  const auto parsed = parse_allow_list(line + "\n", "keys");
  EXPECT_TRUE(parsed.problems.empty()) << parsed.problems.front().to_string();
  const auto* found = parsed.list.find(key_of('a'));
  EXPECT_NE(found, nullptr);
  return found == nullptr ? AllowedKey{} : *found;
}

std::string problem_of(const std::string& line) {
  const auto parsed = parse_allow_list(line, "keys");
  EXPECT_EQ(parsed.list.size(), 0U) << line;
  if (parsed.problems.size() != 1) return "none";
  EXPECT_EQ(parsed.problems[0].code, 1832);
  EXPECT_EQ(parsed.problems[0].where, "keys:1");
  return parsed.problems[0].what;
}

TEST(AllowList, ALineAsTheTunnelPrintsItAllowsListenersAndNothingElse) {
  const auto key = parse_one(line_of('a', "n1"));
  EXPECT_EQ(key.node.value(), "n1");
  EXPECT_TRUE(key.may_listen(1));
  EXPECT_TRUE(key.may_listen(65535));
  EXPECT_FALSE(key.may_open("127.0.0.1", 7770));
  EXPECT_FALSE(key.is_expired(1'000'000'000'000));
}

TEST(AllowList, OptionsAreThoseOfSshd) {
  const auto key =
      parse_one(R"(restrict,port-forwarding,permitlisten="127.0.0.1:21017",permitlisten="22",)"
                R"(permitopen="127.0.0.1:7770",permitopen="[::1]:*",expiry-time="20261201" )" +
                line_of('a', "n1") + " its laptop");
  EXPECT_TRUE(key.may_listen(21017) && key.may_listen(22));
  EXPECT_FALSE(key.may_listen(21018));
  EXPECT_TRUE(key.may_open("127.0.0.1", 7770) && key.may_open("::1", 9));
  EXPECT_FALSE(key.may_open("127.0.0.1", 7771) || key.may_open("localhost", 7770));
  EXPECT_FALSE(key.is_expired(1'796'083'199));  // 2026-11-30T23:59:59Z
  EXPECT_TRUE(key.is_expired(1'796'083'200));
}

TEST(AllowList, RestrictAloneForbidsForwards) {
  const auto key = parse_one("restrict,no-pty " + line_of('a', "n1"));
  EXPECT_FALSE(key.may_listen(21017));
}

TEST(AllowList, TimesMayHaveHoursAndSeconds) {
  const auto at = [](const std::string& text) {
    return *parse_one("expiry-time=\"" + text + "\" " + line_of('a', "n")).expires_at_s;
  };
  EXPECT_EQ(at("19700102"), 86'400);
  EXPECT_EQ(at("197001020001Z"), 86'460);
  EXPECT_EQ(at("19700102000102"), 86'462);
}

TEST(AllowList, CommentsBlankLinesAndCarriageReturnsPass) {
  const auto parsed =
      parse_allow_list("# keys\r\n\n  \n" + line_of('a', "n1") + "\r\n" + line_of('b', "n1"), "f");
  EXPECT_TRUE(parsed.problems.empty());
  EXPECT_EQ(parsed.list.size(), 2U);
  EXPECT_EQ(parsed.list.find(key_of('b'))->line, 5U);
}

TEST(AllowList, AWrongLineIsNamedAndTheOthersAreInForce) {
  const auto parsed = parse_allow_list("nonsense\n" + line_of('a', "n1") + "\n", "keys");
  EXPECT_EQ(parsed.list.size(), 1U);
  ASSERT_EQ(parsed.problems.size(), 1U);
  EXPECT_EQ(parsed.problems[0].where, "keys:1");
}

TEST(AllowList, MistakesAreNamed) {
  const auto right = line_of('a', "n1");
  EXPECT_EQ(problem_of("ssh-rsa AAAA n1"), "a relay knows no option \"ssh-rsa\"");
  EXPECT_EQ(problem_of("ssh-ed25519 AAAA n1"), "expected an ed25519 key in base64");
  EXPECT_EQ(problem_of("ssh-ed25519 " + key_of('a')), "expected the node's id after the key");
  EXPECT_EQ(problem_of("ssh-ed25519 " + key_of('a') + " n+1"), "not a node's id: \"n+1\"");
  EXPECT_EQ(problem_of("command=\"x\" " + right), "a relay knows no option \"command\"");
  EXPECT_EQ(problem_of("from=\"192.0.2.1\" " + right), "a relay knows no option \"from\"");
  EXPECT_EQ(problem_of("permitlisten=1 " + right), "expected \"...\" after =");
  EXPECT_EQ(problem_of("permitlisten=\"1 " + right), "expected \"...\" after =");
  for (const auto* bad : {"", "0", "65536", "192.0.2.1:80", "x"}) {
    EXPECT_NE(problem_of("permitlisten=\"" + std::string(bad) + "\" " + right), "none") << bad;
  }
  for (const auto* bad : {"", "7770", "relay.example.net:80", "127.0.0.1:0", "127.0.0.1:"}) {
    EXPECT_NE(problem_of("permitopen=\"" + std::string(bad) + "\" " + right), "none") << bad;
  }
  for (const auto* bad : {"", "2026", "20261301", "20260230", "2026120124", "202612012400",
                          "20261201-1", "tomorrow", "19691231"}) {
    EXPECT_NE(problem_of("expiry-time=\"" + std::string(bad) + "\" " + right), "none") << bad;
  }
  EXPECT_EQ(problem_of(std::string(9000, 'x')), "the line is too long");
}

TEST(AllowList, AKeyBelongsToOneLine) {
  const auto parsed = parse_allow_list(line_of('a', "n1") + "\n" + line_of('a', "n2"), "keys");
  EXPECT_EQ(parsed.list.find(key_of('a'))->node.value(), "n1");
  ASSERT_EQ(parsed.problems.size(), 1U);
  EXPECT_EQ(parsed.problems[0].what, "the key of line 1 again");
  EXPECT_EQ(parsed.problems[0].where, "keys:2");
}

}  // namespace
}  // namespace riftbus::relay
