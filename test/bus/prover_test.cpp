#include "bus/prover.h"

#include <gtest/gtest.h>

#include "test/bus/bus_world.h"

namespace riftbus::bus {
namespace {

// n1 proves addresses of n2; n3 is somebody else.
class Proving : public ::testing::Test {
 protected:
  World world_;
  Peer& n1_ = world_.add("n1");
  Peer& n2_ = world_.add("n2");
  Peer& n3_ = world_.add("n3");

  std::vector<AddressProof> prove(const std::vector<wire::Address>& addresses) {
    const auto before = n1_.all<Proved>().size();
    EXPECT_TRUE(n1_.bus->prove(n2_.id, addresses));
    EXPECT_TRUE(world_.until([&] { return n1_.all<Proved>().size() > before; }));
    const auto all = n1_.all<Proved>();
    return all.empty() ? std::vector<AddressProof>{} : all.back()->proofs;
  }
};

// Bound and closed again: nobody listens there.
std::uint16_t closed_port() {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::rep);
  const auto port = bind_tcp(socket, "127.0.0.1", 0);
  EXPECT_TRUE(port.ok());
  return port.ok() ? *port : std::uint16_t{1};
}

TEST_F(Proving, AnAddressIsProvenByThePeersOwnKey) {
  const auto proofs = prove({World::address_of(n2_)});
  ASSERT_EQ(proofs.size(), 1u);
  EXPECT_TRUE(proofs[0].is_proven) << proofs[0].trouble;
  EXPECT_EQ(proofs[0].address, World::address_of(n2_));
  EXPECT_TRUE(proofs[0].rtt.has_value());
  EXPECT_FALSE(n2_.received(wire::Kind::hello)) << "nothing is said";
}

TEST_F(Proving, WhereSomebodyElseAnswersNothingIsProven) {
  const auto proofs = prove({World::address_of(n3_)});
  ASSERT_EQ(proofs.size(), 1u);
  EXPECT_FALSE(proofs[0].is_proven);
  EXPECT_NE(proofs[0].trouble.find("another key"), std::string::npos) << proofs[0].trouble;
}

TEST_F(Proving, EachAddressHasAVerdictOfItsOwn) {
  auto nobody = World::address_of(n2_);
  nobody.call_port = nobody.pub_port = closed_port();
  const auto proofs = prove({nobody, World::address_of(n2_)});
  ASSERT_EQ(proofs.size(), 2u);
  EXPECT_FALSE(proofs[0].is_proven);
  EXPECT_FALSE(proofs[0].trouble.empty());
  EXPECT_TRUE(proofs[1].is_proven);
}

TEST_F(Proving, BothPortsMustAnswer) {
  auto half = World::address_of(n2_);
  half.pub_port = closed_port();
  auto proofs = prove({half});
  ASSERT_EQ(proofs.size(), 1u);
  EXPECT_FALSE(proofs[0].is_proven);
  EXPECT_EQ(proofs[0].trouble.rfind("calls get through, publications do not", 0), 0u);
  half = World::address_of(n2_);
  half.call_port = closed_port();
  proofs = prove({half});
  ASSERT_EQ(proofs.size(), 1u);
  EXPECT_EQ(proofs[0].trouble.rfind("publications get through, calls do not", 0), 0u);
}

TEST_F(Proving, OneProofOfAPeerAtATime) {
  EXPECT_TRUE(n1_.bus->prove(n2_.id, {World::address_of(n2_)}));
  EXPECT_FALSE(n1_.bus->prove(n2_.id, {World::address_of(n2_)}));
  EXPECT_TRUE(n1_.bus->prove(n3_.id, {World::address_of(n3_)}));
  EXPECT_TRUE(world_.until([&] { return n1_.all<Proved>().size() == 2; }));
  EXPECT_TRUE(n1_.bus->prove(n2_.id, {World::address_of(n2_)}));
}

TEST_F(Proving, APeerWithoutAKeyIsNotDialled) {
  const auto address = World::address_of(n2_);
  world_.revoke(n2_.id);
  const auto proofs = prove({address});
  ASSERT_EQ(proofs.size(), 1u);
  EXPECT_EQ(proofs[0].trouble, "no key of it is known");
}

TEST_F(Proving, RelaysAndPortZeroAreNoneOfItsAddresses) {
  const wire::Address relay{wire::AddressKind::relay, "127.0.0.1", 7723, 7723};
  const wire::Address nowhere{wire::AddressKind::lan, "127.0.0.1", 0, 0};
  EXPECT_TRUE(prove({relay, nowhere}).empty());
}

TEST_F(Proving, AtMostSoManyAddresses) {
  std::vector<wire::Address> many;
  for (int i = 1; i < 10; ++i) {
    many.push_back(World::address_of(n2_));
    many.back().host = "127.0.0." + std::to_string(i);
  }
  EXPECT_EQ(prove(many).size(), Prover::kAddressesMax);
}

// A member must not be made to knock at its own host's doors.
TEST(Prover, NeverDialsItsOwnHostUnlessItListensThereOnly) {
  zmq::context_t context;
  Settings settings;
  settings.self = id_of("n1");
  settings.host = "0.0.0.0";
  const KeyPair keys = KeyPair::generate();
  Bus bus(context, &keys, settings);
  ASSERT_TRUE(bus.bind().ok());
  ASSERT_TRUE(bus.prove(id_of("n2"), {{wire::AddressKind::public_ip, "127.0.0.1", 22, 22}}));
  std::vector<Event> events;
  static_cast<void>(bus.poll(boot_now() + Seconds(1), events));
  ASSERT_EQ(events.size(), 1u);
  const auto* proved = std::get_if<Proved>(&events.front());
  ASSERT_NE(proved, nullptr);
  EXPECT_TRUE(proved->proofs.empty());
}

TEST(Prover, KnowsTheAddressesOfThisHostItself) {
  for (const char* own : {"127.0.0.1", "127.9.9.9", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1",
                          "::ffff:0.0.0.0", "not an address", ""}) {
    EXPECT_TRUE(is_own_host(own)) << own;
  }
  for (const char* other : {"192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1"}) {
    EXPECT_FALSE(is_own_host(other)) << other;
  }
}

}  // namespace
}  // namespace riftbus::bus
