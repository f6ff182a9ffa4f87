// One turn of the loop: wake-ups, bounds, the observer, and the bus without CURVE.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/bus.h"
#include "bus/descriptors.h"
#include "test/bus/bus_world.h"
#include "test/bus/raw_peer.h"

namespace riftbus::bus {
namespace {

TEST(BusTurn, ADescriptorAndASocketWakeIt) {
  World world;
  Peer& a = world.add("a");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  zmq::socket_t left(world.context(), zmq::socket_type::pair);
  zmq::socket_t right(world.context(), zmq::socket_type::pair);
  left.bind("inproc://wake");
  right.connect("inproc://wake");
  const WakeId by_pipe = a.bus->add_wakeup(ends[0]);
  const WakeId by_socket = a.bus->add_wakeup_socket(left.handle());
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  right.send(zmq::str_buffer("x"), zmq::send_flags::none);
  ASSERT_TRUE(world.until([&] {
    bool pipe = false;
    bool socket = false;
    for (const Woken* woken : a.all<Woken>()) {
      pipe = pipe || woken->id == by_pipe;
      socket = socket || woken->id == by_socket;
    }
    return pipe && socket;
  }));
  a.bus->remove_wakeup(by_pipe);
  a.bus->remove_wakeup(by_socket);
  a.events.clear();
  (void)a.bus->poll(boot_now(), a.events);
  EXPECT_TRUE(a.all<Woken>().empty());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(BusTurn, ItEndsAtItsDeadlineWhenNothingHappens) {
  World world;
  Peer& a = world.add("a");
  const TimePoint deadline = boot_now() + Millis(120);
  std::vector<Event> events;
  while (boot_now() < deadline) (void)a.bus->poll(deadline, events);
  EXPECT_TRUE(events.empty());
  EXPECT_LT(boot_now() - deadline, Seconds(2));
}

TEST(BusTurn, AFullInboxIsHandledInBoundedTurns) {
  World world;
  Limits limits;
  limits.turn_messages_max = 10;
  limits.socket_messages_max = 4;
  limits.origin_messages_burst = 100'000;
  Peer& node = world.add("node", limits);
  RawPeer raw(world, "raw", node);
  raw.hello();
  for (std::uint64_t seq = 2; seq < 202; ++seq) raw.send(raw.encode(seq, wire::Ping{}));
  bool capped = false;
  std::size_t most = 0;
  const TimePoint deadline = boot_now() + Seconds(8);
  while (node.count(wire::Kind::ping) < 200 && boot_now() < deadline) {
    std::vector<Event> turn;
    capped = node.bus->poll(boot_now() + Millis(10), turn) || capped;
    most = std::max(most, turn.size());
    node.events.insert(node.events.end(), turn.begin(), turn.end());
  }
  EXPECT_EQ(node.count(wire::Kind::ping), 200u);
  EXPECT_TRUE(capped);
  EXPECT_LE(most, 10u);
  EXPECT_GT(node.bus->counters().events_capped, 0u);
}

struct Recorder : FrameObserver {
  void on_frame(wire::Direction direction, wire::Channel channel, const NodeId& peer,
                const wire::Envelope& envelope, std::string_view bytes) override {
    std::string line = direction == wire::Direction::in ? "in " : "out ";
    line += channel == wire::Channel::pub ? "pub " : "call ";
    line += peer.empty() ? "-" : peer.value();
    line += std::string(" ") + wire::to_string(wire::kind_of(envelope.body));
    EXPECT_EQ(wire::encode(envelope), bytes) << line;
    lines.insert(line);
  }
  std::set<std::string> lines;
};

TEST(BusTurn, TheObserverSeesEachDirectionAndChannel) {
  World world;
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  Recorder recorder;
  a.bus->set_observer(&recorder);
  a.bus->subscribe(b.id);
  b.bus->send(a.id, Correlation(1), wire::Ping{});
  ASSERT_TRUE(world.until([&] { return a.received(wire::Kind::ping) != nullptr; }));
  a.bus->reply(a.asker(wire::Kind::ping), Correlation(1), wire::Pong{});
  a.bus->publish(wire::Beat{});
  ASSERT_TRUE(world.until([&] {
    b.bus->publish(wire::Gossip{});
    return a.received(wire::Kind::gossip) != nullptr;
  }));
  EXPECT_EQ(recorder.lines,
            (std::set<std::string>{"in call b hello", "out call b hello.answer", "in call b ping",
                                   "out call b pong", "out pub - beat", "in pub b gossip"}));
  a.bus->set_observer(nullptr);
}

TEST(BusTurn, WithoutCurveItWorksOnLoopbackAndNowhereElse) {
  World world(true);
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  a.bus->send(b.id, Correlation(1), wire::Ping{});
  ASSERT_TRUE(world.until([&] { return b.received(wire::Kind::ping) != nullptr; }));
  b.bus->subscribe(a.id);
  ASSERT_TRUE(world.until([&] {
    a.bus->publish(wire::Beat{});
    return b.received(wire::Kind::beat) != nullptr;
  }));
  Settings settings;
  settings.self = id_of("open");
  settings.host = "0.0.0.0";
  settings.insecure = true;
  Bus open(world.context(), nullptr, settings);
  const Status status = open.bind();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, 1352);
}

TEST(BusTurn, APortInUseIsAnErrorThatSaysSo) {
  World world;
  Peer& a = world.add("a");
  Settings settings;
  settings.self = id_of("late");
  settings.host = "127.0.0.1";
  settings.call_port = a.bus->call_port();
  const KeyPair keys = KeyPair::generate();
  Bus late(world.context(), &keys, settings);
  const Status status = late.bind();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, 1350);
}

TEST(BusTurn, WhenDescriptorsRunOutStrangersGoAndMembersStay) {
  World world;
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  b.bus->send(a.id, Correlation(1), wire::Ping{});
  ASSERT_TRUE(world.until([&] { return a.count(wire::Kind::ping) == 1; }));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(a.bus->call_port());
  const int stranger = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::connect(stranger, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = before.rlim_cur - descriptors_left() + kDescriptorsLow - 8;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const TimePoint start = boot_now();
  const bool cut = world.until([&] {
    char bytes[256];  // libzmq greets; then comes the end
    return ::recv(stranger, bytes, sizeof bytes, MSG_DONTWAIT) == 0;
  });
  const Nanos took = boot_now() - start;
  b.bus->send(a.id, Correlation(2), wire::Ping{});
  const bool heard = world.until([&] { return a.count(wire::Kind::ping) == 2; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ::close(stranger);
  EXPECT_TRUE(cut);
  EXPECT_LT(took, Limits{}.handshake);  // not merely libzmq's own time-out
  EXPECT_TRUE(heard);
  EXPECT_GT(a.bus->counters().descriptors_low, 0u);
  EXPECT_TRUE(b.all<Cut>().empty());
}

}  // namespace
}  // namespace riftbus::bus
