// Several envelopes in one frame: only to who takes them, and each judged as if it came alone.
#include <gtest/gtest.h>

#include "bus/bus.h"
#include "bus/wire/bundle.h"
#include "test/bus/bus_world.h"
#include "test/bus/raw_peer.h"

namespace riftbus::bus {
namespace {

constexpr std::size_t kMany = 20;

class BusBundle : public testing::Test {
 protected:
  // Every frame that has come, split: how many envelopes each held.
  std::vector<std::size_t> read_frames(RawPeer& raw) {
    std::vector<std::size_t> sizes;
    zmq::message_t frame;
    while (raw.socket().recv(frame, zmq::recv_flags::dontwait)) {
      std::vector<std::string_view> parts;
      EXPECT_TRUE(wire::split_frame(frame.to_string_view(), parts));
      for (const auto part : parts) EXPECT_TRUE(wire::decode(part).ok());
      sizes.push_back(parts.size());
    }
    return sizes;
  }
  // What comes back for many requests that the node answers within one turn.
  std::vector<std::size_t> ask_many(bool takes_bundles) {
    RawPeer raw(world, "raw", node);
    raw.send(raw.encode(1, wire::Hello{.software = "raw", .bundles = takes_bundles}));
    for (std::size_t i = 0; i < kMany; ++i) raw.send(raw.encode(2 + i, wire::WorkRequest{}));
    EXPECT_TRUE(world.until([&] { return node.count(wire::Kind::work_request) == kMany; }));
    const ReplyTo asker = node.asker(wire::Kind::work_request);
    for (std::size_t i = 0; i < kMany; ++i) {
      EXPECT_EQ(node.bus->reply(asker, Correlation(2 + i), wire::WorkReply{}), SendOutcome::sent);
    }
    std::vector<std::size_t> frames;
    EXPECT_TRUE(world.until([&] {
      for (const std::size_t size : read_frames(raw)) frames.push_back(size);
      std::size_t all = 0;
      for (const std::size_t size : frames) all += size;
      return all == kMany + 1;  // and the answer to hello
    }));
    return frames;
  }

