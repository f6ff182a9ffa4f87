// Outgoing connections through relays: dialled, and left for a better way.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>

#include "bus/bus.h"
#include "test/bus/bus_world.h"

namespace riftbus::bus {
namespace {

// A relay's front that gives each visitor the same answer, and leads to a peer if it is told so.
class FakeFront {
 public:
  explicit FakeFront(char answer) : answer_(answer) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    port_ = ntohs(address.sin_port);
    EXPECT_EQ(::listen(fd_, 8), 0);
  }
  ~FakeFront() {
    for (const int visitor : visitors_) ::close(visitor);
    for (const auto& [here, there] : led_) {
      ::close(here);
      ::close(there);
    }
    ::close(fd_);
  }
  FakeFront(const FakeFront&) = delete;
  FakeFront& operator=(const FakeFront&) = delete;
  void lead_to(const Peer& peer) { peer_ = &peer; }
  void turn() {
    const int visitor = ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (visitor >= 0) visitors_.push_back(visitor);
    std::erase_if(visitors_, [this](int each) {
      std::string question(256, '\0');
      const auto size = ::recv(each, question.data(), question.size(), 0);
      if (size <= 0) return false;
      const char answer[]{5, 0, 5, answer_, 0, 1, 0, 0, 0, 0, 0, 0};
      EXPECT_EQ(::send(each, answer, sizeof answer, MSG_NOSIGNAL), 12);
      if (peer_ == nullptr) return false;
      const bool is_call = question[static_cast<std::size_t>(size) - 1] == '\x5a';  // of 7770
      lead(each, is_call ? peer_->bus->call_port() : peer_->bus->pub_port());
      return true;
    });
    for (const auto& [here, there] : led_) {
      pass(here, there);
      pass(there, here);
    }
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void lead(int here, std::uint16_t port) {
    const int there = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::connect(there, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    led_.emplace_back(here, there);
  }
  static void pass(int from, int to) {
    char bytes[4096];
    const auto size = ::recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
    if (size <= 0) return;
    EXPECT_EQ(::send(to, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL), size);
  }

  char answer_;
  const Peer* peer_ = nullptr;
  std::vector<std::pair<int, int>> led_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::vector<int> visitors_;
};

class BusRelay : public testing::Test {
 protected:
  static std::optional<wire::Address> used_address(const Peer& peer) {
    for (const LinkReport& link : peer.bus->links()) {
      if (link.channel == wire::Channel::pub) return link.address;
    }
    return std::nullopt;
  }
  World world;
};

TEST_F(BusRelay, AConnectionThroughARelayMovesToABetterWayThatOpens) {
  Peer& a = world.add("a");
  Peer& b = world.add("b");
  FakeFront front('\0');
  front.lead_to(a);
  const auto relay = at(front.port(), front.port(), wire::AddressKind::relay);
  const auto own = at(a.bus->call_port(), a.bus->pub_port(), wire::AddressKind::lan);
  b.bus->set_addresses(a.id, {relay});
  b.bus->subscribe(a.id);
  ASSERT_TRUE(world.until([&] {
    front.turn();
    return b.all<LinkUp>().size() == 1;
  }));
  EXPECT_EQ(used_address(b), relay);
  b.bus->set_addresses(a.id, {at(free_port(), free_port(), wire::AddressKind::lan), own, relay});
  ASSERT_TRUE(world.until([&] {
    front.turn();
    return b.all<LinkUp>().size() == 2;
  }));
  EXPECT_EQ(used_address(b), own);
  EXPECT_EQ(b.all<LinkDown>().size(), 1U) << "told that the other one is gone";
  ASSERT_TRUE(world.until([&] {
    a.bus->publish(wire::Beat{});
    return b.count(wire::Kind::beat) > 0;
  }));
}

TEST_F(BusRelay, ADialThroughRelaysTellsTheRelayFromTheNode) {
  Peer& b = world.add("b");
  const FakeFront mute('\0');  // never turned
  FakeFront leads('\0');
  FakeFront leads_nowhere('\4');
  const auto relay = [](std::uint16_t port) { return at(port, port, wire::AddressKind::relay); };
  const auto own = at(free_port(), 1, wire::AddressKind::lan);
  const std::map<std::string, std::vector<wire::Address>> places{
      {"attached", {own, relay(free_port()), relay(leads.port())}},
      {"elsewhere", {own, relay(free_port()), relay(leads_nowhere.port())}},
      {"refused", {own, relay(free_port())}},
      {"mute", {own, relay(mute.port())}},
      {"public", {at(free_port(), 1, wire::AddressKind::public_ip), relay(leads.port())}}};
  for (const auto& [name, addresses] : places) {
    b.bus->set_addresses(id_of(name), addresses);
    b.bus->dial(id_of(name));
  }
  ASSERT_TRUE(world.until([&] {
    leads.turn();
    leads_nowhere.turn();
    return b.all<Dialled>().size() == places.size();
  }));
  std::map<std::string, DialOutcome> outcomes;
  for (const Dialled* dial : b.all<Dialled>()) outcomes[dial->peer.value()] = dial->outcome;
  EXPECT_EQ(outcomes["attached"], DialOutcome::accepted);
  EXPECT_EQ(outcomes["elsewhere"], DialOutcome::silent);
  EXPECT_EQ(outcomes["refused"], DialOutcome::relay_lost);
  EXPECT_EQ(outcomes["mute"], DialOutcome::relay_lost);
  EXPECT_EQ(outcomes["public"], DialOutcome::refused) << "its own word counts";
}

}  // namespace
}  // namespace riftbus::bus
