// Outgoing connections: made, lost, refused, raced, moved and cut.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/bus.h"
#include "test/bus/bus_world.h"
#include "test/bus/raw_peer.h"

namespace riftbus::bus {
namespace {

// A TCP listener that never accepts. With `full`, its queue has no room either: connecting to it
// meets silence, as behind a firewall that drops.
class Listener {
 public:
  explicit Listener(bool full) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    port_ = ntohs(address.sin_port);
    EXPECT_EQ(::listen(fd_, full ? 0 : 64), 0);
    for (int i = 0; full && i < 4; ++i) {
      fillers_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(fillers_.back(), reinterpret_cast<sockaddr*>(&address), bytes);
    }
  }
  ~Listener() {
    for (const int fd : fillers_) ::close(fd);
    ::close(fd_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> fillers_;
};

class BusLink : public testing::Test {
 protected:
  [[nodiscard]] std::optional<LinkReport> report(const Peer& peer, const NodeId& to,
                                                 wire::Channel channel = wire::Channel::pub) {
    for (LinkReport& link : peer.bus->links()) {
      if (link.peer == to && link.channel == channel) return std::move(link);
    }
    return std::nullopt;
  }
  [[nodiscard]] bool hears(Peer& subscriber, Peer& publisher) {
    const std::size_t before = subscriber.count(wire::Kind::beat);
    return world.until([&] {
      publisher.bus->publish(wire::Beat{});
      return subscriber.count(wire::Kind::beat) > before;
    });
  }
  World world;
};

TEST_F(BusLink, TheEndOfAPeerIsSeenAsLinkDown) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  b.bus->subscribe(a.id);
  ASSERT_TRUE(world.until([&] { return b.all<LinkUp>().size() == 1; }));
  EXPECT_TRUE(b.all<LinkDown>().empty());
  a.bus.reset();
  ASSERT_TRUE(world.until([&] { return b.all<LinkDown>().size() == 1; }));
  EXPECT_EQ(b.all<LinkDown>().front()->peer, a.id);
}

TEST_F(BusLink, APeerThatNobodyServesGivesOneLinkDown) {
  Peer& b = world.add("b");
  const KeyPair keys = KeyPair::generate();
  world.list(id_of("ghost"), keys.public_key);
  b.bus->set_addresses(id_of("ghost"), {at(free_port(), free_port())});
  b.bus->subscribe(id_of("ghost"));
  ASSERT_TRUE(world.until([&] { return report(b, id_of("ghost"))->attempts >= 3; }));
  EXPECT_EQ(b.all<LinkDown>().size(), 1u);
  EXPECT_TRUE(b.all<LinkUp>().empty());
}

TEST_F(BusLink, ARestartedPeerIsFoundAgain) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  b.bus->subscribe(a.id);
  ASSERT_TRUE(world.until([&] { return b.all<LinkUp>().size() == 1; }));
  Settings settings;
  settings.self = a.id;
  settings.instance = Instance(77);
  settings.host = "127.0.0.1";
  settings.call_port = a.bus->call_port();
  settings.pub_port = a.bus->pub_port();
  a.bus.reset();
  ASSERT_TRUE(world.until([&] { return b.all<LinkDown>().size() == 1; }));
  std::unique_ptr<Bus> next;
  ASSERT_TRUE(world.until([&] {  // libzmq closes the former listener in its own time
    next = std::make_unique<Bus>(world.context(), &a.keys, settings);
    return next->bind().ok();
  }));
  a.bus = std::move(next);
  world.change([](Roster&) {});
  b.bus->nudge(a.id);
  ASSERT_TRUE(world.until([&] { return b.all<LinkUp>().size() == 2; }));
  EXPECT_TRUE(hears(b, a));
}

TEST_F(BusLink, APeerWithAnotherKeyThanListedIsNotLinked) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  world.list(a.id, KeyPair::generate().public_key);
  b.bus->subscribe(a.id);
  ASSERT_TRUE(world.until([&] { return !b.all<LinkDown>().empty(); }));
  EXPECT_TRUE(b.all<LinkUp>().empty());
  EXPECT_GT(b.bus->counters().handshakes_failed, 0u);
  EXPECT_NE(report(b, a.id)->trouble.find("key"), std::string::npos) << report(b, a.id)->trouble;
}