  World world;
  Peer& node = world.add("node");
};

TEST_F(BusBundle, AnswersOfOneTurnShareAFrameForWhoTakesBundles) {
  EXPECT_EQ(ask_many(true), (std::vector<std::size_t>{1, kMany}));
  EXPECT_EQ(node.bus->counters().sent_bundled, kMany);
}

TEST_F(BusBundle, OthersGetEachInAFrameOfItsOwn) {
  EXPECT_EQ(ask_many(false), std::vector<std::size_t>(kMany + 1, 1));
  EXPECT_EQ(node.bus->counters().sent_bundled, 0u);
}

TEST_F(BusBundle, TwoBusesShareFramesInBothDirections) {
  Peer& other = world.add("other");
  other.bus->send(node.id, Correlation(1), wire::Ping{});
  ASSERT_TRUE(world.until([&] { return node.count(wire::Kind::ping) == 1; }));
  const auto call = [&](std::uint64_t first) {
    for (std::uint64_t i = 0; i < kMany; ++i) {
      other.bus->send(node.id, Correlation(first + i), wire::WorkRequest{});
    }
  };
  call(100);  // perhaps before hello is answered
  ASSERT_TRUE(world.until([&] { return node.count(wire::Kind::work_request) == kMany; }));
  call(200);
  ASSERT_TRUE(world.until([&] { return node.count(wire::Kind::work_request) == 2 * kMany; }));
  EXPECT_GE(other.bus->counters().sent_bundled, kMany);
  const ReplyTo asker = node.asker(wire::Kind::work_request);
  for (std::uint64_t i = 0; i < kMany; ++i) {
    node.bus->reply(asker, Correlation(200 + i), wire::WorkReply{});
  }
  ASSERT_TRUE(world.until([&] { return other.count(wire::Kind::work_reply) == kMany; }));
  EXPECT_EQ(node.bus->counters().sent_bundled, kMany);
  std::vector<std::uint64_t> answered;
  for (const Received* item : other.all<Received>()) {
    if (wire::kind_of(item->envelope.body) == wire::Kind::work_reply) {
      answered.push_back(item->envelope.correlation.value());
    }
  }
  for (std::uint64_t i = 0; i < kMany; ++i) EXPECT_EQ(answered[i], 200 + i) << "in their order";
}

TEST_F(BusBundle, MoreThanAFrameHoldsLeavesAtOnceAndNothingIsLost) {
  Peer& other = world.add("other");
  other.bus->send(node.id, Correlation(1), wire::WorkRequest{});
  ASSERT_TRUE(world.until([&] { return node.count(wire::Kind::work_request) == 1; }));
  node.bus->reply(node.asker(wire::Kind::work_request), Correlation(1), wire::WorkReply{});
  ASSERT_TRUE(world.until([&] { return other.count(wire::Kind::work_reply) == 1; }));
  const wire::WorkRequest large{wire::WorkAsk::command, std::string(40'000, 'x'), 0, NodeId()};
  for (std::uint64_t i = 0; i < kMany; ++i) {
    EXPECT_EQ(other.bus->send(node.id, Correlation(2 + i), large), SendOutcome::sent);
  }
  EXPECT_TRUE(world.until([&] { return node.count(wire::Kind::work_request) == 1 + kMany; }));
}

// libzmq hangs up on a longer frame, and all that was on the way is lost with the connection.
TEST_F(BusBundle, WhatSharesAFrameNeverMakesItLongerThanThePeerTakes) {
  Peer& other = world.add("other");
  const wire::WorkRequest small{wire::WorkAsk::command, std::string(30'000, 'x'), 0, NodeId()};
  const wire::WorkRequest longest{wire::WorkAsk::command, std::string(wire::kWorkBytesMax, 'x'), 0,
                                  NodeId()};
  other.bus->send(node.id, Correlation(1), wire::WorkRequest{});
  ASSERT_TRUE(world.until([&] { return node.count(wire::Kind::work_request) == 1; }));
  const ReplyTo asker = node.asker(wire::Kind::work_request);
  node.bus->reply(asker, Correlation(1), wire::WorkReply{});
  ASSERT_TRUE(world.until([&] { return other.count(wire::Kind::work_reply) == 1; }));
  EXPECT_EQ(other.bus->send(node.id, Correlation(2), small), SendOutcome::sent);
  EXPECT_EQ(other.bus->send(node.id, Correlation(3), longest), SendOutcome::sent);
  EXPECT_TRUE(world.until([&] { return node.count(wire::Kind::work_request) == 3; }));
  node.bus->reply(asker, Correlation(2), wire::WorkReply{wire::WorkOutcome::done, small.body, {}});
  node.bus->reply(asker, Correlation(3),
                  wire::WorkReply{wire::WorkOutcome::done, longest.body, {}});
  EXPECT_TRUE(world.until([&] { return other.count(wire::Kind::work_reply) == 3; }));
}

TEST_F(BusBundle, EachEnvelopeIsJudgedAsIfItCameAlone) {
  RawPeer raw(world, "raw", node);
  wire::Bundle bundle;
  bundle.add(raw.encode(1, wire::Hello{}));
  bundle.add(raw.encode(2, wire::Ping{}));
  bundle.add(raw.encode(2, wire::Ping{}));
  bundle.add(raw.encode(3, wire::Ping{}, "node"));
  bundle.add("garbage");
  bundle.add(raw.encode(4, wire::Ping{}));
  wire::Bundle inner;
  inner.add(raw.encode(5, wire::Ping{}));
  inner.add(raw.encode(6, wire::Ping{}));
  bundle.add(inner.frame());
  raw.send(std::string(bundle.frame()));
  ASSERT_TRUE(world.until([&] { return node.count(wire::Kind::ping) == 2; }));
  const Counters& counters = node.bus->counters();
  EXPECT_EQ(counters.duplicates, 1u);
  EXPECT_EQ(counters.impersonation, 1u);
  std::uint64_t rejected = 0;
  for (const std::uint64_t count : counters.rejected) rejected += count;
  EXPECT_EQ(rejected, 2u) << "garbage, and the bundle in the bundle";
}

TEST_F(BusBundle, AMalformedOneIsDroppedWholeAndCounted) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  wire::Bundle bundle;
  bundle.add(raw.encode(2, wire::Ping{}));
  bundle.add(raw.encode(3, wire::Ping{}));
  const std::string whole(bundle.frame());
  raw.send(whole.substr(0, whole.size() - 1));
  raw.send(raw.encode(4, wire::Ping{}));
  ASSERT_TRUE(world.until([&] { return node.count(wire::Kind::ping) == 1; }));
  EXPECT_EQ(node.bus->counters().bad_frames, 1u);
}

TEST_F(BusBundle, ARateBoundCountsWhatABundleHolds) {
  Limits limits;
  limits.member_messages_per_s = 10;
  limits.member_messages_burst = 10;
  Peer& strict = world.add("strict", limits);
  RawPeer raw(world, "raw", strict);
  wire::Bundle bundle;
  bundle.add(raw.encode(1, wire::Hello{}));
  for (std::uint64_t i = 0; i < 100; ++i) bundle.add(raw.encode(2 + i, wire::Ping{}));
  raw.send(std::string(bundle.frame()));
  ASSERT_TRUE(world.until([&] { return strict.bus->counters().flooded > 0; }));
  EXPECT_LT(strict.count(wire::Kind::ping), 20u);
}

}  // namespace
}  // namespace riftbus::bus
