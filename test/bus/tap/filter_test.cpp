#include "bus/tap/filter.h"

#include <gtest/gtest.h>

#include <fstream>

#include "bus/wire/codec.h"
#include "config/random.h"
#include "test/bus/tap/frames.h"

namespace riftbus::tap {
namespace {

bool keeps(std::string_view expression, const Seen& seen) {
  const auto filter = Filter::parse(expression);
  EXPECT_TRUE(filter.ok()) << expression;
  return filter.ok() && filter->matches(seen.node, seen.frame);
}

std::string column_of_error(std::string_view expression) {
  const auto filter = Filter::parse(expression);
  if (filter.ok()) return "none";
  EXPECT_EQ(filter.error().code, 1550);
  EXPECT_FALSE(filter.error().next.empty());
  return filter.error().where;
}

// n1 tells n2 that n3 is suspect: 120 bytes, a one-way call.
Seen accusation() {
  return call_out("n1", "n2", "gossip", 0, 120,
                  "standing=suspect subject=n3 inc=2 by=n1 evidence=silence; "
                  "standing=alive subject=n4 inc=7 record");
}

TEST(Filter, ReadsTheExamplesOfItsHeader) {
  const Seen beat = published("vast-17", "beat", 52, "inc=3 up_ms=65000 health=0");
  const Seen accuse = accusation();
  struct Row {
    const char* expression;
    bool beat;
    bool accuse;
  };
  for (const auto& [expression, of_beat, of_accuse] : std::initializer_list<Row>{
           {"", true, true},
           {"   ", true, true},
           {"kind=gossip", false, true},
           {"topic=gossip", false, true},
           {"kind=beat or kind=gossip", true, true},
           {"from=vast-* and not to=n1", true, false},
           {"topic=^go and size>100", false, true},
           {"size>1k", false, false},
           {"size<1k size>=52", true, true},
           {"size<=52", true, false},
           {"size!=52", false, true},
           {"summary=~subject=n3", false, true},
           {"standing=suspect", false, true},
           {"standing=alive", false, true},  // any of the claims
           {"standing!=suspect", false, true},
           {"standing!=dead", false, true},  // a beat has no standing at all
           {"(standing=suspect or standing=dead) and subject=n3", false, true},
           {"inc=3", true, false},
           {"inc>2", true, true},
           {"inc>7", false, false},
           {"dir=out channel=call", false, true},
           {"dir=out && channel=pub || kind=gossip", true, true},
           {"!(kind=beat)", false, true},
           {"not not kind=beat", true, false},
           {"kind=beat||kind=gossip", true, true},
           {"peer=\"\"", true, false},
           {"to=\"\"", true, false},
           {"node=n1", false, true},
           {"kind=?eat", true, false},
           {"kind==\"beat\"", true, false},
           {"record=\"\"", false, true},
       }) {
    EXPECT_EQ(keeps(expression, beat), of_beat) << expression;
    EXPECT_EQ(keeps(expression, accuse), of_accuse) << expression;
  }
}

TEST(Filter, AndBindsTighterThanOr) {
  const Seen seen = accusation();
  EXPECT_TRUE(keeps("kind=gossip or kind=beat and size>1M", seen));
  EXPECT_FALSE(keeps("(kind=gossip or kind=beat) and size>1M", seen));
  EXPECT_TRUE(keeps("not kind=beat and kind=gossip", seen));
}

TEST(Filter, NamesTheColumnOfAMistake) {
  EXPECT_EQ(column_of_error("kind"), "column 5");
  EXPECT_EQ(column_of_error("kind="), "column 6");
  EXPECT_EQ(column_of_error("kin=beat"), "column 1");
  EXPECT_EQ(column_of_error("kind=beat and"), "column 14");
  EXPECT_EQ(column_of_error("kind=beat and or"), "column 15");
  EXPECT_EQ(column_of_error("(kind=beat"), "column 11");
  EXPECT_EQ(column_of_error("kind=beat)"), "column 10");
  EXPECT_EQ(column_of_error("size>big"), "column 6");
  EXPECT_EQ(column_of_error("size=1Q"), "column 6");
  EXPECT_EQ(column_of_error("kind>5"), "column 6");
  EXPECT_EQ(column_of_error("kind='beat"), "column 6");
  EXPECT_EQ(column_of_error("size>99999999999999999999"), "column 6");
  EXPECT_EQ(column_of_error("()"), "column 2");
  EXPECT_EQ(column_of_error("time=1"), "column 1");
}

TEST(Filter, KeepsItsBounds) {
  EXPECT_EQ(column_of_error(std::string(Filter::kBytesMax + 1, ' ')), "");
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '(') + "seq=1" + std::string(depth, ')');
  };
  EXPECT_TRUE(Filter::parse(nested(Filter::kDepthMax)).ok());
  EXPECT_FALSE(Filter::parse(nested(Filter::kDepthMax + 1)).ok());
  std::string terms = "seq=1";
  for (std::size_t i = 1; i < Filter::kTermsMax; ++i) terms += " seq=1";
  EXPECT_TRUE(keeps(terms, call_out("n1", "n2", "ping", 1, 1, "")));
  EXPECT_TRUE(Filter::parse(terms).ok());
  EXPECT_FALSE(Filter::parse(terms + " seq=1").ok());
}

