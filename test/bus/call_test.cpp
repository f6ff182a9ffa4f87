#include "bus/call.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "test/bus/bus_world.h"

namespace riftbus::bus {
namespace {

// A node that answers on a thread of its own: Client blocks.
class ClientTest : public testing::Test {
 protected:
  void SetUp() override { world.list(id_of("admin"), keys.public_key); }
  void TearDown() override { stop(); }
  void serve() {
    thread = std::thread([this] {
      while (!stopping) {
        (void)node.bus->poll(boot_now() + Millis(20), node.events);
        for (const Event& event : std::exchange(node.events, {})) answer(event);
      }
    });
  }
  void answer(const Event& event) {
    const auto* received = std::get_if<Received>(&event);
    if (received == nullptr) return;
    const wire::Envelope& asked = received->envelope;
    if (std::holds_alternative<wire::Ping>(asked.body)) {
      node.bus->reply(received->reply_to, asked.correlation, wire::Pong{Incarnation(5), 0, 0});
    } else if (std::holds_alternative<wire::RosterPut>(asked.body)) {
      node.bus->reply(received->reply_to, asked.correlation,
                      wire::Refusal{1304, "no role for this message", "ask an admin"});
    } else if (std::holds_alternative<wire::TapStart>(asked.body)) {
      for (std::uint64_t i = 1; i <= 3; ++i) {
        node.bus->reply(received->reply_to, asked.correlation, wire::TapData{{}, i, 0});
      }
    } else if (std::holds_alternative<wire::Resync>(asked.body)) {
      stopping = true;  // asked to die
    }
  }
  void stop() {
    stopping = true;
    if (thread.joinable()) thread.join();
  }
  Result<Greeting> connect(Client& client, Millis timeout = Millis(5000)) {
    return client.connect(node.id, node.keys.public_key, "127.0.0.1", node.bus->call_port(),
                          timeout);
  }

  World world;
  Peer& node = world.add("node");
  KeyPair keys = KeyPair::generate();
  std::atomic<bool> stopping{false};
  std::thread thread;
};

TEST_F(ClientTest, GreetsAndAsks) {
  serve();
  Client client(world.context(), &keys, id_of("admin"));
  const auto greeting = connect(client);
  ASSERT_TRUE(greeting.ok()) << greeting.error().to_string();
  EXPECT_EQ(greeting->cluster, "test");
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.call(node.id, wire::Ping{}, Millis(5000));
    ASSERT_TRUE(answer.ok()) << answer.error().to_string();
    EXPECT_EQ(std::get<wire::Pong>(*answer).incarnation, Incarnation(5));
  }
}

TEST_F(ClientTest, ARefusalBecomesAnErrorWithTheNodesCodeAndAdvice) {
  serve();
  Client client(world.context(), &keys, id_of("admin"));
  ASSERT_TRUE(connect(client).ok());
  const auto answer = client.call(node.id, wire::RosterPut{"x"}, Millis(5000));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, 1304);
  EXPECT_EQ(answer.error().next, "ask an admin");
  EXPECT_EQ(answer.error().where, "node");
}

TEST_F(ClientTest, AStreamArrivesThroughReceive) {
  serve();
  Client client(world.context(), &keys, id_of("admin"));
  ASSERT_TRUE(connect(client).ok());
  ASSERT_TRUE(client.send(node.id, Correlation(500), wire::TapStart{1000, false, ""}).ok());
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const auto next = client.receive(Millis(5000));
    ASSERT_TRUE(next.ok() && next->has_value());
    EXPECT_EQ(std::get<wire::TapData>((*next)->envelope.body).matched, i);
  }
  const auto none = client.receive(Millis(1));
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
}

TEST_F(ClientTest, ANodeThatDoesNotAnswerInTimeIsAnErrorWithACode) {
  serve();
  Client client(world.context(), &keys, id_of("admin"));
  ASSERT_TRUE(connect(client).ok());
  const auto answer = client.call(node.id, wire::RosterGet{}, Millis(100));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, 1365);
}

TEST_F(ClientTest, ANodeThatGoesAwayIsToldAtOnce) {
  serve();
  Client client(world.context(), &keys, id_of("admin"));
  ASSERT_TRUE(connect(client).ok());
  ASSERT_TRUE(client.send(node.id, Correlation{}, wire::Resync{}).ok());
  thread.join();
  node.bus.reset();
  const auto next = client.receive(Millis(5000));
  ASSERT_FALSE(next.ok());
  EXPECT_EQ(next.error().code, 1364);
  EXPECT_TRUE(client.connected().empty());
}

TEST_F(ClientTest, NobodyListeningIsToldFromAWrongKey) {
  serve();
  Client client(world.context(), &keys, id_of("admin"));
  const auto wrong = client.connect(node.id, KeyPair::generate().public_key, "127.0.0.1",
                                    node.bus->call_port(), Millis(3000));
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, 1362);
  const std::uint16_t port = node.bus->call_port();
  stop();
  node.bus.reset();
  // libzmq closes the listener in its own time.
  std::uint16_t code = 0;
  const TimePoint deadline = boot_now() + Seconds(8);
  while (code != 1360 && boot_now() < deadline) {
    const auto nobody =
        client.connect(node.id, node.keys.public_key, "127.0.0.1", port, Millis(3000));
    ASSERT_FALSE(nobody.ok());
    code = nobody.error().code;
  }
  EXPECT_EQ(code, 1360);
}

TEST_F(ClientTest, AKeyThatIsNotOnTheRosterIsToldSo) {
  serve();
  const KeyPair stranger = KeyPair::generate();
  Client client(world.context(), &stranger, id_of("admin"));
  const auto refused = connect(client);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, 1363) << refused.error().to_string();
}

TEST_F(ClientTest, AProgramThatAcceptsButNeverSpeaksIsToldFromSilence) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), bytes), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
  ASSERT_EQ(::listen(fd, 4), 0);
  Client client(world.context(), &keys, id_of("admin"));
  const auto mute = client.connect(node.id, node.keys.public_key, "127.0.0.1",
                                   ntohs(address.sin_port), Millis(2000));
  ASSERT_FALSE(mute.ok());
  EXPECT_EQ(mute.error().code, 1362);
  EXPECT_NE(mute.error().what.find("does not speak"), std::string::npos);
  ::close(fd);
}

}  // namespace
}  // namespace riftbus::bus
