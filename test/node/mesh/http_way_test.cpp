#include "node/mesh/http_way.h"

#include <gtest/gtest.h>

#include "test/node/vocabulary.h"

namespace riftbus::node {
namespace {

CurveKey key(std::uint8_t fill) {
  CurveKey made;
  made.bytes.fill(fill);
  return made;
}

struct PostingKeys : testing::Test {
  Roster roster;
  RosterEntry& entry = roster.entries[id("n1")];

  PostingKeys() {
    entry.id = id("n1");
    entry.key = key(1);
    entry.roles = {Role::node};
  }
  std::vector<CurveKey> at(std::int64_t now_s) { return posting_keys(roster, id("n1"), now_s); }
};

TEST_F(PostingKeys, AreThePresentAndThePreviousOne) {
  EXPECT_EQ(at(1000), std::vector{key(1)});
  entry.previous_key = key(2);
  EXPECT_EQ(at(1000), (std::vector{key(1), key(2)}));
}

TEST_F(PostingKeys, AnExpiredKeyOpensNothingFromItsSecondOn) {
  entry.previous_key = key(2);
  entry.expires_at_s = 1000;
  EXPECT_EQ(at(999).size(), 2u);
  EXPECT_TRUE(at(1000).empty());
}

TEST_F(PostingKeys, AreMembersOnly) {
  for (const Role role : {Role::node, Role::voter, Role::relay}) {
    entry.roles = {role};
    EXPECT_FALSE(at(1).empty());
  }
  for (const Role role : {Role::tap, Role::admin}) {
    entry.roles = {role};
    EXPECT_TRUE(at(1).empty());
  }
  EXPECT_TRUE(posting_keys(roster, id("n2"), 1).empty());
}

}  // namespace
}  // namespace riftbus::node