TEST(Filter, NeedsASummaryOnlyIfItAsksForOne) {
  EXPECT_FALSE(Filter::parse("kind=beat and from=n1")->needs_summary());
  EXPECT_TRUE(Filter::parse("kind=beat or standing=dead")->needs_summary());
  EXPECT_TRUE(Filter::parse("summary=~x")->needs_summary());
}

// The wire's golden file holds one message of each kind.
TEST(Filter, KnowsEveryWordThatMessagesSay) {
  std::ifstream golden(RIFTBUS_SOURCE_DIR "/test/bus/wire/golden.txt");
  std::string name;
  std::string hex;
  std::size_t words = 0;
  while (golden >> name >> hex) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    const auto message = wire::decode(bytes);
    ASSERT_TRUE(message.ok()) << name;
    any_summary_word(wire::to_string(message.envelope.body),
                     [&](std::string_view key, std::string_view) {
                       EXPECT_TRUE(Filter::parse(std::string(key) + "=1").ok()) << key;
                       ++words;
                       return false;
                     });
  }
  EXPECT_GT(words, 50U);
  // Said only when they are so.
  for (const auto* flag : {"not-watching", "payloads", "recruit", "record", "refused"}) {
    EXPECT_TRUE(Filter::parse(std::string(flag) + "=\"\"").ok()) << flag;
  }
}

TEST(Filter, SurvivesRandomExpressions) {
  static constexpr std::string_view kPieces[] = {"kind", "=",  "beat", " and ", " or ", "not ",
                                                 "(",    ")",  "size", ">",     "1k",   "\"",
                                                 "!",    "&&", "||",   "*",     "\xFF", " "};
  Random random(3);
  std::size_t read = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (auto left = random.below(14); left > 0; --left) {
      text += kPieces[random.below(std::size(kPieces))];
    }
    const auto filter = Filter::parse(text);
    if (!filter.ok()) continue;
    ++read;
    (void)filter->matches(id("n1"), accusation().frame);
  }
  EXPECT_GT(read, 100U);
}

TEST(Glob, MatchesWholeTextsInBoundedTime) {
  EXPECT_TRUE(matches_glob("", ""));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*c*e", "abcde"));
  EXPECT_FALSE(matches_glob("a*c*f", "abcde"));
  EXPECT_TRUE(matches_glob("?b*", "abc"));
  EXPECT_FALSE(matches_glob("abc", "ab"));
  std::string stars;
  for (int i = 0; i < 300; ++i) stars += "*a";
  EXPECT_FALSE(matches_glob(stars + "b", std::string(500, 'a')));
}

TEST(Quantity, KnowsItsUnitsAndItsLimits) {
  EXPECT_EQ(parse_quantity("1k"), 1000U);
  EXPECT_EQ(parse_quantity("3M"), 3'000'000U);
  EXPECT_EQ(parse_quantity("2Ki"), 2048U);
  EXPECT_EQ(parse_quantity("18446744073709551615"), 0xFFFFFFFFFFFFFFFFU);
  for (const auto* bad :
       {"", "k", "1kk", "-1", "1.5", "18446744073709551616", "18446744073709551615k", " 1"}) {
    EXPECT_FALSE(parse_quantity(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace riftbus::tap
