// What a peer with a valid key may do wrong, and what it costs: its own messages, nothing else.
#include <gtest/gtest.h>

#include "bus/bus.h"
#include "config/random.h"
#include "test/bus/bus_world.h"
#include "test/bus/raw_peer.h"

namespace riftbus::bus {
namespace {

class BusInput : public testing::Test {
 protected:
  // Calls from an honest peer still arrive.
  void expect_well() {
    const std::size_t before = node.count(wire::Kind::ping);
    honest.bus->send(node.id, Correlation(9), wire::Ping{});
    EXPECT_TRUE(world.until([&] { return node.count(wire::Kind::ping) > before; }));
  }
  const Counters& counters() { return node.bus->counters(); }

  World world;
  Peer& node = world.add("node");
  Peer& honest = world.add("honest");
};

TEST_F(BusInput, AValidKeyThatClaimsAnothersIdIsDroppedAndCounted) {
  RawPeer raw(world, "mallory", node);
  raw.hello();
  raw.send(raw.encode(2, wire::Ping{}, "honest"));
  raw.send(raw.encode(3, wire::AskHeard{id_of("x"), {}}));
  ASSERT_TRUE(world.until([&] { return node.received(wire::Kind::ask_heard) != nullptr; }));
  EXPECT_EQ(counters().impersonation, 1u);
  EXPECT_EQ(node.count(wire::Kind::ping), 0u);
  expect_well();
}

TEST_F(BusInput, ARepeatedCallIsHandledOnce) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  const std::string bytes = raw.encode(2, wire::Ping{});
  for (int i = 0; i < 3; ++i) raw.send(bytes);
  ASSERT_TRUE(world.until([&] { return counters().duplicates == 2; }));
  EXPECT_EQ(node.count(wire::Kind::ping), 1u);
}

TEST_F(BusInput, ACallBeforeHelloIsDropped) {
  RawPeer raw(world, "raw", node);
  raw.send(raw.encode(1, wire::Ping{}));
  ASSERT_TRUE(world.until([&] { return counters().before_hello == 1; }));
  EXPECT_EQ(node.count(wire::Kind::ping), 0u);
  raw.hello(2);
  raw.send(raw.encode(3, wire::Ping{}));
  EXPECT_TRUE(world.until([&] { return node.count(wire::Kind::ping) == 1; }));
}

TEST_F(BusInput, HelloIsAnsweredAndNotShownToTheOwner) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  std::optional<wire::Envelope> answer;
  ASSERT_TRUE(world.until([&] { return (answer = raw.receive()).has_value(); }));
  const auto& hello = std::get<wire::HelloAnswer>(answer->body);
  EXPECT_EQ(hello.cluster, "test");
  EXPECT_EQ(answer->correlation, Correlation(1));
  EXPECT_EQ(node.received(wire::Kind::hello), nullptr);
}

TEST_F(BusInput, HelloWithoutACommonVersionIsRefusedWithACode) {
  RawPeer raw(world, "raw", node);
  raw.send(raw.encode(1, wire::Hello{200, 201, "far ahead"}));
  std::optional<wire::Envelope> answer;
  ASSERT_TRUE(world.until([&] { return (answer = raw.receive()).has_value(); }));
  EXPECT_EQ(std::get<wire::Refusal>(answer->body).code, 1356);
  EXPECT_EQ(counters().version_mismatch, 1u);
}

TEST_F(BusInput, GarbageAndTruncatedFramesAreCountedByReason) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  Random random(7);
  const std::string good = raw.encode(2, wire::Query{"status", {{"a", "b"}}});
  std::uint64_t sent = 0;
  for (std::size_t size = 0; size < good.size(); ++size, ++sent) raw.send(good.substr(0, size));
  for (int i = 0; i < 200; ++i, ++sent) {
    std::string noise(1 + random.below(64), '\0');
    for (char& c : noise) c = static_cast<char>(random.below(256));
    noise[0] = static_cast<char>(noise[0] | 0x01);
    raw.send(noise);
  }
  ASSERT_TRUE(world.until([&] {
    std::uint64_t rejected = 0;
    for (const std::uint64_t count : counters().rejected) rejected += count;
    return rejected + counters().impersonation + counters().duplicates + counters().bad_frames >=
           sent;
  }));
  EXPECT_GT(counters().rejected[static_cast<std::size_t>(wire::Reject::truncated)], 0u);
  EXPECT_EQ(node.received(wire::Kind::query), nullptr);
  raw.send(good);
  EXPECT_TRUE(world.until([&] { return node.received(wire::Kind::query) != nullptr; }));
}

TEST_F(BusInput, DeepNestingIsRejectedCheaply) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  raw.send(std::string(900'000, '\x91'));
  ASSERT_TRUE(world.until(
      [&] { return counters().rejected[static_cast<std::size_t>(wire::Reject::too_deep)] == 1; }));
  expect_well();
}

TEST_F(BusInput, AMessageOfSeveralFramesIsDroppedWhole) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  raw.send("", zmq::send_flags::sndmore);
  raw.send(raw.encode(2, wire::Ping{}));
  ASSERT_TRUE(world.until([&] { return counters().bad_frames == 1; }));
  raw.send(raw.encode(3, wire::Ping{}));
  ASSERT_TRUE(world.until([&] { return node.count(wire::Kind::ping) == 1; }));
  EXPECT_EQ(node.received(wire::Kind::ping)->seq, Seq(3));
}

TEST_F(BusInput, APublicationSentAsACallIsDropped) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  raw.send(raw.encode(2, wire::Beat{}));
  ASSERT_TRUE(world.until([&] { return counters().wrong_channel == 1; }));
  EXPECT_EQ(node.received(wire::Kind::beat), nullptr);
}

