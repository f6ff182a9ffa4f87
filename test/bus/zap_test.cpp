#include "bus/zap.h"

#include <gtest/gtest.h>

#include "bus/clock.h"
#include "bus/zap_request.h"
#include "bus/zap_self_test.h"
#include "test/bus/gate.h"

namespace riftbus::bus {
namespace {

using test::id_of;
using test::property;
using test::receive;
using test::RosterMaker;
using test::send_text;
using test::Server;

std::uint64_t refused(const ZapHandler& handler, Refusal refusal) {
  return handler.counters().refused[static_cast<std::size_t>(refusal)];
}

// alice is listed; bob has expired; carol is revoked; mallory was never heard of.
class Gatekeeper : public testing::Test {
 protected:
  void SetUp() override {
    auto started = ZapHandler::start(context_, roster_.share());
    ASSERT_TRUE(started.ok()) << started.error().to_string();
    handler_ = std::move(started).value();
  }

  zmq::context_t context_;
  KeyPair alice_ = KeyPair::generate();
  KeyPair bob_ = KeyPair::generate();
  KeyPair carol_ = KeyPair::generate();
  KeyPair mallory_ = KeyPair::generate();
  RosterMaker roster_ = RosterMaker()
                            .list("alice", alice_.public_key)
                            .list("bob", bob_.public_key, wall_now_ms() / 1000 - 1)
                            .list("carol", carol_.public_key)
                            .revoke("carol");
  std::unique_ptr<ZapHandler> handler_;
};

TEST_F(Gatekeeper, AcceptsAListedKeyAndNamesItOnEveryMessage) {
  Server server(context_, zmq::socket_type::router);
  test::Peer alice(context_, zmq::socket_type::dealer, server, alice_);
  for (const auto* text : {"one", "two"}) {
    send_text(alice.socket, text);
    const auto frames = receive(server.socket);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[1].to_string_view(), text);
    EXPECT_EQ(property(frames[1], "User-Id"), "alice");
    EXPECT_EQ(property(frames[1], kKeyProperty), alice_.public_key.z85());
    EXPECT_EQ(property(frames[1], kLinkProperty), "1");
  }
  EXPECT_EQ(handler_->counters().accepted, 1U);
  EXPECT_EQ(handler_->counters().refused_total(), 0U);
}

TEST_F(Gatekeeper, RefusesAnUnknownKeyAndReportsIt) {
  Server server(context_, zmq::socket_type::router);
  test::Peer mallory(context_, zmq::socket_type::dealer, server, mallory_);
  EXPECT_FALSE(mallory.is_accepted());
  EXPECT_EQ(refused(*handler_, Refusal::unknown), 1U);
  const auto report = handler_->take_refusals();
  ASSERT_EQ(report.kinds.size(), 1U);
  EXPECT_EQ(report.kinds[0].key_z85, mallory_.public_key.z85());
  EXPECT_EQ(report.kinds[0].address, "127.0.0.1");
  EXPECT_EQ(report.kinds[0].refusal, Refusal::unknown);
  EXPECT_TRUE(report.kinds[0].owner.empty());
}

TEST_F(Gatekeeper, TellsExpiredAndRevokedKeysFromUnknownOnes) {
  Server server(context_, zmq::socket_type::router);
  test::Peer bob(context_, zmq::socket_type::dealer, server, bob_);
  EXPECT_FALSE(bob.is_accepted());
  test::Peer carol(context_, zmq::socket_type::dealer, server, carol_);
  EXPECT_FALSE(carol.is_accepted());
  EXPECT_GE(refused(*handler_, Refusal::expired), 1U);
  EXPECT_GE(refused(*handler_, Refusal::revoked), 1U);
  EXPECT_EQ(refused(*handler_, Refusal::unknown), 0U);
  const auto report = handler_->take_refusals();
  ASSERT_EQ(report.kinds.size(), 2U);
  EXPECT_EQ(report.kinds[0].owner, id_of("bob"));
  EXPECT_EQ(report.kinds[1].owner, id_of("carol"));
}

TEST_F(Gatekeeper, ObeysANewRosterFromTheNextHandshakeOn) {
  Server server(context_, zmq::socket_type::router);
  handler_->replace(RosterMaker(roster_).list("mallory", mallory_.public_key).share());
  test::Peer mallory(context_, zmq::socket_type::dealer, server, mallory_);
  EXPECT_TRUE(mallory.is_accepted());
  handler_->replace(RosterMaker(roster_).revoke("alice").share());
  test::Peer alice(context_, zmq::socket_type::dealer, server, alice_);
  EXPECT_FALSE(alice.is_accepted());
}

TEST_F(Gatekeeper, AcceptsBothKeysDuringARotation) {
  const KeyPair next = KeyPair::generate();
  handler_->replace(RosterMaker(roster_).rotate("alice", next.public_key).share());
  Server server(context_, zmq::socket_type::router);
  for (const KeyPair* keys : {&std::as_const(alice_), &next}) {
    test::Peer peer(context_, zmq::socket_type::dealer, server, *keys);
    send_text(peer.socket, "hello");
    const auto frames = receive(server.socket);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(property(frames[1], "User-Id"), "alice");
    EXPECT_EQ(property(frames[1], kKeyProperty), keys->public_key.z85());
  }
}

TEST_F(Gatekeeper, SurvivesRequestsThatBreakTheProtocol) {
  const std::string key(32, 'k');
  const std::vector<std::vector<std::string>> requests{
      {"x"},
      {""},
      {"", ""},
      {"", "2.0", "1", "riftbus", "127.0.0.1", "", "CURVE", key},
      {"", "1.0", std::string(300, '1'), "riftbus", "127.0.0.1", "", "CURVE", key},
      {"", "1.0"},
      std::vector<std::string>(100, ""),
      std::vector<std::string>(100, std::string(10'000, 'x')),
      // From here on answerable, and answered with a refusal.
      {"", "1.0", "1"},
      {"", "1.0", "1", "riftbus", "127.0.0.1", "", "CURVE"},
      {"", "1.0", "1", "riftbus", "127.0.0.1", "", "CURVE", "short"},
      {"", "1.0", "1", "riftbus", "127.0.0.1", "", "CURVE", key, "more"},
      {"", "1.0", "1", "elsewhere", "127.0.0.1", "", "CURVE", key},
      {"", "1.0", "1", "riftbus", "127.0.0.1", "", "PLAIN", "user", "password"},
      {"", "1.0", "1", "riftbus", "127.0.0.1", "", "NULL"},
      {"", "1.0", "1", "riftbus", "\x1b[2J", "", "CURVE", std::string(33, '\0')}};
  zmq::socket_t asker(context_, zmq::socket_type::dealer);
  asker.set(zmq::sockopt::linger, 0);
  asker.connect(kZapEndpoint);
  for (const auto& request : requests) {
    for (std::size_t i = 0; i < request.size(); ++i) {
      asker.send(zmq::buffer(request[i]),
                 i + 1 < request.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
  for (int i = 0; i < 8; ++i) {
    const auto frames = receive(asker);
    ASSERT_EQ(frames.size(), 7U);
    EXPECT_EQ(frames[3].to_string_view(), "400");
  }
  EXPECT_EQ(refused(*handler_, Refusal::invalid), requests.size());
  for (const auto& kind : handler_->take_refusals().kinds) {
    EXPECT_EQ(kind.address.find('\x1b'), std::string::npos);
  }
  Server server(context_, zmq::socket_type::router);
  test::Peer alice(context_, zmq::socket_type::dealer, server, alice_);
  EXPECT_TRUE(alice.is_accepted());
}

TEST_F(Gatekeeper, BoundsItsReportHoweverManyKeysKnock) {
  zmq::socket_t asker(context_, zmq::socket_type::dealer);
  asker.set(zmq::sockopt::linger, 0);
  asker.connect(kZapEndpoint);
  constexpr std::size_t kKnocks = 100;
  for (std::size_t i = 0; i < kKnocks; ++i) {
    const std::string key(32, static_cast<char>('0' + i % 50));
    const std::vector<std::string> frames{"", "1.0", "1", "riftbus", "192.0.2.1", "", "CURVE", key};
    for (std::size_t j = 0; j < frames.size(); ++j) {
      asker.send(zmq::buffer(frames[j]),
                 j + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
    ASSERT_EQ(receive(asker).size(), 7U);
  }
  const auto report = handler_->take_refusals();
  EXPECT_EQ(report.kinds.size(), kRefusalKindsMax);
  std::uint64_t total = report.others;
  for (const auto& kind : report.kinds) total += kind.count;
  EXPECT_EQ(total, kKnocks);
  EXPECT_TRUE(handler_->take_refusals().kinds.empty());
}

TEST_F(Gatekeeper, IsTheOnlyOneInItsContext) {
  const auto second = ZapHandler::start(context_, roster_.share());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, 1130);
}

TEST_F(Gatekeeper, PassesTheSelfTestAndCountsItsStranger) {
  const auto status = self_test_zap(context_, &alice_);
  EXPECT_TRUE(status.ok()) << status.error().to_string();
  EXPECT_GE(refused(*handler_, Refusal::unknown), 1U);
  EXPECT_EQ(handler_->counters().accepted, 1U);
  EXPECT_TRUE(self_test_zap(context_, nullptr).ok());
}

TEST_F(Gatekeeper, FailsTheSelfTestOfANodeWhoseKeyIsRefused) {
  EXPECT_EQ(self_test_zap(context_, &carol_).error().code, 1132);
}

TEST(SelfTest, FailsWithoutAGatekeeper) {
  zmq::context_t context;
  EXPECT_EQ(self_test_zap(context, nullptr).error().code, 1131);
}

TEST(GatekeeperShutdown, EndsWhenItsContextIsShutDownFirst) {
  zmq::context_t context;
  auto handler = ZapHandler::start(context, RosterMaker().share());
  ASSERT_TRUE(handler.ok());
  context.shutdown();
  handler.value().reset();
}

TEST(AccessList, RefusesAKeyFromItsExpiryOn) {
  const CurveKey key = KeyPair::generate().public_key;
  const AccessList list(RosterMaker().list("bob", key, 1000).share());
  EXPECT_TRUE(list.decide(key, 999).allowed());
  EXPECT_EQ(list.decide(key, 999).entry->id, id_of("bob"));
  EXPECT_FALSE(list.decide(key, 1000).allowed());
  EXPECT_EQ(list.decide(key, 1000).refusal, Refusal::expired);
}

TEST(AccessList, OfAnEmptyRosterRefusesEverybody) {
  const AccessList list(RosterMaker().share());
  EXPECT_EQ(list.decide(KeyPair::generate().public_key, 0).refusal, Refusal::unknown);
}

}  // namespace
}  // namespace riftbus::bus
