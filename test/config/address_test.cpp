#include "config/address.h"

#include <gtest/gtest.h>

namespace riftbus {
namespace {

TEST(Address, IsClassifiedByItsRange) {
  struct Row {
    const char* host;
    AddressKind kind;
  };
  const Row rows[] = {
      {"127.0.0.1", AddressKind::loopback},
      {"127.9.9.9", AddressKind::loopback},
      {"::1", AddressKind::loopback},
      {"localhost", AddressKind::loopback},
      {"::ffff:127.0.0.1", AddressKind::loopback},
      {"100.64.0.1", AddressKind::tailscale},
      {"100.127.255.255", AddressKind::tailscale},
      {"100.128.0.1", AddressKind::internet},
      {"100.63.0.1", AddressKind::internet},
      {"fd7a:115c:a1e0::1", AddressKind::tailscale},
      {"10.1.2.3", AddressKind::lan},
      {"172.31.0.1", AddressKind::lan},
      {"172.32.0.1", AddressKind::internet},
      {"192.168.0.1", AddressKind::lan},
      {"169.254.0.1", AddressKind::lan},
      {"fe80::1%eth0", AddressKind::lan},
      {"fd00::1", AddressKind::lan},
      {"192.0.2.1", AddressKind::internet},
      {"2001:db8::1", AddressKind::internet},
      {"node.example.net", AddressKind::internet},
  };
  for (const auto& row : rows) EXPECT_EQ(classify_host(row.host), row.kind) << row.host;
}

TEST(Address, AZoneIsTheNameOfAnInterface) {
  EXPECT_TRUE(is_valid_host("fe80::1%br-lan.7"));
  for (const char* host : {"fe80::1%", "fe80::1%a:b", "fe80::1%a/b", "fe80::1%a]", "fe80::1%a%b",
                           "fe80::1%interface-too-long"}) {
    EXPECT_FALSE(is_valid_host(host)) << host;
  }
}

TEST(Address, EndpointsAreReadInEveryFormPeopleWrite) {
  struct Row {
    const char* text;
    const char* host;
    int port;  // 0: none
    bool is_http;
  };
  const Row rows[] = {
      {"192.0.2.1", "192.0.2.1", 0, false},
      {"192.0.2.1:7770", "192.0.2.1", 7770, false},
      {"[2001:db8::1]:7770", "2001:db8::1", 7770, false},
      {"2001:db8::1", "2001:db8::1", 0, false},
      {"tcp://node-1.example.net:7770", "node-1.example.net", 7770, false},
      {"http://192.0.2.1:8770", "192.0.2.1", 8770, true},
      {"https://192.0.2.1/status?x=1", "192.0.2.1", 0, true},
  };
  for (const auto& row : rows) {
    const auto endpoint = parse_endpoint(row.text);
    ASSERT_TRUE(endpoint) << row.text;
    EXPECT_EQ(endpoint->host, row.host) << row.text;
    EXPECT_EQ(endpoint->port.value_or(0), row.port) << row.text;
    EXPECT_EQ(endpoint->is_http, row.is_http) << row.text;
  }
}

TEST(Address, RefusesWhatCannotBeDialled) {
  for (const auto* text :
       {"",        ":",          ":7770", "host:",        "host:0",       "host:65536",
        "host:-1", "host:7x",    "ho st", "[2001:db8::1", "[nonsense]:1", "ftp://host",
        "http://", "-a.example", "a..b",  "1.2.3",        "1.2.3.4.5",    "256.1.1.1",
        "a/b",     "user@host"}) {
    const auto endpoint = parse_endpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().code, 1009) << text;
  }
}

TEST(Address, AZeroByteEndsNoAddress) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(is_valid_host("a::\0]:77"sv));
  EXPECT_FALSE(is_valid_host("10.0.0.1\0x"sv));
  EXPECT_FALSE(parse_endpoint("a::\0\0017]:7722"sv).ok());
}

TEST(Address, KnowsWildcards) {
  for (const auto* host : {"*", "0.0.0.0", "::"}) EXPECT_TRUE(is_wildcard_host(host)) << host;
  for (const auto* host : {"127.0.0.1", "::1", "host"})
    EXPECT_FALSE(is_wildcard_host(host)) << host;
}

}  // namespace
}  // namespace riftbus
