#include "node/mesh/carrier.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "bus/ends.h"
#include "test/bus/bus_world.h"
#include "test/node/temp_folder.h"

namespace riftbus::node {
namespace {

// n4, which cannot dial the port of the relay r1, and both of their carriers.
class CarrierTest : public testing::Test {
 protected:
  CarrierTest() {
    Carrier::Setup at_home;
    at_home.sockets[r1_.id] = home_;
    n4_carrier_ = make(n4_, std::move(at_home));
    port_ = *bus::listen_end({"", 0, target_});
  }
  ~CarrierTest() override { ::close(port_); }

  static std::unique_ptr<Carrier> make(bus::Peer& peer, Carrier::Setup setup) {
    auto carrier = std::make_unique<Carrier>(std::move(setup), *peer.bus, [](const NodeId&) {});
    EXPECT_TRUE(carrier->listen().ok());
    return carrier;
  }
  void serve(bool is_relay = true, bool carries = true) {
    Carrier::Setup setup;
    setup.is_relay = is_relay;
    if (carries) setup.port = ForwardEnd{"", 0, target_};
    r1_carrier_ = make(r1_, std::move(setup));
  }

  void pass(bus::Peer& peer, Carrier* carrier) {
    if (carrier == nullptr) return;
    for (auto& event : std::exchange(peer.events, {})) {
      if (const auto* cut = std::get_if<bus::Cut>(&event)) carrier->drop(cut->id);
      auto* received = std::get_if<bus::Received>(&event);
      if (received == nullptr) continue;
      if (const auto* refusal = std::get_if<wire::Refusal>(&received->envelope.body)) {
        refusals_.push_back(refusal->code);
      }
      if (carrier->on_refusal(*received)) continue;
      if (wire::kind_of(received->envelope.body) == wire::Kind::carry) {
        carrier->on_carry(*received, is_member_);
      }
    }
    carrier->run();
    carrier->tick(bus::boot_now());
  }
  [[nodiscard]] bool until(const std::function<bool()>& holds) {
    return world_.until([&] {
      pass(n4_, n4_carrier_.get());
      pass(r1_, r1_carrier_.get());
      return holds();
    });
  }

