#include "node/mesh/journal.h"

#include <gtest/gtest.h>

namespace riftbus::node {
namespace {

constexpr Instance kLife(0xabcdef);

Moment moment(std::int64_t ms) { return {TimePoint(Millis(ms)), 1'000'000 + ms}; }

void note(Journal& journal, int count) {
  for (int i = 0; i < count; ++i) journal.note("start", NodeId(), "text", moment(i));
}

TEST(Journal, ReadsOnFromTheCursorOfTheLastPage) {
  Journal journal(kLife);
  note(journal, 3);
  const auto first = journal.read("", 2);
  ASSERT_EQ(first.entries.size(), 2U);
  EXPECT_TRUE(first.more);
  const auto second = journal.read(first.cursor, 2);
  ASSERT_EQ(second.entries.size(), 1U);
  EXPECT_EQ(second.entries.front()->seq, Seq(3));
  EXPECT_FALSE(second.more);
  EXPECT_TRUE(journal.read(second.cursor, 2).entries.empty());
}

TEST(Journal, AnEmptyPageKeepsItsPlace) {
  Journal journal(kLife);
  const auto empty = journal.read("", 10);
  EXPECT_TRUE(empty.entries.empty());
  note(journal, 1);
  EXPECT_EQ(journal.read(empty.cursor, 10).entries.size(), 1U);
}

TEST(Journal, SaysHowManyEntriesASlowReaderLost) {
  Journal journal(kLife, 4);
  note(journal, 1);
  const auto first = journal.read("", 10);
  note(journal, 9);
  const auto later = journal.read(first.cursor, 10);
  EXPECT_EQ(later.lost, 5U);
  ASSERT_EQ(later.entries.size(), 4U);
  EXPECT_EQ(later.entries.front()->seq, Seq(7));
  EXPECT_FALSE(later.restarted);
}

TEST(Journal, ACursorOfAnotherLifeStartsAnew) {
  Journal former(Instance(1));
  note(former, 5);
  Journal journal(kLife);
  note(journal, 2);
  const auto page = journal.read(former.read("", 10).cursor, 10);
  EXPECT_TRUE(page.restarted);
  EXPECT_EQ(page.entries.size(), 2U);
}

TEST(Journal, AnyTextIsACursor) {
  Journal journal(kLife);
  note(journal, 2);
  const char* const texts[] = {"-",
                               "x-1",
                               "0000000000abcdef-",
                               "0000000000abcdef-9",
                               "0000000000abcdef-99999999999999999999999",
                               "abcdef-1 "};
  for (const char* text : texts) {
    const auto page = journal.read(text, 10);
    EXPECT_TRUE(page.restarted) << text;
    EXPECT_EQ(page.entries.size(), 2U) << text;
  }
}

TEST(Journal, TheNewestEntriesComeOldestFirst) {
  Journal journal(kLife);
  note(journal, 5);
  const auto page = journal.read_last(2);
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_EQ(page.entries.front()->seq, Seq(4));
  EXPECT_TRUE(journal.read(page.cursor, 10).entries.empty());
  EXPECT_EQ(journal.read_last(99).entries.size(), 5U);
}

TEST(Journal, NamesTheAccuserAndTheEvidence) {
  Journal journal(kLife);
  journal.announce({membership::Happening::died, *NodeId::parse("n3"), Incarnation(7),
                    *NodeId::parse("n1"), wire::Evidence::silence},
                   moment(5));
  const auto page = journal.read_last(1);
  EXPECT_EQ(page.entries.front()->text, "n3 died by n1: silence");
  EXPECT_EQ(page.entries.front()->kind, "died");
  EXPECT_EQ(page.entries.front()->incarnation, Incarnation(7));
}

TEST(Journal, CutsLongText) {
  Journal journal(kLife);
  journal.note("disk", NodeId(), std::string(10'000, 'x'), moment(0));
  EXPECT_EQ(journal.read_last(1).entries.front()->text.size(), kJournalTextMax);
}

}  // namespace
}  // namespace riftbus::node
