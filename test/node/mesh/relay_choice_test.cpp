#include "node/mesh/relay_choice.h"

#include <gtest/gtest.h>

#include <map>

#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

RelayPlace relay(const std::string& name, const std::string& domain = "") {
  RelayPlace place;
  place.id = id(name);
  place.domain = domain.empty() ? name : domain;
  place.hosts = {"192.0.2.1"};
  return place;
}

std::vector<RelayPlace> relays(int count) {
  std::vector<RelayPlace> all;
  for (int i = 0; i < count; ++i) all.push_back(relay("relay-" + std::to_string(i)));
  return all;
}

std::vector<NodeId> ranked(const std::string& node, const std::vector<RelayPlace>& among) {
  std::vector<NodeId> ids;
  for (const auto& place : rank_relays(id(node), among, false)) ids.push_back(place.id);
  return ids;
}

std::string vast(int number) { return "vast-" + std::to_string(number); }

TEST(RelayChoice, DoesNotDependOnTheOrderOfTheFile) {
  auto forwards = relays(7);
  auto backwards = forwards;
  std::reverse(backwards.begin(), backwards.end());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ranked(vast(i), forwards), ranked(vast(i), backwards));
}

TEST(RelayChoice, HomesAreSpreadEvenly) {
  const auto all = relays(5);
  std::map<NodeId, int> homes;
  std::map<NodeId, int> warm;
  for (int i = 0; i < 1000; ++i) {
    const auto order = ranked(vast(i), all);
    ++homes[order[0]];
    ++warm[order[1]];
  }
  for (const auto& place : all) {
    EXPECT_NEAR(homes[place.id], 200, 45) << place.id.value();
    EXPECT_NEAR(warm[place.id], 200, 45) << place.id.value();
  }
}

TEST(RelayChoice, OnlyThoseAtHomeMoveWhenARelayGoes) {
  const auto all = relays(5);
  for (const auto& gone : all) {
    auto rest = all;
    std::erase_if(rest, [&](const RelayPlace& place) { return place.id == gone.id; });
    for (int i = 0; i < 200; ++i) {
      const auto before = ranked(vast(i), all);
      const auto after = ranked(vast(i), rest);
      if (before[0] != gone.id) {
        EXPECT_EQ(after[0], before[0]);
      } else {
        EXPECT_EQ(after[0], before[1]) << "where it was warm already";
      }
    }
  }
}

TEST(RelayChoice, TheSecondIsOfAnotherFailureDomain) {
  const std::vector<RelayPlace> all{relay("r1", "hetzner"), relay("r2", "hetzner"),
                                    relay("r3", "hetzner"), relay("r4", "nebius"),
                                    relay("r5", "nebius")};
  for (int i = 0; i < 100; ++i) {
    const auto order = rank_relays(id(vast(i)), all, false);
    ASSERT_EQ(order.size(), 5u);
    EXPECT_NE(order[0].domain, order[1].domain);
    EXPECT_NE(order[2].domain, order[3].domain);
  }
}

TEST(RelayChoice, OneDomainIsBetterThanOneRelay) {
  const std::vector<RelayPlace> all{relay("r1", "hetzner"), relay("r2", "hetzner")};
  EXPECT_EQ(rank_relays(id("vast-1"), all, false).size(), 2u);
  EXPECT_TRUE(rank_relays(id("vast-1"), {}, false).empty());
}

TEST(RelayChoice, ANodesOwnOrderHolds) {
  const std::vector<RelayPlace> own{relay("r9"), relay("r1"), relay("r5")};
  EXPECT_EQ(rank_relays(id("vast-1"), own, true), own);
}

}  // namespace
}  // namespace riftbus::node
