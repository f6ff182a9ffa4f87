#include "node/ctl/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "node/ctl/complete.h"
#include "node/ctl/help.h"
#include "node/ctl/invocation.h"

namespace riftbus::ctl {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// A new command that speaks with the cluster must say what it does to it, here and in its row.
TEST(CommandTable, ThoseThatOnlyReadAreTheseAndAllOthersMindDryRun) {
  std::string readers;
  for (const auto& command : command_table()) {
    if (command.asks_cluster && command.effect == Effect::reads) {
      readers += std::string(command.name) + ",";
    }
  }
  EXPECT_EQ(readers,
            "status,node list,node show,why node,event list,event tail,link list,link ping,wait,"
            "roster show,tap,leader show,flag list,voter list,why leader,why path,link trace,"
            "relay list,relay show,tunnel list,work list,work show,work logs,work history,"
            "work stats,why work,");
}

TEST(CommandTable, NamesAreUniqueAndHaveOneOrTwoWords) {
  std::set<std::string_view> names;
  for (const auto& command : command_table()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_LE(std::count(command.name.begin(), command.name.end(), ' '), 1) << command.name;
    EXPECT_NE(command.run, nullptr) << command.name;
  }
}

TEST(CommandTable, ANounIsNoCommandOfItsOwn) {
  for (const auto noun : command_nouns()) EXPECT_EQ(find_command(noun), nullptr) << noun;
}

TEST(CommandTable, TextsAreSentencesWithoutAFinalStop) {
  for (const auto& command : command_table()) {
    EXPECT_FALSE(command.summary.empty()) << command.name;
    EXPECT_NE(command.summary.back(), '.') << command.name;
    for (const auto& option : command.options) {
      EXPECT_FALSE(option.help.empty()) << command.name << " " << option.name;
      EXPECT_NE(option.help.back(), '.') << command.name << " " << option.name;
    }
  }
}

TEST(CommandTable, NoOptionOfACommandHidesASharedOne) {
  for (const auto& command : command_table()) {
    for (const auto& own : command.options) {
      for (const auto& shared : global_options()) {
        EXPECT_NE(own.name, shared.name) << command.name;
        if (own.letter != 0) {
          EXPECT_NE(own.letter, shared.letter) << command.name << " " << own.name;
        }
      }
    }
  }
}

TEST(CommandTable, RequiredArgumentsComeFirstAndOnlyTheLastRepeats) {
  for (const auto& command : command_table()) {
    bool optional_seen = false;
    for (std::size_t i = 0; i < command.arguments.size(); ++i) {
      const Argument& argument = command.arguments[i];
      EXPECT_FALSE(argument.required && optional_seen) << command.name;
      optional_seen = optional_seen || !argument.required;
      if (argument.repeats) {
        EXPECT_EQ(i + 1, command.arguments.size()) << command.name;
      }
    }
  }
}

// The options of the table that help, man pages and completion must all show.
std::vector<std::string> option_words(const Command& command) {
  std::vector<std::string> words;
  for (const auto& option : command.options) words.push_back("--" + std::string(option.name));
  if (command.passes_on) return words;
  for (const Option* option : shared_options(command)) {
    words.push_back("--" + std::string(option->name));
  }
  return words;
}

// scdoc's escapes taken back.
std::string unescape(const std::string& source) {
  std::string out;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\\' && i + 1 < source.size()) ++i;
    out += source[i];
  }
  return out;
}

TEST(CommandTable, HelpAndManPageAndCompletionShowEveryOption) {
  for (const auto& command : command_table()) {
    if (command.hidden) continue;
    const std::string help = command_help(command);
    std::string page = "riftbus-" + std::string(command.name);
    std::replace(page.begin(), page.end(), ' ', '-');
    const std::string man = unescape(man_source(page));
    std::vector<std::string> line;
    const auto blank = command.name.find(' ');
    line.emplace_back(command.name.substr(0, blank));
    if (blank != std::string_view::npos) line.emplace_back(command.name.substr(blank + 1));
    line.emplace_back("--");
    const auto completed = complete_line(line, {});
    EXPECT_THAT(help, HasSubstr(usage_line(command)));
    EXPECT_THAT(man, HasSubstr(usage_line(command)));
    for (const auto& word : option_words(command)) {
      EXPECT_THAT(help, HasSubstr(word)) << command.name;
      EXPECT_THAT(man, HasSubstr(word)) << command.name;
      EXPECT_THAT(completed, Contains(word)) << command.name;
    }
  }
}

TEST(CommandTable, TheOverviewShowsEveryCommandThatIsNotHidden) {
  const std::string help = overview_help();
  const std::string man = unescape(man_source("riftbus"));
  const auto first_words = complete_line({""}, {});
  for (const auto& command : command_table()) {
    const std::string line = "\n  " + std::string(command.name);
    if (command.hidden) {
      EXPECT_THAT(help, ::testing::Not(HasSubstr(line)));
      continue;
    }
    EXPECT_THAT(help, HasSubstr(line));
    EXPECT_THAT(man, HasSubstr("*" + std::string(command.name) + "*"));
    EXPECT_THAT(first_words, Contains(std::string(command.name.substr(0, command.name.find(' ')))));
  }
  for (const auto& exit : exit_table()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::to_string(exit.status) + " "));
    EXPECT_THAT(man, HasSubstr("*" + std::to_string(exit.status) + "*"));
  }
}

TEST(CommandTable, EveryExampleParses) {
  for (const auto& command : command_table()) {
    for (const auto example : command.examples) {
      std::vector<std::string> words;
      std::string word;
      // Examples use quotes and redirections sparingly: enough for this splitter.
      bool quoted = false;
      for (const char c : std::string(example) + " ") {
        if (c == '\'') {
          quoted = !quoted;
        } else if (c != ' ' || quoted) {
          word += c;
        } else if (!word.empty()) {
          words.push_back(word);
          word.clear();
        }
      }
      if (const auto redirect = std::find(words.begin(), words.end(), ">"); redirect != words.end())
        words.erase(redirect, words.end());
      ASSERT_EQ(words.front(), "riftbus");
      words.erase(words.begin());
      const auto parsed = parse_line(words);
      ASSERT_TRUE(parsed.ok()) << example << ": " << parsed.error().to_string();
      EXPECT_EQ(parsed->command, &command) << example;
    }
  }
}

TEST(CommandTable, HelpStaysWithinATerminal) {
  for (const auto& command : command_table()) {
    const std::string help = command_help(command);
    std::size_t begin = 0;
    while (begin < help.size()) {
      const std::size_t end = std::min(help.find('\n', begin), help.size());
      const std::string line = help.substr(begin, end - begin);
      const bool literal = line.starts_with("  riftbus ") || line.starts_with("usage:");
      if (!literal) {
        EXPECT_LE(line.size(), 80U) << command.name << ": " << line;
      }
      begin = end + 1;
    }
  }
}

}  // namespace
}  // namespace riftbus::ctl