  // As riftbus-tunnel does.
  int connect_at_home() {
    const auto dialling = bus::dial_end({"", 0, home_}, resolver_, bus::boot_now(), 0);
    EXPECT_GE(dialling.descriptor, 0) << dialling.problem;
    return dialling.descriptor;
  }
  // What arrived; nothing when it has ended.
  static std::optional<std::string> receive(int descriptor) {
    std::array<char, 65536> bytes;
    const auto size = ::recv(descriptor, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN ? std::optional(std::string()) : std::nullopt;
    if (size == 0) return std::nullopt;
    return std::string(bytes.data(), static_cast<std::size_t>(size));
  }
  // What went in until nothing had moved for half a second: the kernel's buffers and ours are full.
  std::string fill(int descriptor) {
    std::string sent;
    TimePoint moved = bus::boot_now();
    EXPECT_TRUE(until([&] {
      const std::string piece(65536, static_cast<char>('a' + sent.size() % 23));
      const auto size = ::send(descriptor, piece.data(), piece.size(), MSG_DONTWAIT);
      if (size > 0) {
        sent += piece.substr(0, static_cast<std::size_t>(size));
        moved = bus::boot_now();
      }
      return bus::boot_now() - moved > Millis(500);
    }));
    return sent;
  }
  // The connection that came out at the port.
  int accept() {
    int accepted = -1;
    EXPECT_TRUE(until([&] { return (accepted = bus::accept_end(port_)) >= 0; }));
    return accepted;
  }
  [[nodiscard]] bool is_closed(int descriptor) {
    return until([&] { return !receive(descriptor); });
  }

  TempFolder folder_;
  const std::string home_ = folder_.file("home");
  const std::string target_ = folder_.file("port");
  bus::World world_;
  bus::Peer& n4_ = world_.add("n4");
  bus::Peer& r1_ = world_.add("r1");
  bus::Resolver resolver_;
  bool is_member_ = true;
  int port_ = -1;
  std::vector<std::uint16_t> refusals_;
  std::unique_ptr<Carrier> n4_carrier_;
  std::unique_ptr<Carrier> r1_carrier_;
};

TEST_F(CarrierTest, MovesBytesBothWaysAndTellsWhoseTheyAre) {
  serve();
  struct stat status {};
  ASSERT_EQ(::stat(home_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const int near = connect_at_home();
  const int far = accept();
  std::string there(1'000'000, '\0');
  for (std::size_t i = 0; i < there.size(); ++i) there[i] = static_cast<char>(i * 7 + i / 251);
  ASSERT_EQ(::send(far, "SSH-2.0", 7, 0), 7);
  std::string got;
  std::string back;
  std::size_t sent = 0;
  EXPECT_TRUE(until([&] {
    const auto size = ::send(near, there.data() + sent, there.size() - sent, MSG_DONTWAIT);
    if (size > 0) sent += static_cast<std::size_t>(size);
    got += receive(far).value_or("");
    back += receive(near).value_or("");
    return got.size() == there.size() && back.size() == 7;
  }));
  EXPECT_EQ(got, there);
  EXPECT_EQ(back, "SSH-2.0");
  EXPECT_EQ(r1_carrier_->carried(), std::vector<NodeId>{n4_.id});
  EXPECT_TRUE(n4_carrier_->carried().empty()) << "its own is not carried to it";
  ::close(near);
  EXPECT_TRUE(is_closed(far));
  EXPECT_TRUE(until([&] { return r1_carrier_->carried().empty(); }));
  ::close(far);
}

TEST_F(CarrierTest, AHalfClosedConnectionGoesOnTheOtherWay) {
  serve();
  const int near = connect_at_home();
  const int far = accept();
  ::shutdown(near, SHUT_WR);
  EXPECT_TRUE(is_closed(far));
  ASSERT_EQ(::send(far, "late", 4, 0), 4);
  std::string got;
  EXPECT_TRUE(until([&] { return (got += receive(near).value_or("")) == "late"; }));
  ::close(far);
  EXPECT_TRUE(is_closed(near));
  ::close(near);
}

TEST_F(CarrierTest, WhatAHalfClosedConnectionsPortHasSaidArrivesAfterItHasGone) {
  serve();
  const int near = connect_at_home();
  const int far = accept();
  ::shutdown(near, SHUT_WR);
  EXPECT_TRUE(is_closed(far));
  const int size = 600'000;  // of what waits at the port, with all of the window under way
  EXPECT_EQ(::setsockopt(far, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
  const std::string sent = fill(far);
  EXPECT_GT(sent.size(), 2 * carry::Stream::kWindow);
  ::close(far);
  int turns = 0;
  EXPECT_TRUE(until([&] { return ++turns > 10; })) << "it is known to be gone";
  std::string got;
  EXPECT_TRUE(until([&] {
    const auto part = receive(near);
    got += part.value_or("");
    return !part;
  }));
  EXPECT_EQ(got.size(), sent.size());
  EXPECT_TRUE(got == sent);
  EXPECT_EQ(r1_carrier_->counters().broken, 0u);
  EXPECT_TRUE(until([&] { return r1_carrier_->streams() + n4_carrier_->streams() == 0; }));
  ::close(near);
}

TEST_F(CarrierTest, AReaderThatStallsCostsAWindowAndNoMore) {
  serve();
  const int near = connect_at_home();
  const int far = accept();
  const std::size_t sent = fill(near).size();
  EXPECT_LT(sent, 4'000'000u);
  std::size_t got = 0;
  EXPECT_TRUE(until([&] { return (got += receive(far).value_or("").size()) == sent; }));
  ::close(near);
  ::close(far);
}

TEST_F(CarrierTest, RefusesWithACodeAndClosesAtHome) {
  const auto refusal = [&](bool is_relay, bool carries, bool is_member) {
    serve(is_relay, carries);
    is_member_ = is_member;
    const int near = connect_at_home();
    EXPECT_TRUE(is_closed(near));
    ::close(near);
    return refusals_.back();
  };
  EXPECT_EQ(refusal(true, true, false), 1304);
  EXPECT_EQ(refusal(false, false, true), 1826);
  EXPECT_EQ(refusal(true, false, true), 1827);
  ::close(std::exchange(port_, -1));
  EXPECT_EQ(refusal(true, true, true), 1829) << "nobody listens at the port";
  EXPECT_EQ(r1_carrier_->counters().refused, 1u);
}

TEST_F(CarrierTest, OneNodeHasFewStreams) {
  serve();
  std::vector<int> open;
  for (std::size_t i = 0; i < Carrier::kStreamsPerPeerMax; ++i) {
    open.push_back(connect_at_home());
    open.push_back(accept());
  }
  const int more = connect_at_home();
  EXPECT_TRUE(is_closed(more));
  // Nor at the relay, whatever somebody's program does at home.
  for (int i = 0; i < 2; ++i) {
    n4_.bus->send(r1_.id, Correlation(5 + static_cast<std::uint64_t>(i)),
                  wire::Carry{wire::CarryStep::open, 0, 1, ""});
  }
  EXPECT_TRUE(until([&] { return refusals_.size() == 2; }));
  EXPECT_EQ(refusals_, (std::vector<std::uint16_t>{1828, 1828}));
  ::close(more);
  for (const int each : open) ::close(each);
}

TEST_F(CarrierTest, WordsOfNoStreamAreCountedAndWhoHasBytesHearsSo) {
  serve();
  for (const auto step : {wire::CarryStep::data, wire::CarryStep::end, wire::CarryStep::close}) {
    n4_.bus->send(r1_.id, Correlation(5), wire::Carry{step, 0, 1, ""});
    n4_.bus->send(r1_.id, Correlation(0), wire::Carry{step, 0, 1, ""});
  }
  n4_.bus->send(r1_.id, Correlation(6), wire::Carry{wire::CarryStep::data, 0, 1, "x"});
  EXPECT_TRUE(until([&] { return r1_carrier_->counters().stray == 7; }));
  EXPECT_TRUE(until([&] { return n4_carrier_->counters().stray == 1; })) << "a close";
}

TEST_F(CarrierTest, WhenTheRelaysNodeIsAnotherOneTheStreamEnds) {
  serve();
  const int near = connect_at_home();
  const int far = accept();
  serve();  // a new life: it knows of no stream
  EXPECT_TRUE(is_closed(far));
  ASSERT_EQ(::send(near, "x", 1, 0), 1);
  EXPECT_TRUE(is_closed(near));
  ::close(near);
  ::close(far);
}

TEST_F(CarrierTest, WhoIsNoMemberAnyMoreHasNoStream) {
  serve();
  const int near = connect_at_home();
  const int far = accept();
  is_member_ = false;
  ASSERT_EQ(::send(far, "x", 1, 0), 1);
  std::string got;
  EXPECT_TRUE(until([&] { return (got += receive(near).value_or("")) == "x"; })) << "it stands";
  ASSERT_EQ(::send(near, "x", 1, 0), 1);
  EXPECT_TRUE(is_closed(far));
  EXPECT_TRUE(is_closed(near));
  ::close(near);
  ::close(far);
}

TEST_F(CarrierTest, ARevokedNodeIsCutOff) {
  serve();
  const int near = connect_at_home();
  const int far = accept();
  world_.revoke(n4_.id);
  EXPECT_TRUE(is_closed(far)) << "at once, and not when it next speaks";
  ::close(near);
  ::close(far);
}

}  // namespace
}  // namespace riftbus::node
