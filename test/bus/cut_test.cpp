#include "bus/cut.h"

#include <gtest/gtest.h>

#include "bus/clock.h"
#include "bus/zap.h"
#include "test/bus/gate.h"

namespace riftbus::bus {
namespace {

using test::id_of;
using test::property;
using test::receive;
using test::RosterMaker;
using test::send_text;
using test::Server;

constexpr Millis kCutWithin{8000};  // libzmq itself would need longer

class CuttingConnections : public testing::Test {
 protected:
  void SetUp() override {
    auto started = ZapHandler::start(context_, roster_.share());
    ASSERT_TRUE(started.ok()) << started.error().to_string();
    handler_ = std::move(started).value();
  }
  std::map<NodeId, std::size_t> cut_refused() {
    return book_.cut_refused(*handler_->access(), wall_now_ms() / 1000);
  }
  // The peer notices, in time, and is not let in again.
  void expect_shut_out(test::Peer& peer, TimePoint since) {
    EXPECT_EQ(peer.watch.await({ZMQ_EVENT_DISCONNECTED}), ZMQ_EVENT_DISCONNECTED);
    EXPECT_LT(to_ms(bus::boot_now() - since), kCutWithin.count());
    EXPECT_FALSE(peer.is_accepted());
  }

  zmq::context_t context_;
  KeyPair alice_ = KeyPair::generate();
  KeyPair bob_ = KeyPair::generate();
  RosterMaker roster_ = RosterMaker().list("alice", alice_.public_key).list("bob", bob_.public_key);
  std::unique_ptr<ZapHandler> handler_;
  ConnectionBook book_;
};

TEST_F(CuttingConnections, ARevokedCallerIsOutWithinASecondAndStaysOut) {
  Server server(context_, zmq::socket_type::router);
  test::Peer alice(context_, zmq::socket_type::dealer, server, alice_);
  test::Peer bob(context_, zmq::socket_type::dealer, server, bob_);
  ASSERT_TRUE(alice.is_accepted());
  ASSERT_TRUE(bob.is_accepted());
  for (auto* peer : {&alice, &bob}) {
    send_text(peer->socket, "hello");
    const auto frames = receive(server.socket);
    ASSERT_EQ(frames.size(), 2U);
    const Connection* connection = book_.note(frames[1]);
    ASSERT_NE(connection, nullptr);
    EXPECT_EQ(connection->user, id_of(peer == &alice ? "alice" : "bob"));
  }
  EXPECT_EQ(book_.count_open(id_of("alice")), 1U);

  const TimePoint revoked = boot_now();
  handler_->replace(RosterMaker(roster_).revoke("alice").share());
  const auto ended = cut_refused();
  EXPECT_EQ(ended, (std::map<NodeId, std::size_t>{{id_of("alice"), 1}}));
  expect_shut_out(alice, revoked);
  EXPECT_EQ(book_.count_open(id_of("alice")), 0U);

  send_text(bob.socket, "still here");
  EXPECT_EQ(receive(server.socket).size(), 2U);
}

TEST_F(CuttingConnections, ARevokedSubscriberIsOutWithinASecondAndStaysOut) {
  Server server(context_, zmq::socket_type::xpub);
  test::Peer alice(context_, zmq::socket_type::sub, server, alice_);
  const auto subscription = receive(server.socket);
  ASSERT_EQ(subscription.size(), 1U);
  ASSERT_NE(book_.note(subscription[0]), nullptr) << "a subscription does not say whose it is";
  send_text(server.socket, "news");
  ASSERT_EQ(receive(alice.socket).size(), 1U);
  ASSERT_TRUE(alice.is_accepted());

  const TimePoint revoked = boot_now();
  handler_->replace(RosterMaker(roster_).revoke("alice").share());
  EXPECT_EQ(cut_refused().size(), 1U);
  expect_shut_out(alice, revoked);
  const auto unsubscription = receive(server.socket);  // libzmq's own, when the pipe is gone
  ASSERT_EQ(unsubscription.size(), 1U);
  EXPECT_EQ(unsubscription[0].to_string_view(), std::string_view("\0", 1));
}

TEST_F(CuttingConnections, AKeyThatExpiresEndsItsConnections) {
  const std::int64_t expiry_s = wall_now_ms() / 1000 + 1000;
  handler_->replace(RosterMaker(roster_).list("alice", alice_.public_key, expiry_s).share());
  Server server(context_, zmq::socket_type::router);
  test::Peer alice(context_, zmq::socket_type::dealer, server, alice_);
  send_text(alice.socket, "hello");
  const auto frames = receive(server.socket);
  ASSERT_EQ(frames.size(), 2U);
  ASSERT_NE(book_.note(frames[1]), nullptr);
  EXPECT_TRUE(book_.cut_refused(*handler_->access(), expiry_s - 1).empty());
  EXPECT_EQ(book_.cut_refused(*handler_->access(), expiry_s).size(), 1U);
  EXPECT_EQ(alice.watch.await({ZMQ_EVENT_DISCONNECTED}), ZMQ_EVENT_DISCONNECTED);
}

TEST_F(CuttingConnections, AMessageThatWaitedInTheQueueDoesNotReopenItsConnection) {
  Server server(context_, zmq::socket_type::router);
  test::Peer alice(context_, zmq::socket_type::dealer, server, alice_);
  send_text(alice.socket, "one");
  send_text(alice.socket, "two");
  const auto first = receive(server.socket);
  const auto second = receive(server.socket);
  ASSERT_EQ(second.size(), 2U);
  const Connection* connection = book_.note(first[1]);
  ASSERT_NE(connection, nullptr);
  const LinkNumber link = connection->link;
  EXPECT_TRUE(book_.cut(link));
  const Connection* late = book_.note(second[1]);
  ASSERT_NE(late, nullptr) << "the late message must still say whose it is";
  EXPECT_EQ(late->user, id_of("alice"));
  EXPECT_EQ(book_.count_open(id_of("alice")), 0U);
  EXPECT_FALSE(book_.cut(link));
}

// alice's connection ends and bob's gets its descriptor: nothing that alice left may hurt bob.
class ReusedDescriptor : public CuttingConnections {
 protected:
  void SetUp() override {
    CuttingConnections::SetUp();
    server_ = std::make_unique<Server>(context_, zmq::socket_type::router);
    // The kernel hands out the lowest free number, and everything here takes some: try until it is
    // bob's turn for alice's.
    for (int attempt = 0; attempt < 200; ++attempt) {
      bob_peer_.reset();
      {
        test::Peer alice(context_, zmq::socket_type::dealer, *server_, alice_);
        send_text(alice.socket, "from alice");
        from_alice_ = receive(server_->socket);
        ASSERT_EQ(from_alice_.size(), 2U);
        early_book_ = ConnectionBook();
        ASSERT_NE(early_book_.note(from_alice_[1]), nullptr);
      }
      ASSERT_NE(server_->watch.await({ZMQ_EVENT_DISCONNECTED}), 0);
      bob_peer_ = std::make_unique<test::Peer>(context_, zmq::socket_type::dealer, *server_, bob_);
      send_text(bob_peer_->socket, "from bob");
      from_bob_ = receive(server_->socket);
      ASSERT_EQ(from_bob_.size(), 2U);
      if (descriptor_of(from_alice_[1]) == descriptor_of(from_bob_[1])) return;
    }
    FAIL() << "the descriptor was not reused";
  }
  static int descriptor_of(const zmq::message_t& frame) {
    return zmq_msg_get(frame.handle(), ZMQ_SRCFD);
  }
  void expect_bob_unharmed() {
    send_text(bob_peer_->socket, "still here");
    const auto frames = receive(server_->socket);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(property(frames[1], kLinkProperty), property(from_bob_[1], kLinkProperty));
  }

