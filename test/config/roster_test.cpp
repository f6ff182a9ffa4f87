#include "config/roster.h"

#include <gtest/gtest.h>

#include "config/roster_text.h"
#include "test/config/identities.h"

namespace riftbus {
namespace {

// Every part of the grammar once.
Roster make_full_roster() {
  Roster roster;
  roster.cluster = "kitchen";
  roster.version = RosterVersion(7);
  roster.entries[id_of("gpu-1")] = {id_of("gpu-1"), key_of(1),     std::nullopt,
                                    {Role::node},   1'790'000'000, "rented, lab 3 \xc3\xa9"};
  roster.entries[id_of("hub-1")] = {id_of("hub-1"), key_of(2),
                                    key_of(3),      {Role::node, Role::voter, Role::relay},
                                    std::nullopt,   ""};
  roster.entries[id_of("lena")] = {id_of("lena"), key_of(4), std::nullopt, {Role::tap, Role::admin},
                                   std::nullopt,  ""};
  roster.revoked[id_of("gpu-9")] = RosterVersion(6);
  roster.revoked_keys[key_of(9)] = id_of("gpu-9");
  roster.revoked_keys[key_of(10)] = id_of("gpu-9");
  roster.voters = {id_of("hub-1")};
  roster.relays = {id_of("hub-1")};
  return roster;
}

// A signed document from body text, as an authority with other software might make it.
SignedRoster sign_text(const std::string& body) {
  return {body + format_signature_line({}), Roster{}};
}

std::string replace_once(std::string text, std::string_view old_part, std::string_view new_part) {
  const auto at = text.find(old_part);
  EXPECT_NE(at, std::string::npos) << "the test's own text lacks " << old_part;
  return text.replace(at, old_part.size(), new_part);
}

class RosterDocuments : public testing::Test {
 protected:
  AuthoritySecret secret_ = AuthoritySecret::generate();
  AuthorityKey authority_ = secret_.public_key();
};

TEST_F(RosterDocuments, ReadsBackWhatWasSigned) {
  const auto signed_roster = sign_roster(make_full_roster(), secret_);
  const auto read = verify_roster(signed_roster.bytes, authority_, "kitchen");
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ(read->roster, make_full_roster());
  EXPECT_EQ(read->bytes, signed_roster.bytes);
}

TEST_F(RosterDocuments, AreTextThatAPersonCanRead) {
  const std::string body = format_roster_body(make_full_roster());
  EXPECT_EQ(body.substr(0, body.find("node ")), "riftbus-roster 1\ncluster kitchen\nversion 7\n");
  EXPECT_NE(body.find(" roles=node expires=1790000000 note=rented%2C%20lab%203%20%C3%A9\n"),
            std::string::npos);
  EXPECT_NE(body.find(" roles=node,voter,relay\n"), std::string::npos);
  EXPECT_TRUE(body.ends_with("voters hub-1\nrelays hub-1\n"));
}

TEST_F(RosterDocuments, RefuseEveryChangeOfOneByte) {
  const std::string bytes = sign_roster(make_full_roster(), secret_).bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(verify_roster(changed, authority_, "kitchen").ok()) << "byte " << i;
  }
}

TEST_F(RosterDocuments, RefuseEveryTruncation) {
  const std::string bytes = sign_roster(make_full_roster(), secret_).bytes;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(verify_roster(bytes.substr(0, size), authority_, "kitchen").ok()) << size;
  }
}

TEST_F(RosterDocuments, RefuseAnotherAuthority) {
  const auto bytes = sign_roster(make_full_roster(), secret_).bytes;
  const auto stranger = AuthoritySecret::generate().public_key();
  EXPECT_EQ(verify_roster(bytes, stranger, "kitchen").error().code, 1102);
}

TEST_F(RosterDocuments, RefuseAnotherCluster) {
  const auto bytes = sign_roster(make_full_roster(), secret_).bytes;
  EXPECT_EQ(verify_roster(bytes, authority_, "cellar").error().code, 1103);
}

TEST_F(RosterDocuments, RefuseALowerAndAnEqualVersion) {
  const auto bytes = sign_roster(make_full_roster(), secret_).bytes;
  EXPECT_TRUE(verify_newer_roster(bytes, authority_, "kitchen", RosterVersion(6)).ok());
  for (const std::uint64_t held : {7U, 8U}) {
    const auto offered = verify_newer_roster(bytes, authority_, "kitchen", RosterVersion(held));
    EXPECT_EQ(offered.error().code, 1105) << held;
  }
}

TEST_F(RosterDocuments, AreRefusedUnreadWhenOversized) {
  EXPECT_EQ(
      verify_roster(std::string(kRosterBytesMax + 1, 'x'), authority_, "kitchen").error().code,
      1100);
}

TEST_F(RosterDocuments, KeepTheSignatureOfANewerReleasesNews) {
  std::string body = format_roster_body(make_full_roster());
  body = replace_once(body, " expires=1790000000 note=rented%2C%20lab%203%20%C3%A9\n",
                      " expires=1790000000 note=rented%2C%20lab%203%20%C3%A9 x-zone=a=b x-f\n");
  EXPECT_FALSE(parse_roster_body(body).ok()) << "x-f has no value";
  body = replace_once(body, " x-f\n", " x-f=\nx-policy deny all\n");
  const auto read = parse_roster_unverified(sign_text(body).bytes);
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_EQ(*read, make_full_roster());
}

struct BadEdit {
  std::string_view old_part;
  std::string_view new_part;
  std::string_view where;
  std::uint16_t code;
};

class MalformedRoster : public testing::TestWithParam<BadEdit> {};

TEST_P(MalformedRoster, IsRefusedWithItsLine) {
  const auto& edit = GetParam();
  const std::string body =
      replace_once(format_roster_body(make_full_roster()), edit.old_part, edit.new_part);
  const auto read = parse_roster_unverified(sign_text(body).bytes);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().where, edit.where) << read.error().to_string();
  EXPECT_EQ(read.error().code, edit.code) << read.error().to_string();
  EXPECT_FALSE(read.error().what.empty());
}

