#include "bus/tap/mirror.h"

#include <gtest/gtest.h>

#include "bus/wire/codec.h"
#include "test/bus/tap/frames.h"

namespace riftbus::tap {
namespace {

constexpr TapHandle kTap{1};
constexpr TimePoint kStart{Seconds(100)};

wire::TapStart request(const std::string& filter, std::uint32_t lease_ms = 10'000,
                       bool payloads = false) {
  return {lease_ms, payloads, filter};
}

// Offers what n1 sends and receives, as its bus would.
struct Node {
  Mirror mirror{id("n1")};

  void send(wire::Body body, std::string_view to = "n2") {
    const wire::Envelope envelope{id("n1"), Instance(1), Seq(++seq), Correlation(7),
                                  std::move(body)};
    mirror.offer(wire::Direction::out, wire::Channel::call, id(to), envelope,
                 wire::encode(envelope), kNoonMs);
  }
  std::uint64_t seq = 0;
};

TEST(Mirror, IsIdleUntilSomebodyTaps) {
  Node node;
  EXPECT_FALSE(node.mirror.active());
  node.send(wire::Ping{});
  ASSERT_TRUE(node.mirror.start(kTap, request(""), false, kStart).ok());
  EXPECT_TRUE(node.mirror.active());
  EXPECT_TRUE(node.mirror.ready().empty());
  EXPECT_EQ(node.mirror.drain(kTap, 1000).matched, 0U);
}

TEST(Mirror, ShowsWhatItsFilterKeepsInFewWords) {
  Node node;
  ASSERT_TRUE(node.mirror.start(kTap, request("kind=watch"), false, kStart).ok());
  node.send(wire::Ping{});
  node.send(wire::Watch{15000}, "n3");
  EXPECT_EQ(node.mirror.ready(), std::vector<TapHandle>{kTap});
  const auto data = node.mirror.drain(kTap, 1000);
  ASSERT_EQ(data.frames.size(), 1U);
  const auto& frame = data.frames[0];
  EXPECT_EQ(frame.kind, "watch");
  EXPECT_EQ(frame.peer, id("n3"));
  EXPECT_EQ(frame.origin, id("n1"));
  EXPECT_EQ(frame.summary, "lease_ms=15000");
  EXPECT_EQ(frame.seq, 2U);
  EXPECT_EQ(frame.correlation, 7U);
  EXPECT_EQ(frame.wall_ms, kNoonMs);
  EXPECT_TRUE(frame.payload.empty());
  EXPECT_EQ(data.matched, 1U);
  EXPECT_EQ(data.dropped, 0U);
  EXPECT_TRUE(node.mirror.ready().empty());
}

TEST(Mirror, FiltersOnTheSummaryToo) {
  Node node;
  ASSERT_TRUE(node.mirror.start(kTap, request("standing=dead and subject=n3"), false, kStart).ok());
  wire::Claim claim{id("n3"), {}, wire::Standing::suspect, {}, {}, {}};
  node.send(wire::Gossip{{claim}});
  claim.standing = wire::Standing::dead;
  node.send(wire::Gossip{{claim}});
  EXPECT_EQ(node.mirror.drain(kTap, 1000).matched, 1U);
}

TEST(Mirror, ASlowTapLosesMessagesAndIsToldHowMany) {
  MirrorLimits limits;
  limits.queue_frames_max = 10;
  Node node{Mirror(id("n1"), limits)};
  ASSERT_TRUE(node.mirror.start(kTap, request(""), false, kStart).ok());
  for (int i = 0; i < 25; ++i) node.send(wire::Ping{});
  const auto data = node.mirror.drain(kTap, 1 << 20);
  EXPECT_EQ(data.frames.size(), 10U);
  EXPECT_EQ(data.matched, 25U);
  EXPECT_EQ(data.dropped, 15U);
}

TEST(Mirror, BoundsWhatIsUnderWayToATapThatSaysNothingOfHavingReadIt) {
  MirrorLimits limits;
  limits.queue_frames_max = 100'000;
  Node node{Mirror(id("n1"), limits)};
  ASSERT_TRUE(node.mirror.start(kTap, request(""), false, kStart).ok());
  std::size_t sent = 0;
  const auto drain_all = [&] {
    while (!node.mirror.ready().empty()) {
      for (const auto& frame : node.mirror.drain(kTap, 64 * 1024).frames) sent += frame_cost(frame);
    }
  };
  for (int i = 0; i < 60'000; ++i) {
    node.send(wire::Ping{});
    if (i % 100 == 0) drain_all();
  }
  EXPECT_LE(sent, kTapWindowBytes + 1000);
  EXPECT_GE(sent, kTapWindowBytes - 1000);
  EXPECT_GT(node.mirror.dropped(), 10'000U) << "the rest of it, once the queue was full";
  const std::size_t before = sent;
  ASSERT_TRUE(node.mirror.start(kTap, request(""), false, kStart + Seconds(1)).ok());
  drain_all();
  EXPECT_LE(sent - before, kTapGrantBytes + 1000);
  EXPECT_GE(sent - before, kTapGrantBytes - 1000);
}

TEST(Mirror, BoundsTheBytesOfAQueueAndOfOneDrain) {
  MirrorLimits limits;
  limits.queue_bytes_max = 4000;
  Node node{Mirror(id("n1"), limits)};
  ASSERT_TRUE(node.mirror.start(kTap, request("", 10'000, true), true, kStart).ok());
  for (int i = 0; i < 10; ++i) node.send(wire::Answer{std::string(900, 'x')});
  EXPECT_EQ(node.mirror.drain(kTap, 2500).frames.size(), 2U);
  const auto rest = node.mirror.drain(kTap, 1 << 20);
  EXPECT_EQ(rest.frames.size() + 2 + rest.dropped, 10U);
  EXPECT_LE(rest.frames.size(), 2U);
  // One message always goes, however small the caller's limit.
  node.send(wire::Answer{std::string(900, 'x')});
  EXPECT_EQ(node.mirror.drain(kTap, 1).frames.size(), 1U);
}

TEST(Mirror, PayloadsNeedAGrantAndAreExactlyTheEnvelope) {
  Node node;
  EXPECT_EQ(node.mirror.start(kTap, request("", 10'000, true), false, kStart).error().code, 1551);
  EXPECT_FALSE(node.mirror.active());
  ASSERT_TRUE(node.mirror.start(kTap, request("", 10'000, true), true, kStart).ok());
  ASSERT_TRUE(node.mirror.start(TapHandle(2), request(""), true, kStart).ok());
  node.send(wire::Watch{5});
  const auto data = node.mirror.drain(kTap, 1000);
  ASSERT_EQ(data.frames.size(), 1U);
  const auto outcome = wire::decode(data.frames[0].payload);
  EXPECT_EQ(outcome.envelope.body, wire::Body(wire::Watch{5}));
  EXPECT_TRUE(node.mirror.drain(TapHandle(2), 1000).frames.at(0).payload.empty());
  node.send(wire::Answer{std::string(MirrorLimits{}.payload_bytes_max, 'x')});
  const auto large = node.mirror.drain(kTap, 1000);
  EXPECT_TRUE(large.frames.at(0).payload.empty());
  EXPECT_GT(large.frames.at(0).bytes, MirrorLimits{}.payload_bytes_max);
}

TEST(Mirror, NeverShowsTapDataWhichWouldFeedItself) {
  Node node;
  ASSERT_TRUE(node.mirror.start(kTap, request(""), false, kStart).ok());
  node.send(wire::TapData{});
  EXPECT_EQ(node.mirror.drain(kTap, 1000).matched, 0U);
}

TEST(Mirror, ALeaseThatIsNotRenewedEnds) {
  Node node;
  EXPECT_EQ(node.mirror.next_deadline(), TimePoint::max());
  ASSERT_TRUE(node.mirror.start(kTap, request(""), false, kStart).ok());
  ASSERT_TRUE(node.mirror.start(kTap, request("", 20'000), false, kStart + Seconds(5)).ok());
  EXPECT_EQ(node.mirror.next_deadline(), kStart + Seconds(25));
  node.mirror.expire(kStart + Seconds(24));
  EXPECT_TRUE(node.mirror.active());
  node.mirror.expire(kStart + Seconds(25));
  EXPECT_FALSE(node.mirror.active());
  ASSERT_TRUE(node.mirror.start(kTap, request("", 0xFFFFFFFF), false, kStart).ok());
  EXPECT_EQ(node.mirror.next_deadline(), kStart + MirrorLimits{}.lease_max);
}

TEST(Mirror, RenewingKeepsTheCountsAndChangesTheFilter) {
  Node node;
  ASSERT_TRUE(node.mirror.start(kTap, request("kind=ping"), false, kStart).ok());
  node.send(wire::Ping{});
  ASSERT_TRUE(node.mirror.start(kTap, request("kind=watch"), false, kStart).ok());
  node.send(wire::Ping{});
  node.send(wire::Watch{1});
  const auto data = node.mirror.drain(kTap, 1000);
  EXPECT_EQ(data.matched, 2U);
  EXPECT_EQ(data.frames.size(), 2U);
}

TEST(Mirror, ABadFilterLeavesARunningTapAsItWas) {
  Node node;
  ASSERT_TRUE(node.mirror.start(kTap, request("kind=ping"), false, kStart).ok());
  EXPECT_EQ(node.mirror.start(kTap, request("kind="), false, kStart).error().code, 1550);
  node.send(wire::Ping{});
  EXPECT_EQ(node.mirror.drain(kTap, 1000).matched, 1U);
}

TEST(Mirror, RefusesMoreTapsThanItsLimitAndForgetsThoseThatEnd) {
  Node node;
  const auto most = MirrorLimits{}.taps_max;
  for (std::uint64_t i = 0; i < most; ++i) {
    ASSERT_TRUE(node.mirror.start(TapHandle(i), request(""), false, kStart).ok());
  }
  EXPECT_EQ(node.mirror.start(TapHandle(99), request(""), false, kStart).error().code, 1552);
  node.mirror.stop(TapHandle(0));
  EXPECT_TRUE(node.mirror.start(TapHandle(99), request(""), false, kStart).ok());
  node.mirror.stop(TapHandle(99));
  EXPECT_EQ(node.mirror.taps(), most - 1);
  EXPECT_TRUE(node.mirror.drain(TapHandle(99), 1000).frames.empty());
}

TEST(Mirror, AnEndedTapGivesItsLastMessagesAndTakesNoMore) {
  Node node;
  ASSERT_TRUE(node.mirror.start(kTap, request(""), false, kStart).ok());
  node.send(wire::Ping{});
  ASSERT_TRUE(node.mirror.start(kTap, request("", 0), false, kStart + Seconds(1)).ok());
  node.send(wire::Ping{});
  const auto last = node.mirror.drain(kTap, 1000);
  EXPECT_EQ(last.frames.size(), 1U);
  EXPECT_EQ(last.matched, 1U);
  EXPECT_EQ(node.mirror.next_deadline(), kStart + Seconds(1));
  node.mirror.expire(kStart + Seconds(1));
  EXPECT_FALSE(node.mirror.active());
  // Ending what never began is no error and begins nothing.
  ASSERT_TRUE(node.mirror.start(kTap, request("", 0), false, kStart).ok());
  EXPECT_FALSE(node.mirror.active());
}

}  // namespace
}  // namespace riftbus::tap