  std::unique_ptr<Server> server_;
  std::unique_ptr<test::Peer> bob_peer_;
  ConnectionBook early_book_;  // has seen alice's connection while it lived, and nothing since
  std::vector<zmq::message_t> from_alice_;
  std::vector<zmq::message_t> from_bob_;
};

TEST_F(ReusedDescriptor, IsRecognisedWhenTheOldOwnersMessageComesLate) {
  ASSERT_NE(book_.note(from_bob_[1]), nullptr);
  ASSERT_NE(book_.note(from_alice_[1]), nullptr);
  handler_->replace(RosterMaker(roster_).revoke("alice").share());
  EXPECT_TRUE(cut_refused().empty());
  EXPECT_EQ(book_.count_open(id_of("bob")), 1U);
  expect_bob_unharmed();
}

TEST_F(ReusedDescriptor, IsRecognisedByThePeersAddressWhileTheNewOwnerIsUnknown) {
  ASSERT_EQ(early_book_.size(), 1U);
  EXPECT_EQ(early_book_.count_open(id_of("alice")), 0U);
  EXPECT_TRUE(early_book_.cut_if([](const Connection&) { return true; }).empty());
  expect_bob_unharmed();
}

TEST_F(ReusedDescriptor, PassesToTheNewOwnerOnRecord) {
  ASSERT_NE(book_.note(from_alice_[1]), nullptr);
  ASSERT_NE(book_.note(from_bob_[1]), nullptr);
  EXPECT_EQ(book_.count_open(id_of("alice")), 0U);
  handler_->replace(RosterMaker(roster_).revoke("bob").share());
  EXPECT_EQ(cut_refused(), (std::map<NodeId, std::size_t>{{id_of("bob"), 1}}));
}

TEST(ConnectionBook, KnowsNothingOfConnectionsThatNobodyVouchedFor) {
  zmq::context_t context;
  zmq::socket_t server(context, zmq::socket_type::pull);
  server.bind("tcp://127.0.0.1:*");
  zmq::socket_t client(context, zmq::socket_type::push);
  client.set(zmq::sockopt::linger, 0);
  client.connect(server.get(zmq::sockopt::last_endpoint));
  send_text(client, "hello");
  const auto frames = receive(server);
  ASSERT_EQ(frames.size(), 1U);
  ConnectionBook book;
  EXPECT_EQ(book.note(frames[0]), nullptr);
  EXPECT_EQ(book.note(zmq::message_t()), nullptr);
  EXPECT_EQ(book.size(), 0U);
}

}  // namespace
}  // namespace riftbus::bus