const std::string kKey1 = key_of(1).z85();
const std::string kKey2 = key_of(2).z85();
const std::string kKey9 = key_of(9).z85();
const std::string kLine4 = "node gpu-1 key=" + kKey1;
const std::string kLine5 = "node hub-1 key=" + kKey2;

INSTANTIATE_TEST_SUITE_P(
    Lines, MalformedRoster,
    testing::Values(BadEdit{"riftbus-roster 1", "riftbus-roster 2", "roster:1", 1101},
                    BadEdit{"riftbus-roster 1", "roster", "roster:1", 1101},
                    BadEdit{"cluster kitchen", "cluster kit/chen", "roster:2", 1101},
                    BadEdit{"cluster kitchen\n", "", "roster:2", 1101},
                    BadEdit{"version 7", "version 07", "roster:3", 1101},
                    BadEdit{"version 7", "version 0", "roster:3", 1101},
                    BadEdit{"version 7", "version 18446744073709551616", "roster:3", 1101},
                    BadEdit{"version 7", "version -1", "roster:3", 1101},
                    BadEdit{"node gpu-1", "node zulu", "roster:5", 1101},
                    BadEdit{"node hub-1", "node gpu-1", "roster:5", 1104},
                    BadEdit{"node gpu-1", "node  gpu-1", "roster:4", 1101},
                    BadEdit{"node gpu-1", "node gpu/1", "roster:4", 1101},
                    BadEdit{"node gpu-1", "knot gpu-1", "roster:4", 1101},
                    BadEdit{"roles=node expires", "roles=node,node expires", "roster:4", 1101},
                    BadEdit{"roles=node expires", "roles=king expires", "roster:4", 1106},
                    BadEdit{"roles=node expires", "roles= expires", "roster:4", 1106},
                    BadEdit{"roles=node expires", "role=node expires", "roster:4", 1101},
                    BadEdit{"roles=node expires", "expires", "roster:4", 1101},
                    BadEdit{"roles=node,voter,relay", "roles=voter,node,relay", "roster:5", 1101},
                    BadEdit{"roles=node,voter,relay", "roles=node,relay", "roster:8", 1101},
                    BadEdit{"roles=tap,admin", "roles=tap,admin roles=tap", "roster:6", 1101},
                    BadEdit{"roles=tap,admin", "roles=tap,admin note=", "roster:6", 1101},
                    BadEdit{"roles=tap,admin", "roles=tap,admin note=%0A", "roster:6", 1101},
                    BadEdit{"roles=tap,admin", "roles=tap,admin note=%C2%9B", "roster:6", 1101},
                    BadEdit{"roles=tap,admin", "roles=tap,admin note=%2c", "roster:6", 1101},
                    BadEdit{"roles=tap,admin", "roles=tap,admin note=%4", "roster:6", 1101},
                    BadEdit{"expires=1790000000", "expires=253402300800", "roster:4", 1101},
                    BadEdit{"expires=1790000000", "expires=soon", "roster:4", 1101},
                    BadEdit{kLine4, "node gpu-1 key=short", "roster:4", 1107},
                    BadEdit{kLine5, "node hub-1 key=0000000000000000000000000000000000000000",
                            "roster:5", 1107},
                    BadEdit{kLine5, "node hub-1 key=########################################",
                            "roster:5", 1107},
                    BadEdit{kKey2, kKey1, "roster:5", 1104},
                    BadEdit{kKey2, kKey9, "roster:7", 1104},
                    BadEdit{"revoked gpu-9 version=6", "revoked gpu-9 version=8", "roster:7", 1101},
                    BadEdit{"revoked gpu-9 version=6", "revoked gpu-9", "roster:7", 1101},
                    BadEdit{"voters hub-1", "voters nobody", "roster:8", 1101},
                    BadEdit{"voters hub-1", "voters lena", "roster:8", 1101},
                    BadEdit{"voters hub-1", "voters hub-1 hub-1", "roster:8", 1104},
                    BadEdit{"voters hub-1", "voters hub-1\nvoters hub-1", "roster:9", 1101},
                    BadEdit{"voters hub-1\nrelays hub-1", "relays hub-1\nvoters hub-1", "roster:9",
                            1101},
                    BadEdit{"relays hub-1\n", "relays hub-1\n\n", "roster:10", 1101}));

