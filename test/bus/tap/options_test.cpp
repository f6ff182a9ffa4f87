#include "bus/tap/options.h"

#include <gtest/gtest.h>

namespace riftbus::tap {
namespace {

using Words = std::vector<std::string>;

TEST(Options, ReadsACommandLine) {
  const auto options = parse_options({"--node",
                                      "n1@192.0.2.1:7770",
                                      "--node=n2@192.0.2.2",
                                      "--on",
                                      "n3",
                                      "-c",
                                      "5",
                                      "-Y",
                                      "kind=beat",
                                      "-o",
                                      "fields=kind,from",
                                      "-w",
                                      "tap.jsonl",
                                      "--ring",
                                      "3x1M",
                                      "--timeout",
                                      "500ms",
                                      "--key",
                                      "/keys",
                                      "--payloads"});
  ASSERT_TRUE(options.ok()) << options.error().to_string();
  EXPECT_EQ(options->nodes, (Words{"n1@192.0.2.1:7770", "n2@192.0.2.2"}));
  ASSERT_EQ(options->on.size(), 1U);
  EXPECT_EQ(options->count, 5U);
  EXPECT_EQ(options->filter_text, "kind=beat");
  EXPECT_FALSE(options->filter.empty());
  EXPECT_TRUE(std::holds_alternative<FieldsFormat>(options->format));
  EXPECT_EQ(options->ring, (Ring{3, 1'000'000}));
  EXPECT_EQ(options->timeout, Millis(500));
  EXPECT_EQ(options->home.key, "/keys");
  EXPECT_TRUE(options->payloads);
  EXPECT_FALSE(options->all);
}

TEST(Options, DefaultsToTextFromThisMachine) {
  const auto options = parse_options({});
  ASSERT_TRUE(options.ok());
  EXPECT_TRUE(options->nodes.empty());
  EXPECT_TRUE(options->filter.empty());
  EXPECT_TRUE(std::holds_alternative<TextFormat>(options->format));
  EXPECT_EQ(options->count, 0U);
}

TEST(Options, EachMistakeHasItsCode) {
  struct Row {
    Words line;
    std::uint16_t code;
  };
  for (const auto& [line, code] : std::initializer_list<Row>{{{"--nod", "n1"}, 1559},
                                                             {{"--coun", "1"}, 1559},
                                                             {{"stray"}, 1559},
                                                             {{"-c", "many"}, 1559},
                                                             {{"-c", "0"}, 1559},
                                                             {{"-c"}, 1559},
                                                             {{"--timeout", "soon"}, 1559},
                                                             {{"--ring", "2x1M"}, 1559},
                                                             {{"-r", "a", "--node", "n1"}, 1559},
                                                             {{"-r", "a", "-w", "b"}, 1559},
                                                             {{"--on", "-x"}, 1001},
                                                             {{"-Y", "kind"}, 1550},
                                                             {{"-o", "xml"}, 1553},
                                                             {{"-w", "a", "--ring", "x"}, 1556},
                                                             {{"-z", "pie"}, 1557},
                                                             {{"--retry", "soon"}, 1559},
                                                             {{"--dry-run"}, 1559},
                                                             {{"--watch", "2"}, 1559},
                                                             {{"--color", "always"}, 1559},
                                                             {{"--color", "pink"}, 1559}}) {
    const auto options = parse_options(line);
    ASSERT_FALSE(options.ok()) << line[0];
    EXPECT_EQ(options.error().code, code) << line[0] << ": " << options.error().to_string();
  }
}

TEST(Options, WhatAllCommandsShareIsTakenWhereItMakesSense) {
  const auto options = parse_options({"--color", "never", "--yes", "-o", "jsonl", "--retry", "0"});
  ASSERT_TRUE(options.ok()) << options.error().to_string();
  EXPECT_TRUE(std::holds_alternative<JsonFormat>(options->format));
  EXPECT_EQ(options->retry, Millis(0));
  EXPECT_EQ(parse_options({"--retry", "5s"})->retry, Millis(5000));
}

TEST(Options, HelpNamesEveryOption) {
  const std::string help = describe_options();
  for (const auto* option :
       {"--node", "--on", "--all", "-c [ --count ]", "-Y [ --filter ]", "-o [ --output ]",
        "-z [ --summary ]", "-w [ --write ]", "--ring", "-r [ --read ]", "--payloads", "--timeout",
        "--key", "--cluster", "--config", "--insecure"}) {
    EXPECT_NE(help.find(option), std::string::npos) << option;
  }
}

}  // namespace
}  // namespace riftbus::tap