TEST_F(BusLink, ADeadAddressDoesNotKeepTheGoodOneFromBeingFound) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  const wire::Address good =
      at(a.bus->call_port(), a.bus->pub_port(), wire::AddressKind::tailscale);
  const Listener silent(true);
  b.bus->set_addresses(a.id,
                       {at(silent.port(), silent.port()), at(free_port(), free_port()), good});
  b.bus->subscribe(a.id);
  const TimePoint start = boot_now();
  ASSERT_TRUE(world.until([&] { return !b.all<LinkUp>().empty(); }));
  EXPECT_LT(boot_now() - start, Limits{}.attempt_max);  // raced, not one after the other
  EXPECT_EQ(report(b, a.id)->address, good);
  EXPECT_TRUE(hears(b, a));
}

TEST_F(BusLink, AnAddressWhereSomebodyElseAnswersCannotWin) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  Peer& other = world.add("other");
  const wire::Address good =
      at(a.bus->call_port(), a.bus->pub_port(), wire::AddressKind::tailscale);
  b.bus->set_addresses(a.id, {at(other.bus->call_port(), other.bus->pub_port()), good});
  b.bus->subscribe(a.id);
  ASSERT_TRUE(world.until([&] { return !b.all<LinkUp>().empty(); }));
  EXPECT_EQ(report(b, a.id)->address, good);
}

TEST_F(BusLink, AHostNameIsResolvedBesideTheLoop) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  wire::Address named = World::address_of(a);
  named.host = "localhost";
  b.bus->set_addresses(a.id, {named});
  b.bus->subscribe(a.id);
  EXPECT_TRUE(world.until([&] { return !b.all<LinkUp>().empty(); }));
}

TEST_F(BusLink, ASeedThatAcceptsAndNeverSpeaksIsGivenUp) {
  Limits limits;
  limits.attempt_max = Millis(300);
  Peer& b = world.add("b", limits);
  const Listener mute(false);
  const KeyPair keys = KeyPair::generate();
  world.list(id_of("mute"), keys.public_key);
  b.bus->set_addresses(id_of("mute"), {at(mute.port(), mute.port())});
  EXPECT_EQ(b.bus->send(id_of("mute"), Correlation(1), wire::Ping{}), SendOutcome::queued);
  const auto call = [&] { return report(b, id_of("mute"), wire::Channel::call); };
  const std::string mute_said = "it accepts TCP but does not speak";
  EXPECT_TRUE(world.until([&] { return call() && call()->trouble == mute_said; }));
}

// Half of a node's listeners hear it through its second relay: no relay's death silences it to all.
TEST_F(BusLink, ListenersOfNodesBehindRelaysAreSpreadOverTheRelays) {
  Peer& a = world.add("a");
  const wire::Address home{wire::AddressKind::relay, "192.0.2.1", 7723, 7723};
  const wire::Address warm{wire::AddressKind::relay, "192.0.2.2", 7723, 7723};
  int by_warm = 0;
  for (int i = 0; i < 60; ++i) {
    const NodeId peer = id_of("vast-" + std::to_string(i));
    a.bus->set_addresses(peer, {home, at(1, 2), warm});
    a.bus->subscribe(peer);
    const auto paths = report(a, peer)->paths;
    ASSERT_EQ(paths.size(), 3u);
    EXPECT_EQ(paths[0].address, at(1, 2)) << "a direct one is tried first";
    by_warm += paths[1].address == warm ? 1 : 0;
  }
  EXPECT_GT(by_warm, 15);
  EXPECT_LT(by_warm, 45);
}

TEST_F(BusLink, CallsWaitForAConnectionWithinBounds) {
  Limits limits;
  limits.call_queue_max = 3;
  limits.call_wait_max = Millis(200);
  Peer& b = world.add("b", limits);
  const NodeId ghost = id_of("ghost");
  EXPECT_EQ(b.bus->send(ghost, Correlation(1), wire::Ping{}), SendOutcome::unknown_peer);
  world.list(ghost, KeyPair::generate().public_key);
  b.bus->set_addresses(ghost, {at(free_port(), free_port())});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(b.bus->send(ghost, Correlation(1), wire::Ping{}), SendOutcome::queued);
  }
  EXPECT_EQ(b.bus->send(ghost, Correlation(1), wire::Ping{}), SendOutcome::queue_full);
  EXPECT_TRUE(world.until([&] { return b.bus->counters().sent_expired == 3; }));
}

