#include "node/membership/rings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "config/random.h"
#include "test/node/membership/vocabulary.h"

namespace riftbus::membership {
namespace {

// `count` members n0.., each in a domain of its own unless `domains` > 0.
struct Town {
  explicit Town(int count, int domains = 0, unsigned rings_wanted = 0) : rings(rings_wanted) {
    for (int i = 0; i < count; ++i) {
      ids.push_back(numbered("n", i));
      rings.insert(ids.back(), domains == 0 ? "" : "d" + std::to_string(i % domains));
    }
  }
  std::deque<NodeId> ids;
  Rings rings;
};

TEST(Rings, EachIsACycleThroughEveryMember) {
  const Town town(50);
  for (std::size_t ring = 0; ring < town.rings.count(); ++ring) {
    std::set<NodeId> seen;
    NodeId at = town.ids.front();
    while (seen.insert(at).second) at = town.rings.successor(ring, at);
    EXPECT_EQ(seen.size(), 50U) << "ring " << ring;
    EXPECT_EQ(at, town.ids.front());
  }
}

TEST(Rings, GiveEveryMemberFourDistinctWatchersBelowAHundredAndFiveFromThere) {
  for (const int count : {50, 99, 100, 300}) {
    const Town town(count);
    for (const auto& member : town.ids) {
      const auto watchers = town.rings.watchers_of(member);
      const std::set<NodeId> distinct(watchers.begin(), watchers.end());
      EXPECT_EQ(distinct.size(), count < 100 ? 4U : 5U);
      EXPECT_FALSE(distinct.contains(member));
    }
  }
}

TEST(Rings, InASmallClusterEverybodyWatchesEverybody) {
  const Town town(4);
  for (const auto& member : town.ids) {
    EXPECT_EQ(town.rings.watchers_of(member).size(), 3U);
    EXPECT_EQ(town.rings.subjects_of(member).size(), 3U);
  }
  const Town alone(1);
  EXPECT_TRUE(alone.rings.watchers_of(alone.ids.front()).empty());
  EXPECT_TRUE(alone.rings.subjects_of(alone.ids.front()).empty());
}

TEST(Rings, AgreeOnWhoWatchesWhomFromBothEnds) {
  for (const int domains : {0, 3, 40}) {
    const Town town(120, domains);
    std::map<NodeId, std::set<NodeId>> expected;
    for (const auto& subject : town.ids) {
      for (const auto& watcher : town.rings.watchers_of(subject)) expected[watcher].insert(subject);
    }
    for (const auto& watcher : town.ids) {
      const auto subjects = town.rings.subjects_of(watcher);
      EXPECT_EQ(std::set<NodeId>(subjects.begin(), subjects.end()), expected[watcher])
          << watcher.value() << " with " << domains << " domains";
    }
  }
}

// Hops from the member watched to its watchers, until all are reached.
int flood_depth(const Town& town, const NodeId& from) {
  std::set<NodeId> reached{from};
  std::vector<NodeId> edge{from};
  int depth = 0;
  while (!edge.empty() && reached.size() < town.ids.size()) {
    std::vector<NodeId> next;
    for (const auto& member : edge) {
      for (const auto& watcher : town.rings.watchers_of(member)) {
        if (reached.insert(watcher).second) next.push_back(watcher);
      }
    }
    edge = std::move(next);
    ++depth;
  }
  return reached.size() == town.ids.size() ? depth : 1000;
}

TEST(Rings, CarryAFloodToEveryMemberInFewHops) {
  EXPECT_LE(flood_depth(Town(50), numbered("n", 7)), 5);
  EXPECT_LE(flood_depth(Town(1000), numbered("n", 7)), 7);
  EXPECT_LE(flood_depth(Town(50, 2), numbered("n", 7)), 6) << "domains leave nobody out";
}

TEST(Rings, PreferWatchersThatWouldNotDieWithTheMember) {
  const Town town(60, 6);
  int outside = 0;
  int all = 0;
  for (std::size_t i = 0; i < town.ids.size(); ++i) {
    for (const auto& watcher : town.rings.watchers_of(town.ids[i])) {
      const auto number = std::stoul(watcher.value().substr(1));
      ++all;
      if (number % 6 != i % 6) ++outside;
    }
  }
  EXPECT_GT(outside, all * 9 / 10);
}

TEST(Rings, WorkWhenAllMembersShareOneDomain) {
  const Town town(20, 1);
  for (const auto& member : town.ids) EXPECT_EQ(town.rings.watchers_of(member).size(), 4U);
}

TEST(Rings, AreTheSameWhateverTheOrderOfJoinsAndDeaths) {
  Town town(40);
  for (int i = 10; i < 20; ++i) town.rings.erase(town.ids[static_cast<std::size_t>(i)]);
  std::deque<NodeId> others;
  Rings fresh(0);
  for (int i = 39; i >= 0; --i) {
    if (i >= 10 && i < 20) continue;
    others.push_back(numbered("n", i));
    fresh.insert(others.back(), "");
  }
  for (const auto& member : others) {
    EXPECT_EQ(town.rings.watchers_of(member), fresh.watchers_of(member));
  }
}

TEST(Rings, OneDeathMovesFewWatchers) {
  Town town(100);
  std::map<NodeId, std::vector<NodeId>> before;
  for (const auto& member : town.ids) before[member] = town.rings.watchers_of(member);
  const NodeId gone = town.ids[42];
  town.rings.erase(gone);
  int moved = 0;
  for (const auto& member : town.ids) {
    if (member == gone) continue;
    for (const auto& watcher : town.rings.watchers_of(member)) {
      const auto& old = before[member];
      if (std::find(old.begin(), old.end(), watcher) == old.end()) ++moved;
    }
  }
  EXPECT_LE(moved, 12) << "about k subjects lose one watcher each";
}

TEST(Rings, NameMoreSuccessorsForAMemberShortOfWatchers) {
  const Town town(50);
  const auto four = town.rings.watchers_of(town.ids[0]);
  const auto six = town.rings.watchers_of(town.ids[0], 2);
  ASSERT_EQ(six.size(), 6U);
  EXPECT_TRUE(std::equal(four.begin(), four.end(), six.begin()));
  EXPECT_EQ(std::set<NodeId>(six.begin(), six.end()).size(), 6U);
}

}  // namespace
}  // namespace riftbus::membership