TEST_F(BusInput, AnOversizeMessageCostsTheSenderItsConnection) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  ASSERT_TRUE(world.until([&] { return node.bus->connections_from(raw.id()) == 1; }));
  raw.send(std::string(2u << 20u, 'x'));
  ASSERT_TRUE(world.until([&] { return node.bus->connections_from(raw.id()) == 0; }));
  expect_well();
}

TEST_F(BusInput, APeerThatChoosesItsRoutingIdIsNotHeard) {
  RawPeer raw(world, "raw", node, zmq::socket_type::dealer, "honest");
  raw.hello();
  raw.send(raw.encode(2, wire::Ping{}));
  ASSERT_TRUE(world.until([&] { return counters().foreign_routing == 2; }));
  EXPECT_EQ(node.count(wire::Kind::ping), 0u);
  expect_well();
}

// One byte of a Ping with correlation 2 is changed: the code of the refusal that comes back.
std::optional<std::uint16_t> refusal_of(World& world, Peer& node, std::size_t at, char byte) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  std::string bytes = raw.encode(2, wire::Ping{});
  bytes[at == 0 ? bytes.size() - 1 : at] = byte;
  raw.send(bytes);
  std::optional<std::uint16_t> code;
  (void)world.until([&] {
    const auto next = raw.receive();
    const auto* refusal = next ? std::get_if<wire::Refusal>(&next->body) : nullptr;
    if (refusal != nullptr && next->correlation == Correlation(2)) code = refusal->code;
    return code.has_value();
  });
  return code;
}

TEST_F(BusInput, ARequestThatCannotBeReadIsToldWhyIfItsHeaderCan) {
  EXPECT_EQ(refusal_of(world, node, 2, 99), 1301) << "the kind";
  EXPECT_EQ(refusal_of(world, node, 1, 99), 1302) << "the version";
  EXPECT_EQ(refusal_of(world, node, 0, 7), 1303) << "the body is a number";
  expect_well();
}

TEST_F(BusInput, AOneWayMessageThatCannotBeReadIsNotAnswered) {
  RawPeer raw(world, "raw", node);
  raw.hello();
  std::string bytes = wire::encode({raw.id(), Instance(1), Seq(2), Correlation(), wire::Ping{}});
  bytes[2] = 99;
  raw.send(bytes);
  raw.send(raw.encode(3, wire::Hello{}));
  std::size_t answers = 0;
  ASSERT_TRUE(world.until([&] {
    const auto next = raw.receive();
    if (!next) return false;
    EXPECT_TRUE(std::holds_alternative<wire::HelloAnswer>(next->body));
    return ++answers == 2;
  }));
}

TEST(BusFlood, AFloodingPeerIsLimitedAndToldAndTheOthersAreHeard) {
  World world;
  Limits limits;
  // In this world's roster everybody is a member.
  limits.member_messages_per_s = 50;
  limits.member_messages_burst = 100;
  Peer& node = world.add("node", limits);
  Peer& honest = world.add("honest");
  RawPeer raw(world, "flood", node);
  raw.hello();
  std::uint64_t seq = 1;
  bool told = false;
  // As much as fits: this thread also runs the node, and would wait for itself on a full pipe.
  const auto flood = [&](int messages) {
    while (messages-- > 0 && raw.send(raw.encode(++seq, wire::Ping{}), zmq::send_flags::dontwait)) {
    }
  };
  ASSERT_TRUE(world.until([&] {
    flood(500);
    while (const auto answer = raw.receive()) {
      const auto* refusal = std::get_if<wire::Refusal>(&answer->body);
      told = told || (refusal != nullptr && refusal->code == 1353);
    }
    return told && node.bus->counters().flooded > 1000;
  }));
  const std::size_t heard = node.count(wire::Kind::ping);
  EXPECT_LT(heard, 1000u);
  honest.bus->send(node.id, Correlation(9), wire::AskHeard{id_of("x"), {}});
  EXPECT_TRUE(world.until([&] {
    flood(100);
    return node.received(wire::Kind::ask_heard) != nullptr;
  }));
}

TEST(BusSlowPeer, APeerThatNeverReadsCostsNobodyTime) {
  World world;
  Peer& node = world.add("node");
  RawPeer subscriber(world, "sleepy", node, zmq::socket_type::sub);
  RawPeer asker(world, "deaf", node);
  asker.hello();
  asker.send(asker.encode(2, wire::Ping{}));
  ASSERT_TRUE(world.until([&] { return node.received(wire::Kind::ping) != nullptr; }));
  ASSERT_TRUE(world.until([&] { return node.bus->connections_from(subscriber.id()) == 1; }));
  const ReplyTo reply_to = node.asker(wire::Kind::ping);
  const wire::Answer answer{std::string(2000, 'x')};
  SendOutcome outcome = SendOutcome::sent;
  Nanos worst{};
  for (int i = 0; i < 200'000 && outcome == SendOutcome::sent; ++i) {
    const TimePoint before = boot_now();
    node.bus->publish(wire::Beat{});
    outcome = node.bus->reply(reply_to, Correlation(2), answer);
    worst = std::max(worst, boot_now() - before);
  }
  EXPECT_EQ(outcome, SendOutcome::slow_peer);
  EXPECT_GT(node.bus->counters().sent_slow_peer, 0u);
  EXPECT_LT(worst, Seconds(2));  // far below any time-out of the transport
}

}  // namespace
}  // namespace riftbus::bus
