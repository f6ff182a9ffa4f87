#include "bus/wire/relayed.h"

#include <gtest/gtest.h>

namespace riftbus::wire {
namespace {

const Address kLan{AddressKind::lan, "10.1.0.2", 7770, 7771};
const Address kPublic{AddressKind::public_ip, "198.51.100.101", 21770, 21771};
const Address kRelay{AddressKind::relay, "192.0.2.1", 7723, 7723};

Record record(std::vector<Address> addresses, const char* dialled = nullptr) {
  Record one;
  one.addresses = std::move(addresses);
  if (dialled != nullptr) one.tags[kDialledTag] = dialled;
  return one;
}

TEST(Relayed, APrivateAddressProvesNothing) {
  EXPECT_TRUE(is_relayed(record({kLan, kRelay})));
  EXPECT_FALSE(is_relayed(record({kLan, kPublic, kRelay})));
  EXPECT_FALSE(is_relayed(record({kLan})));
}

TEST(Relayed, APublicOneAtWhichNobodyCanDialItDoesNotEither) {
  EXPECT_TRUE(is_relayed(record({kLan, kPublic, kRelay}, kDialledNo)));
  EXPECT_FALSE(is_relayed(record({kLan, kPublic, kRelay}, kDialledYes)));
  EXPECT_FALSE(is_relayed(record({kLan, kPublic, kRelay}, "perhaps")));
}

TEST(Relayed, WhereNoRelayLeadsThereIsNoOtherWay) {
  EXPECT_FALSE(is_blocked(record({kLan, kPublic}, kDialledNo)));
  EXPECT_FALSE(is_relayed(record({kLan, kPublic}, kDialledNo)));
  EXPECT_TRUE(is_blocked(record({kLan, kPublic, kRelay}, kDialledNo)));
}

}  // namespace
}  // namespace riftbus::wire