TEST(Roster, OfTooManyNodesIsRefused) {
  Roster roster;
  roster.cluster = "kitchen";
  roster.version = RosterVersion(1);
  for (std::size_t i = 0; i <= kRosterEntriesMax; ++i) {
    char name[16];
    std::snprintf(name, sizeof name, "n%05zu", i);
    CurveKey key = key_of(1);
    key.bytes[0] = static_cast<std::uint8_t>(i >> 8);
    key.bytes[1] = static_cast<std::uint8_t>(i & 255);
    roster.entries[id_of(name)] = {id_of(name), key, std::nullopt, {Role::node}, std::nullopt, ""};
  }
  EXPECT_FALSE(validate_roster(roster).ok());
  roster.entries.erase(std::prev(roster.entries.end()));
  EXPECT_TRUE(validate_roster(roster).ok());
}

TEST(Roster, FindsAnEntryByItsOldAndItsNewKey) {
  const Roster roster = make_full_roster();
  ASSERT_NE(roster.find(key_of(2)), nullptr);
  EXPECT_EQ(roster.find(key_of(2)), roster.find(key_of(3)));
  EXPECT_EQ(roster.find(key_of(2)), roster.find(id_of("hub-1")));
  EXPECT_EQ(roster.find(key_of(9)), nullptr);
  EXPECT_EQ(roster.find(id_of("gpu-9")), nullptr);
}

TEST(Roster, CannotSmuggleALineInThroughANote) {
  Roster roster = make_full_roster();
  roster.entries.begin()->second.note = "x\nvoters gpu-1";
  EXPECT_FALSE(validate_roster(roster).ok());
}

TEST(Roster, WhoseMapDisagreesWithItsEntryIsRefused) {
  Roster roster = make_full_roster();
  roster.entries.begin()->second.id = id_of("gpu-0");
  EXPECT_FALSE(validate_roster(roster).ok());
}

TEST(CurveKeyText, IsZeroMqsZ85) {
  // The test vector of ZeroMQ RFC 32, four times: 86 4F D2 6F B5 59 F7 5B is "HelloWorld".
  const std::array<std::uint8_t, 8> hello{0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b};
  CurveKey key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = hello[i % hello.size()];
  EXPECT_EQ(key.z85(), "HelloWorldHelloWorldHelloWorldHelloWorld");
  EXPECT_EQ(CurveKey::from_z85(key.z85()).value(), key);
}

TEST(AuthorityKeyText, HasOneForm) {
  const auto key = AuthoritySecret::generate().public_key();
  const std::string hex = key.hex();
  EXPECT_EQ(AuthorityKey::from_hex(hex).value(), key);
  EXPECT_FALSE(AuthorityKey::from_hex(hex + "00").ok());
  EXPECT_FALSE(AuthorityKey::from_hex(hex.substr(2)).ok());
  const std::string digits = "abcdef0123456789";
  EXPECT_TRUE(AuthorityKey::from_hex(digits + digits + digits + digits).ok());
  EXPECT_FALSE(AuthorityKey::from_hex("A" + digits.substr(1) + digits + digits + digits).ok());
}

TEST(PlainText, IsUtf8WithoutControls) {
  for (const auto* good : {"", "a b", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\xa6"}) {
    EXPECT_TRUE(is_plain_text(good)) << good;
  }
  for (const auto* bad : {"\n", "\x1b[2J", "\x7f", "\xc2\x9b", "\xc0\x80", "\xed\xa0\x80", "\xff",
                          "\xc3", "\xe2\x82", "\xf4\x90\x80\x80", "\xe0\x80\x80", "a\x80"}) {
    EXPECT_FALSE(is_plain_text(bad));
  }
}

}  // namespace
}  // namespace riftbus
