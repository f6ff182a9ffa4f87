#include "node/http/event_feed.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace riftbus::node {
namespace {

// As event.list gives it.
std::string page(std::uint64_t first, std::uint64_t last) {
  nlohmann::json events = nlohmann::json::array();
  for (auto seq = first; seq <= last; ++seq) events.push_back({{"seq", seq}, {"kind", "joined"}});
  return nlohmann::json{{"cursor", "00000000000000ff-" + std::to_string(last)}, {"events", events}}
      .dump();
}

TEST(EventFeed, SaysNothingUntilTheLoopHasSpoken) {
  EventFeed feed;
  EventFeed::Place place;
  EXPECT_EQ(feed.read(place), "");
  feed.take(page(3, 4));
  EXPECT_EQ(feed.read(place),
            "id: 00000000000000ff-3\ndata: {\"kind\":\"joined\",\"seq\":3}\n\n"
            "id: 00000000000000ff-4\ndata: {\"kind\":\"joined\",\"seq\":4}\n\n");
  EXPECT_EQ(feed.read(place), "");
}

TEST(EventFeed, AReaderThatComesBackGoesOnWhereItWas) {
  EventFeed feed;
  feed.take(page(1, 9));
  EventFeed::Place place;
  place.last_id = "00000000000000ff-7";
  const auto text = feed.read(place);
  EXPECT_TRUE(text.starts_with("id: 00000000000000ff-8\n")) << text;
}

TEST(EventFeed, AReaderOfAFormerLifeIsToldSo) {
  EventFeed feed;
  feed.take(page(1, 2));
  for (const char* id : {"0000000000000001-1", "nonsense", "00000000000000ff-x"}) {
    EventFeed::Place place;
    place.last_id = id;
    EXPECT_TRUE(feed.read(place).starts_with("event: lost\ndata: {\"lost\":null}\n\nid: ")) << id;
  }
}

TEST(EventFeed, ASlowReaderIsToldHowMuchItMissed) {
  EventFeed feed;
  feed.take(page(1, 1));
  EventFeed::Place place;
  static_cast<void>(feed.read(place));
  feed.take(page(2, 10 + kEventsKept));
  EXPECT_TRUE(feed.read(place).starts_with("event: lost\ndata: {\"lost\":9}\n\n"));
}

TEST(EventFeed, AGapInTheJournalIsToldToo) {
  EventFeed feed;
  feed.take(page(1, 5));
  EventFeed::Place place;
  place.last_id = "00000000000000ff-5";
  feed.take(page(101, 102));
  const auto text = feed.read(place);
  EXPECT_TRUE(text.starts_with("event: lost\ndata: {\"lost\":95}\n\nid: 00000000000000ff-101\n"))
      << text;
}

TEST(EventFeed, APartHasABound) {
  EventFeed feed;
  feed.take(page(1, kEventsKept));
  EventFeed::Place place;
  std::size_t parts = 0;
  for (std::string text = feed.read(place); !text.empty(); text = feed.read(place)) {
    EXPECT_LT(text.size(), kPartBytes + 1024);
    ++parts;
  }
  EXPECT_EQ(place.next, kEventsKept + 1);
  EXPECT_GE(parts, 1U);
}

}  // namespace
}  // namespace riftbus::node
