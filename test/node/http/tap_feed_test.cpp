#include "node/http/tap_feed.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

wire::TapData part_of(std::size_t frames, std::uint64_t dropped) {
  wire::TapData part;
  for (std::size_t i = 0; i < frames; ++i) {
    wire::TapFrame frame;
    frame.kind = "gossip";
    frame.origin = id("n2");
    frame.seq = i;
    part.frames.push_back(frame);
  }
  part.matched = frames + dropped;
  part.dropped = dropped;
  return part;
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

TEST(TapFeed, SaysEachMessageOnceInTheWordsOfARecord) {
  TapFeed feed(id("n1"));
  feed.take(part_of(2, 0));
  const std::string text = feed.read();
  EXPECT_EQ(count(text, "data: {\"schema\":1,\"type\":\"frame\",\"node\":\"n1\""), 2U);
  EXPECT_EQ(count(text, "\n\n"), 2U);
  EXPECT_EQ(count(text, "event:"), 0U);
  EXPECT_EQ(feed.read(), "");
}

TEST(TapFeed, TellsHowManyWereDroppedSinceItLastDid) {
  TapFeed feed(id("n1"));
  feed.take(part_of(1, 3));
  feed.take(part_of(1, 3));
  feed.take(part_of(1, 10));
  const std::string text = feed.read();
  EXPECT_EQ(count(text, "event: dropped\n"), 2U);
  EXPECT_EQ(count(text, "{\"dropped\":3,\"dropped_in_all\":3"), 1U);
  EXPECT_EQ(count(text, "{\"dropped\":7,\"dropped_in_all\":10"), 1U);
}

TEST(TapFeed, ATapThatWasBegunAnewCountsItsOwnDrops) {
  TapFeed feed(id("n1"));
  feed.take(part_of(0, 10));
  static_cast<void>(feed.read());
  feed.take(part_of(0, 4));
  EXPECT_EQ(count(feed.read(), "{\"dropped\":4,"), 1U);
}

TEST(TapFeed, ATroubleIsToldOnceUntilItIsOver) {
  TapFeed feed(id("n1"));
  const Error trouble{1552, "enough taps already: 8", "", ""};
  feed.take(trouble);
  feed.take(trouble);
  EXPECT_EQ(count(feed.read(), "event: trouble\n"), 1U);
  feed.take(part_of(0, 0));
  feed.take(trouble);
  EXPECT_EQ(count(feed.read(), "event: trouble\n"), 1U);
}

TEST(TapReader, ItsEndIsSaidWithItsNumber) {
  std::uint64_t ended = 0;
  {
    const TapReader reader(7, {}, id("n1"), [&](std::uint64_t number) { ended = number; });
  }
  EXPECT_EQ(ended, 7U);
}

}  // namespace
}  // namespace riftbus::node
