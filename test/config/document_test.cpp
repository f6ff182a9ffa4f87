#include "config/document.h"

#include <gtest/gtest.h>

#include <string>

namespace riftbus {
namespace {

struct Parsed {
  std::optional<DocumentNode> root;
  Diagnostics diagnostics;
};

Parsed parse(const std::string& text) {
  Parsed parsed;
  parsed.root = parse_document(text, "f", parsed.diagnostics);
  return parsed;
}

// The code of the only error; 0: none.
int code_of(const Parsed& parsed) {
  return parsed.diagnostics.has_errors() ? parsed.diagnostics.to_error().code : 0;
}

std::string repeat(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

TEST(Document, KeepsThePlaceOfEveryValue) {
  const auto parsed = parse("a: 1\nb:\n  - x\n  - {c: y}\n");
  ASSERT_TRUE(parsed.root);
  const auto& item = parsed.root->find("b")->items.at(1);
  EXPECT_EQ(item.line, 4);
  EXPECT_EQ(item.column, 5);
  EXPECT_EQ(item.find("c")->text, "y");
}

TEST(Document, RefusesDeepNestingOfEveryKind) {
  EXPECT_EQ(code_of(parse(repeat("[", 100'000))), 1004);
  EXPECT_EQ(code_of(parse(repeat("{a: ", 50'000))), 1004);
  EXPECT_EQ(code_of(parse(repeat("- ", 50'000) + "x")), 1004);
  EXPECT_EQ(code_of(parse(repeat("? ", 50'000) + "x")), 1004);
  std::string staircase;
  for (int i = 0; i < 200; ++i) staircase += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_EQ(code_of(parse(staircase)), 1004);
}

TEST(Document, AcceptsTheDepthThatItPromises) {
  const int depth = static_cast<int>(kDocumentDepthMax);
  EXPECT_EQ(code_of(parse(repeat("[", depth) + repeat("]", depth))), 0);
  EXPECT_EQ(code_of(parse(repeat("[", depth + 1) + repeat("]", depth + 1))), 1004);
}

TEST(Document, BoundsABillionLaughs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeat(last + ", ", 9) +
            last + "]\n";
  }
  EXPECT_EQ(code_of(parse(text)), 1004);
}

TEST(Document, RefusesAnAliasInsideItsOwnAnchor) {
  EXPECT_NE(code_of(parse("a: &x [*x]\n")), 0);
  EXPECT_NE(code_of(parse("a: *nobody\n")), 0);
}

TEST(Document, AppliesMergeKeysBelowOwnKeys) {
  const auto parsed = parse("base: &b {x: 1, y: 2}\nn:\n  <<: *b\n  y: 3\n");
  ASSERT_TRUE(parsed.root);
  const auto* node = parsed.root->find("n");
  EXPECT_EQ(node->find("x")->text, "1");
  EXPECT_EQ(node->find("y")->text, "3");
  EXPECT_EQ(node->find("<<"), nullptr);
}

TEST(Document, ReportsDuplicateKeysWithBothLines) {
  const auto parsed = parse("a: 1\nb: {c: 1, c: 2}\na: 2\n");
  ASSERT_EQ(parsed.diagnostics.error_count(), 2u);
  EXPECT_EQ(parsed.diagnostics.sorted().at(1).to_string(),
            "f:3:1: error F-1006: duplicate key \"a\"; it stands already in line 1");
}

TEST(Document, RefusesWhatIsNoText) {
  EXPECT_EQ(code_of(parse(std::string("a: \0b", 5))), 1003);
  EXPECT_EQ(code_of(parse("a: \xc0\xaf\n")), 1003);
  EXPECT_EQ(code_of(parse("\xfe\xff a")), 1003);
  EXPECT_EQ(code_of(parse("a: \x1b[31m\n")), 1003);
  EXPECT_EQ(code_of(parse(std::string(kConfigBytesMax + 1, '#'))), 1004);
  EXPECT_EQ(code_of(parse("a: " + std::string(kScalarBytesMax + 1, 'x'))), 1004);
}

TEST(Document, TellsNothingFromEmptyQuotes) {
  const auto parsed = parse("a:\nb: \"\"\nc: ~\nd: null\n");
  ASSERT_TRUE(parsed.root);
  EXPECT_TRUE(parsed.root->find("a")->is_null());
  EXPECT_TRUE(parsed.root->find("b")->is_scalar());
  EXPECT_TRUE(parsed.root->find("c")->is_null());
  EXPECT_TRUE(parsed.root->find("d")->is_null());
}

TEST(Document, AnEmptyFileIsNothing) {
  for (const auto* text : {"", "\n", "# only a comment\n", "---\n"}) {
    const auto parsed = parse(text);
    ASSERT_TRUE(parsed.root) << text;
    EXPECT_TRUE(parsed.root->is_null()) << text;
  }
}

}  // namespace
}  // namespace riftbus
