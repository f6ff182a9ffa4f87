// The promise that version N talks to N-1: frames as a later and an earlier program write them.
#include <gtest/gtest.h>

#include <functional>
#include <msgpack.hpp>

#include "bus/wire/codec.h"
#include "test/bus/wire/samples.h"

namespace riftbus::wire {
namespace {

using Value = msgpack::object;

// Appends two unknown elements to an array: what a later program would have put there.
Value extend(const Value& array, msgpack::zone& zone) {
  std::vector<Value> elements(array.via.array.ptr, array.via.array.ptr + array.via.array.size);
  elements.emplace_back(std::string("from the future"), zone);
  elements.emplace_back(std::vector<std::map<std::string, int>>{{{"deep", 1}}}, zone);
  return {elements, zone};
}

std::string pack(const Value& value) {
  msgpack::sbuffer buffer;
  msgpack::pack(buffer, value);
  return {buffer.data(), buffer.size()};
}

// The envelope of `message`, changed by `change` while it is a tree of values.
std::string changed(const Envelope& message,
                    const std::function<void(Value& envelope, msgpack::zone& zone)>& change) {
  const std::string bytes = encode(message);
  auto handle = msgpack::unpack(bytes.data(), bytes.size());
  Value envelope = handle.get();
  change(envelope, *handle.zone());
  return pack(envelope);
}

TEST(Versions, ElementsAppendedToABodyAreIgnored) {
  for (const Envelope& message : plain_messages()) {
    const std::string later = changed(message, [](Value& envelope, msgpack::zone& zone) {
      envelope.via.array.ptr[6] = extend(envelope.via.array.ptr[6], zone);
    });
    const auto outcome = decode(later);
    ASSERT_TRUE(outcome.ok()) << to_string(message) << ": " << to_string(outcome.reject);
    EXPECT_EQ(outcome.envelope, message);
  }
}

TEST(Versions, ElementsAppendedToTheEnvelopeAreIgnored) {
  for (const Envelope& message : plain_messages()) {
    const std::string later = changed(
        message, [](Value& envelope, msgpack::zone& zone) { envelope = extend(envelope, zone); });
    EXPECT_EQ(decode(later).envelope, message);
  }
}

TEST(Versions, ElementsAppendedToNestedStructsAreIgnored) {
  for (const Envelope& message : plain_messages()) {
    if (!std::holds_alternative<Gossip>(message.body)) continue;
    const std::string later = changed(message, [](Value& envelope, msgpack::zone& zone) {
      Value& claims = envelope.via.array.ptr[6].via.array.ptr[0];
      for (std::uint32_t i = 0; i < claims.via.array.size; ++i) {
        Value& claim = claims.via.array.ptr[i];
        Value& record = claim.via.array.ptr[5];
        if (record.type == msgpack::type::ARRAY) {
          Value& address = record.via.array.ptr[3].via.array.ptr[0];
          address = extend(address, zone);
          record.via.array.ptr[7] = extend(record.via.array.ptr[7], zone);
          record = extend(record, zone);
        }
        claim = extend(claim, zone);
      }
    });
    EXPECT_EQ(decode(later).envelope, message);
  }
}

// An earlier program stops after fewer elements: the rest is as default-constructed.
TEST(Versions, AbsentElementsTakeTheirDefaults) {
  for (const Envelope& message : plain_messages()) {
    const auto whole = decode(encode(message));
    ASSERT_TRUE(whole.ok());
    for (std::uint32_t keep = 0;; ++keep) {
      std::uint32_t size = 0;
      const std::string earlier = changed(message, [&](Value& envelope, msgpack::zone&) {
        Value& body = envelope.via.array.ptr[6];
        size = body.via.array.size;
        if (keep < size) body.via.array.size = keep;
      });
      const auto outcome = decode(earlier);
      // Only a missing id has no default.
      if (!outcome.ok()) {
        EXPECT_EQ(outcome.reject, Reject::bad_id) << to_string(message);
        EXPECT_EQ(keep, 0U) << to_string(message);
      }
      if (keep >= size) {
        EXPECT_EQ(outcome.envelope, message);
        break;
      }
    }
  }
}

TEST(Versions, AnEarlierBeatGetsTheWrittenDefaults) {
  const Envelope sent{id("n1"), Instance(1), Seq(1), {}, Beat{Incarnation(4), 1, 2, 3, 4, {}}};
  const std::string earlier = changed(
      sent, [](Value& envelope, msgpack::zone&) { envelope.via.array.ptr[6].via.array.size = 1; });
  EXPECT_EQ(std::get<Beat>(decode(earlier).envelope.body), (Beat{Incarnation(4), 0, 0, 0, 0, {}}));

  Record record;
  record.id = id("n2");
  const std::string short_join =
      changed({id("n1"), {}, {}, {}, Join{record, {}}}, [](Value& envelope, msgpack::zone&) {
        envelope.via.array.ptr[6].via.array.ptr[0].via.array.size = 1;
      });
  EXPECT_EQ(std::get<Join>(decode(short_join).envelope.body).record.interval_ms, 1000U);
}

TEST(Versions, UnknownRolesAndAddressKindsAreLeftOutOfARecord) {
  Record record;
  record.id = id("n2");
  record.roles = {Role::node, static_cast<Role>(99), Role::voter};
  record.addresses = {{AddressKind::lan, "192.0.2.1", 1, 2},
                      {static_cast<AddressKind>(77), "later:kind", 3, 4},
                      {AddressKind::relay, "192.0.2.3", 5, 6}};
  const auto outcome = decode(encode({id("n1"), {}, {}, {}, Join{record, {}}}));
  ASSERT_TRUE(outcome.ok()) << to_string(outcome.reject);
  const Record& seen = std::get<Join>(outcome.envelope.body).record;
  EXPECT_EQ(seen.roles, (std::vector<Role>{Role::node, Role::voter}));
  ASSERT_EQ(seen.addresses.size(), 2U);
  EXPECT_EQ(seen.addresses[1].kind, AddressKind::relay);
}

TEST(Versions, AnUnknownStandingIsRefusedBecauseItWouldBeJudgedUpon) {
  const Claim claim{id("n2"), {}, static_cast<Standing>(9), {}, Evidence::none, std::nullopt};
  EXPECT_EQ(decode(encode({id("n1"), {}, {}, {}, Gossip{{claim}}})).reject, Reject::bad_value);
}

TEST(Versions, AForeignVersionOrKindLeavesTheHeaderReadable) {
  const Envelope ping{id("n1"), Instance(5), Seq(6), Correlation(7), Ping{}};
  const auto expect_header = [&](std::uint32_t element, std::uint64_t value, Reject reason) {
    const auto outcome = decode(changed(ping, [&](Value& envelope, msgpack::zone& zone) {
      envelope.via.array.ptr[element] = Value(value, zone);
      envelope.via.array.ptr[6] = Value(std::string("another shape"), zone);
    }));
    EXPECT_EQ(outcome.reject, reason);
    EXPECT_TRUE(outcome.header_known);
    EXPECT_EQ(outcome.envelope.origin, ping.origin);
    EXPECT_EQ(outcome.envelope.instance, ping.instance);
    EXPECT_EQ(outcome.envelope.seq, ping.seq);
    EXPECT_EQ(outcome.envelope.correlation, ping.correlation);
  };
  expect_header(0, kVersion + 1, Reject::bad_version);
  expect_header(0, kVersionMin - 1, Reject::bad_version);
  expect_header(1, 200, Reject::unknown_kind);
  EXPECT_FALSE(decode("\x97").header_known);
}

}  // namespace
}  // namespace riftbus::wire
