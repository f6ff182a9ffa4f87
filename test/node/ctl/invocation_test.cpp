#include "node/ctl/invocation.h"

#include <gtest/gtest.h>

namespace riftbus::ctl {
namespace {

using Line = std::vector<std::string>;

Invocation parsed(const Line& line) {
  auto result = parse_line(line);
  if (result.ok()) return std::move(*result);
  ADD_FAILURE() << result.error().to_string();
  return {};
}

std::string name_of(const Invocation& invocation) {
  return invocation.command ? std::string(invocation.command->name) : "";
}

struct GoodLine {
  Line line;
  std::string command;
  Line arguments;
};

TEST(Invocation, FindsTheCommandWhereverOptionsStand) {
  const std::vector<GoodLine> lines{
      {{"status"}, "status", {}},
      {{"--node", "n2", "status"}, "status", {}},
      {{"--node=n2", "status"}, "status", {}},
      {{"-o", "json", "node", "list"}, "node list", {}},
      {{"node", "-o", "json", "list"}, "node list", {}},
      {{"node", "show", "n3"}, "node show", {"n3"}},
      {{"node", "show", "--timeout", "2", "n3"}, "node show", {"n3"}},
      {{"why", "node", "n3", "--watch"}, "why node", {"n3"}},
      {{"--watch", "why", "node", "n3"}, "why node", {"n3"}},
      {{"node", "show", "--watch", "n3"}, "node show", {"n3"}},
      {{"config", "check", "a", "b"}, "config check", {"a", "b"}},
      {{"node", "show", "--", "-odd"}, "node show", {"-odd"}},
  };
  for (const auto& good : lines) {
    const Invocation invocation = parsed(good.line);
    EXPECT_EQ(name_of(invocation), good.command);
    EXPECT_EQ(invocation.arguments, good.arguments) << good.command;
  }
}

TEST(Invocation, ReadsSharedOptions) {
  const Invocation invocation =
      parsed({"status", "--node", "n2", "-ojsonl", "--timeout=500ms", "--key", "dir", "-y",
              "--dry-run", "--insecure", "--color", "never", "--watch=0.5"});
  const Globals& globals = invocation.globals;
  EXPECT_EQ(globals.node, "n2");
  EXPECT_EQ(globals.format, Format::jsonl);
  EXPECT_EQ(globals.timeout, Millis(500));
  EXPECT_TRUE(globals.timeout_given);
  EXPECT_EQ(globals.key, "dir");
  EXPECT_TRUE(globals.yes && globals.dry_run && globals.insecure);
  EXPECT_EQ(globals.color, ColorWhen::never);
  EXPECT_EQ(globals.watch, Millis(500));
}

TEST(Invocation, WatchTakesOnlyANumberAsItsValue) {
  EXPECT_EQ(parsed({"status", "--watch"}).globals.watch, kWatchDefault);
  EXPECT_EQ(parsed({"status", "-w"}).globals.watch, kWatchDefault);
  EXPECT_EQ(parsed({"status", "--watch", "5"}).globals.watch, Millis(5000));
  EXPECT_FALSE(parsed({"status"}).globals.watch.has_value());
}

TEST(Invocation, ACommandsOwnOptionsAreItsOwn) {
  const Invocation wait = parsed({"wait", "n3", "--standing", "dead", "--nodes-min=3"});
  EXPECT_EQ(wait.find("standing"), "dead");
  EXPECT_EQ(wait.find("nodes-min"), "3");
  EXPECT_FALSE(parse_line({"status", "--standing", "dead"}).ok());
}

TEST(Invocation, RefusesWhatItDoesNotKnowWithTheNearestWord) {
  const auto wrong = parse_line({"node", "list", "--statsu", "dead"});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, 1501);
  EXPECT_NE(wrong.error().next.find("status"), std::string::npos) << wrong.error().to_string();
}

TEST(Invocation, AbbreviatesNothing) {
  EXPECT_FALSE(parse_line({"status", "--tim", "2"}).ok());
  EXPECT_FALSE(parse_line({"status", "--watc"}).ok());
}

TEST(Invocation, RefusesWrongLines) {
  const std::vector<Line> lines{
      {"node", "show"},
      {"node", "show", "a", "b"},
      {"status", "-o", "yaml"},
      {"status", "--color", "blue"},
      {"status", "--timeout", "soon"},
      {"status", "--timeout", "0"},
      {"status", "--timeout", "-1"},
      {"status", "--timeout"},
      {"wait", "n3", "--standing", "asleep"},
      {"status", "--watch=often"},
      {"key", "new"},
  };
  for (const auto& line : lines) {
    const auto result = parse_line(line);
    ASSERT_FALSE(result.ok()) << line.front() << " " << line.back();
    EXPECT_EQ(result.error().code, 1501);
    EXPECT_FALSE(result.error().next.empty()) << result.error().what;
  }
}

TEST(Invocation, HelpNeedsNoArguments) {
  EXPECT_TRUE(parsed({"node", "show", "--help"}).wants_help);
  EXPECT_TRUE(parsed({"--help"}).wants_help);
  EXPECT_TRUE(parsed({"node", "--help"}).wants_help);
  EXPECT_TRUE(parsed({"--version"}).wants_version);
}

TEST(Invocation, PassesTheRestOfTheLineOnUntouched) {
  const Invocation tap = parsed({"--node", "n1", "tap", "-c", "2", "--help", "-Y", "kind=beat"});
  EXPECT_EQ(name_of(tap), "tap");
  EXPECT_EQ(tap.arguments, (Line{"-c", "2", "--help", "-Y", "kind=beat"}));
  EXPECT_EQ(tap.globals.node, "n1");
}

TEST(Invocation, KeepsUnknownCommandsForOtherPrograms) {
  const Invocation other = parsed({"frobnicate", "--deep", "x"});
  EXPECT_EQ(other.command, nullptr);
  EXPECT_EQ(other.unknown, "frobnicate");
  EXPECT_EQ(other.unknown_arguments, (Line{"--deep", "x"}));
  EXPECT_EQ(parsed({"node", "lst"}).unknown, "node lst");
}

TEST(Invocation, ReadsDurationsWithUnits) {
  EXPECT_EQ(*parse_duration("2", "x"), Millis(2000));
  EXPECT_EQ(*parse_duration("0.5", "x"), Millis(500));
  EXPECT_EQ(*parse_duration("90s", "x"), Millis(90'000));
  EXPECT_EQ(*parse_duration("3m", "x"), Millis(180'000));
  EXPECT_EQ(*parse_duration("24h", "x"), Millis(86'400'000));
  EXPECT_EQ(*parse_duration("7d", "x"), Millis(604'800'000));
  for (const char* wrong :
       {"", "h", "1w", "1h30", "1e9", "nan", "inf", "0.0001", "1000000d", "-2"}) {
    EXPECT_FALSE(parse_duration(wrong, "x").ok()) << wrong;
  }
}

}  // namespace
}  // namespace riftbus::ctl
