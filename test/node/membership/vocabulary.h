// Words that membership tests are written in.
#pragma once

#include <string>

#include "bus/wire/message.h"
#include "config/check.h"
#include "config/types.h"

namespace riftbus::membership {

inline constexpr TimePoint kStart{Seconds(100)};

inline NodeId id(const std::string& text) {
  auto parsed = NodeId::parse(text);
  RIFTBUS_CHECK(parsed.ok());
  return *parsed;
}

inline NodeId numbered(const std::string& prefix, int number) {
  return id(prefix + std::to_string(number));
}

inline wire::Record record_of(const NodeId& member, std::uint64_t incarnation,
                              std::uint64_t instance = 1) {
  wire::Record record;
  record.id = member;
  record.instance = Instance(instance);
  record.incarnation = Incarnation(incarnation);
  record.interval_ms = 1000;
  return record;
}

inline wire::Claim alive(const NodeId& member, std::uint64_t incarnation,
                         std::uint64_t instance = 1) {
  return {member, Incarnation(incarnation), wire::Standing::alive,
          {},     wire::Evidence::none,     record_of(member, incarnation, instance)};
}

inline wire::Address relay_address() {
  return {wire::AddressKind::relay, "198.51.100.7", 7723, 7723};
}

inline wire::Claim unreachable(const NodeId& member, std::uint64_t incarnation,
                               const NodeId& accuser) {
  return {member,  Incarnation(incarnation), wire::Standing::unreachable,
          accuser, wire::Evidence::silence,  {}};
}

inline wire::Claim suspect(const NodeId& member, std::uint64_t incarnation, const NodeId& accuser,
                           wire::Evidence evidence = wire::Evidence::silence) {
  return {member, Incarnation(incarnation), wire::Standing::suspect, accuser, evidence, {}};
}

inline wire::Claim dead(const NodeId& member, std::uint64_t incarnation, const NodeId& accuser) {
  return {member,  Incarnation(incarnation), wire::Standing::dead,
          accuser, wire::Evidence::silence,  {}};
}

inline wire::Claim left(const NodeId& member, std::uint64_t incarnation) {
  return {member, Incarnation(incarnation), wire::Standing::left, {}, wire::Evidence::goodbye, {}};
}

}  // namespace riftbus::membership
