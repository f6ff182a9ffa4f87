#include "bus/bus.h"

#include "test/bus/bus_world.h"

namespace riftbus::bus {
namespace {

TEST(Bus, ACallOverCurveIsReceivedAndAnswered) {
  World world;
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  EXPECT_EQ(a.bus->send(b.id, Correlation(7), wire::Ping{}), SendOutcome::queued);
  ASSERT_TRUE(world.until([&] { return b.received(wire::Kind::ping) != nullptr; }));
  EXPECT_EQ(b.received(wire::Kind::ping)->origin, a.id);
  EXPECT_EQ(
      b.bus->reply(b.asker(wire::Kind::ping), Correlation(7), wire::Pong{Incarnation(3), 0, 9}),
      SendOutcome::sent);
  ASSERT_TRUE(world.until([&] { return a.received(wire::Kind::pong) != nullptr; }));
  EXPECT_EQ(a.received(wire::Kind::pong)->correlation, Correlation(7));
  EXPECT_EQ(a.received(wire::Kind::pong)->origin, b.id);
}

TEST(Bus, APublicationReachesItsSubscriberAfterLinkUp) {
  World world;
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  b.bus->subscribe(a.id);
  ASSERT_TRUE(world.until([&] { return !b.all<LinkUp>().empty(); }));
  ASSERT_TRUE(world.until([&] {
    a.bus->publish(wire::Beat{Incarnation(1), 5, 0, 1000, 77, RosterVersion(1)});
    return b.received(wire::Kind::beat) != nullptr;
  }));
  EXPECT_EQ(b.received(wire::Kind::beat)->origin, a.id);
  EXPECT_GT(b.bus->traffic().of(wire::Direction::in, wire::Kind::beat).messages, 0u);
}

}  // namespace
}  // namespace riftbus::bus