TEST_F(BusLink, TheLeastRecentlyCalledPeerMakesRoom) {
  Limits limits;
  limits.call_peers_max = 2;
  Peer& a = world.add("a", limits);
  std::vector<Peer*> others{&world.add("p1"), &world.add("p2"), &world.add("p3")};
  for (Peer* other : others) {
    a.bus->send(other->id, Correlation(1), wire::Ping{});
    EXPECT_TRUE(world.until([&] { return other->received(wire::Kind::ping) != nullptr; }));
  }
  EXPECT_EQ(a.bus->counters().evictions, 1u);
  EXPECT_EQ(a.bus->links().size(), 2u);
  EXPECT_FALSE(report(a, id_of("p1"), wire::Channel::call).has_value());
}

TEST_F(BusLink, ADialTellsAcceptedFromRefusedFromSilent) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  const Listener silent(true);
  b.bus->set_addresses(id_of("refusing"), {at(free_port(), 1)});
  b.bus->set_addresses(id_of("silent"), {at(silent.port(), 1)});
  for (const char* name : {"a", "refusing", "silent", "unknown"}) b.bus->dial(id_of(name));
  ASSERT_TRUE(world.until([&] { return b.all<Dialled>().size() == 4; }));
  std::map<std::string, DialOutcome> outcomes;
  for (const Dialled* dial : b.all<Dialled>()) outcomes[dial->peer.value()] = dial->outcome;
  EXPECT_EQ(outcomes[a.id.value()], DialOutcome::accepted);
  EXPECT_EQ(outcomes["refusing"], DialOutcome::refused);
  EXPECT_EQ(outcomes["silent"], DialOutcome::silent);
  EXPECT_EQ(outcomes["unknown"], DialOutcome::silent);
}

TEST_F(BusLink, AnAddressThatBecomesKnownDuringARoundIsTriedAtOnce) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  const Listener silent(true);
  const auto good = at(a.bus->call_port(), a.bus->pub_port());
  b.bus->set_addresses(a.id, {at(silent.port(), silent.port())});
  b.bus->send(a.id, Correlation(1), wire::Ping{});
  ASSERT_TRUE(world.until([&] { return report(b, a.id, wire::Channel::call)->attempts == 1; }));
  const TimePoint told = boot_now();
  b.bus->set_addresses(a.id, {at(silent.port(), silent.port()), good});
  ASSERT_TRUE(world.until([&] { return a.received(wire::Kind::ping) != nullptr; }));
  EXPECT_LT(boot_now() - told, Limits{}.attempt_max / 2) << "the first one still hangs";
}

TEST_F(BusLink, ARevokedPeerIsCutBothWaysAtOnce) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  a.bus->subscribe(b.id);
  b.bus->subscribe(a.id);
  ASSERT_TRUE(hears(a, b));
  ASSERT_TRUE(hears(b, a));
  b.bus->send(a.id, Correlation(1), wire::Ping{});
  ASSERT_TRUE(world.until([&] { return a.received(wire::Kind::ping) != nullptr; }));
  b.bus->send(a.id, Correlation(2), wire::Ping{});  // still under way when the roster changes
  const std::size_t heard = a.all<Received>().size();
  const TimePoint start = boot_now();
  world.revoke(b.id);
  ASSERT_TRUE(world.until([&] {
    return !a.all<Cut>().empty() && a.bus->connections_from(b.id) == 0 &&
           !a.all<LinkDown>().empty() && b.all<LinkDown>().size() == 1;
  }));
  EXPECT_LT(boot_now() - start, Seconds(8)) << "before libzmq itself would notice";
  // It keeps trying, and nothing of it is heard any more.
  ASSERT_TRUE(world.until([&] { return b.bus->counters().attempts_failed >= 2; }));
  EXPECT_EQ(a.all<Received>().size(), heard);
  EXPECT_GT(b.bus->counters().handshakes_refused, 0u);
}

TEST_F(BusLink, AKeyRotationKeepsConnectionsOfTheKeyThatIsStillListed) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  b.bus->subscribe(a.id);
  ASSERT_TRUE(hears(b, a));
  const KeyPair next = KeyPair::generate();
  world.change([&](Roster& roster) {
    roster.entries[a.id].previous_key = a.keys.public_key;
    roster.entries[a.id].key = next.public_key;
  });
  ASSERT_TRUE(hears(b, a));
  EXPECT_TRUE(b.all<LinkDown>().empty());
  // A fresh connection finds out which of the two keys the peer uses.
  b.bus->unsubscribe(a.id);
  b.bus->subscribe(a.id);
  ASSERT_TRUE(world.until([&] { return b.all<LinkUp>().size() == 2; }));
  EXPECT_TRUE(hears(b, a));
}

}  // namespace
}  // namespace riftbus::bus
