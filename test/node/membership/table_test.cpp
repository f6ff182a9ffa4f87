#include "node/membership/table.h"

#include <gtest/gtest.h>

#include "config/random.h"
#include "test/node/membership/vocabulary.h"

namespace riftbus::membership {
namespace {

using wire::Standing;

constexpr Nanos kRipening = Seconds(10);

class TableTest : public testing::Test {
 protected:
  Table::Outcome hear(const wire::Claim& claim, Source source = Source::spoken) {
    return table_.merge(claim, source, now_);
  }
  Standing standing() const { return table_.find(n_)->standing; }
  std::uint64_t incarnation() const { return table_.find(n_)->incarnation.value(); }

  Table table_{id("self"), 4, kRipening};
  NodeId n_ = id("n1");
  NodeId w_ = id("w1");
  TimePoint now_ = kStart;
};

struct Merge {
  const char* what;
  Standing before;
  std::uint64_t before_incarnation;
  Standing claim;
  std::uint64_t claim_incarnation;
  Standing after;
  bool changed;
};

wire::Claim claim_of(const NodeId& member, Standing standing, std::uint64_t incarnation) {
  wire::Claim claim = alive(member, incarnation);
  claim.standing = standing;
  if (standing == Standing::alive) return claim;
  claim.record.reset();
  claim.accuser = standing == Standing::left ? NodeId() : id("w1");
  return claim;
}

TEST(TableMerge, FollowsTheOrderOfBelief) {
  using enum Standing;
  const Merge rows[] = {
      {"alive again", alive, 5, alive, 5, alive, false},
      {"older life", alive, 5, alive, 4, alive, false},
      {"newer life", alive, 5, alive, 6, alive, true},
      {"accused", alive, 5, suspect, 5, suspect, true},
      {"accused of the past", alive, 5, suspect, 4, alive, false},
      {"accused ahead of its record", alive, 5, suspect, 7, suspect, true},
      {"equal life clears nothing", suspect, 5, alive, 5, suspect, false},
      {"higher life refutes", suspect, 5, alive, 6, alive, true},
      {"second accusation", suspect, 5, suspect, 5, suspect, false},
      {"verdict", suspect, 5, dead, 5, dead, true},
      {"verdict without suspicion", alive, 5, dead, 5, dead, true},
      {"verdict on the past", alive, 5, dead, 4, alive, false},
      {"replayed life of the dead", dead, 5, alive, 5, dead, false},
      {"suspicion of the dead", dead, 5, suspect, 5, dead, false},
      {"return", dead, 5, alive, 6, alive, true},
      {"goodbye", alive, 5, left, 5, left, true},
      {"goodbye beats the verdict", dead, 5, left, 5, left, true},
      {"verdict on the departed", left, 5, dead, 5, left, false},
      {"back after leaving", left, 5, alive, 6, alive, true},
      {"path lost", alive, 5, unreachable, 5, unreachable, true},
      {"suspected although unreachable", unreachable, 5, suspect, 5, suspect, true},
  };
  for (const auto& row : rows) {
    Table table(id("self"), 4, kRipening);
    const NodeId n = id("n1");
    table.merge(claim_of(n, alive, row.before_incarnation), Source::spoken, kStart);
    if (row.before != alive) {
      table.merge(claim_of(n, row.before, row.before_incarnation), Source::spoken, kStart);
    }
    ASSERT_EQ(table.find(n)->standing, row.before) << row.what;
    const auto outcome =
        table.merge(claim_of(n, row.claim, row.claim_incarnation), Source::spoken, kStart);
    EXPECT_EQ(table.find(n)->standing, row.after) << row.what;
    EXPECT_EQ(outcome.changed, row.changed) << row.what;
  }
}

TEST(TableMerge, GivesTheSameWhateverTheOrderOfArrival) {
  std::vector<wire::Claim> claims = {
      alive(id("n1"), 5),          suspect(id("n1"), 5, id("w1")),
      alive(id("n1"), 6),          suspect(id("n1"), 6, id("w2")),
      dead(id("n1"), 5, id("w1")), left(id("n2"), 3),
      alive(id("n2"), 3),          dead(id("n2"), 3, id("w3")),
  };
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    Table table(id("self"), 4, kRipening);
    // Members are known from the start, as an accusation alone cannot introduce one.
    table.merge(alive(id("n1"), 1), Source::spoken, kStart);
    table.merge(alive(id("n2"), 1), Source::spoken, kStart);
    random.shuffle(claims);
    for (const auto& claim : claims) table.merge(claim, Source::spoken, kStart);
    EXPECT_EQ(table.find(id("n1"))->standing, Standing::suspect);
    EXPECT_EQ(table.find(id("n1"))->incarnation, Incarnation(6));
    EXPECT_EQ(table.find(id("n2"))->standing, Standing::left);
  }
}

TEST_F(TableTest, ANewLifeIsAnnouncedOnce) {
  EXPECT_EQ(hear(alive(n_, 5)).happening, Happening::joined);
  EXPECT_EQ(hear(alive(n_, 5)).happening, std::nullopt);
  hear(suspect(n_, 5, w_));
  EXPECT_EQ(hear(alive(n_, 6)).happening, Happening::refuted);
  EXPECT_EQ(hear(alive(n_, 7, 2)).happening, Happening::replaced);
  hear(dead(n_, 7, w_));
  EXPECT_EQ(hear(alive(n_, 8, 3)).happening, Happening::returned);
}

TEST_F(TableTest, ARemoteDeadIsOnlyASuspectUntilItRipens) {
  hear(alive(n_, 5));
  const auto outcome = hear(dead(n_, 5, w_), Source::hearsay);
  EXPECT_EQ(standing(), Standing::suspect);
  EXPECT_EQ(outcome.happening, Happening::suspected);
  EXPECT_EQ(table_.next_deadline(), kStart + kRipening);
  EXPECT_TRUE(table_.advance(kStart + kRipening - Nanos(1)).died.empty());
  EXPECT_EQ(table_.advance(kStart + kRipening).died, std::vector{n_});
  EXPECT_EQ(standing(), Standing::dead);
}

TEST_F(TableTest, ARefutationKeepsAHearsayVerdictFromRipening) {
  hear(alive(n_, 5));
  hear(dead(n_, 5, w_), Source::hearsay);
  hear(alive(n_, 6));
  EXPECT_TRUE(table_.advance(kStart + 10 * kRipening).died.empty());
  EXPECT_EQ(standing(), Standing::alive);
}

TEST_F(TableTest, HearingAMemberOutweighsAHearsayVerdict) {
  hear(alive(n_, 5));
  hear(dead(n_, 5, w_), Source::hearsay);
  EXPECT_TRUE(table_.hear(n_, Incarnation(5), now_).stale) << "it has to be told";
  EXPECT_TRUE(table_.advance(kStart + 10 * kRipening).died.empty());
}

TEST_F(TableTest, AnUnknownDeadIsRememberedSoThatAnOldClaimCannotRaiseIt) {
  EXPECT_EQ(hear(dead(n_, 5, w_), Source::hearsay).happening, std::nullopt);
  EXPECT_EQ(standing(), Standing::dead);
  EXPECT_TRUE(hear(alive(n_, 5)).stale);
  EXPECT_EQ(standing(), Standing::dead);
}

TEST_F(TableTest, WhoWasFirstHeardOfByItsEndJoinsWhenItLives) {
  hear(dead(n_, 5, w_), Source::hearsay);
  EXPECT_EQ(hear(alive(n_, 6)).happening, Happening::joined);
  hear(dead(n_, 6, w_));
  EXPECT_EQ(hear(alive(n_, 7)).happening, Happening::returned);
}

TEST_F(TableTest, WhoWasFirstHeardOfByItsEndJoinsWhenItIsHeardItself) {
  hear(dead(n_, 5, w_), Source::hearsay);
  EXPECT_EQ(table_.hear(n_, Incarnation(6), now_).happening, Happening::joined);
  EXPECT_EQ(hear(alive(n_, 6)).happening, std::nullopt) << "announced once";
}

TEST_F(TableTest, SecondHandLifeIsUnverifiedUntilHeard) {
  hear(alive(n_, 5), Source::hearsay);
  EXPECT_FALSE(table_.find(n_)->verified);
  table_.hear(n_, Incarnation(5), now_);
  EXPECT_TRUE(table_.find(n_)->verified);
  hear(dead(n_, 5, w_));
  hear(alive(n_, 6), Source::hearsay);
  EXPECT_FALSE(table_.find(n_)->verified);
}

TEST_F(TableTest, ABeatOfAHigherIncarnationRaisesTheDeadAtOnce) {
  hear(alive(n_, 5));
  hear(dead(n_, 5, w_));
  EXPECT_TRUE(table_.hear(n_, Incarnation(5), now_).stale);
  EXPECT_EQ(table_.hear(n_, Incarnation(6), now_).happening, Happening::returned);
  EXPECT_EQ(incarnation(), 6U);
  EXPECT_EQ(table_.find(n_)->record.incarnation, Incarnation(5)) << "its record is still to come";
  EXPECT_TRUE(hear(alive(n_, 6)).changed);
  EXPECT_EQ(table_.find(n_)->record.incarnation, Incarnation(6));
}

TEST_F(TableTest, RefusesALifeWhoseRecordIsAnotherMembers) {
  wire::Claim forged = alive(n_, 5);
  forged.record->id = id("n2");
  EXPECT_TRUE(hear(forged).rejected);
  forged = alive(n_, 5);
  forged.record->incarnation = Incarnation(4);
  EXPECT_TRUE(hear(forged).rejected);
  forged.record.reset();
  EXPECT_TRUE(hear(forged).rejected);
  EXPECT_EQ(table_.find(n_), nullptr);
}

TEST_F(TableTest, ForgetsTheDeadByTheirClass) {
  hear(alive(n_, 5));
  wire::Claim fleeting = alive(id("n2"), 5);
  fleeting.record->tags["ephemeral"] = "true";
  hear(fleeting);
  hear(alive(id("n3"), 5));
  hear(dead(n_, 5, w_));
  hear(dead(id("n2"), 5, w_));
  hear(left(id("n3"), 5));
  EXPECT_EQ(table_.advance(kStart + std::chrono::hours(1)).forgotten, std::vector{id("n2")});
  EXPECT_EQ(table_.advance(kStart + std::chrono::hours(24)).forgotten, std::vector{id("n3")});
  EXPECT_EQ(table_.advance(kStart + std::chrono::hours(72)).forgotten, std::vector{n_});
  EXPECT_EQ(table_.next_deadline(), TimePoint::max());
}

TEST_F(TableTest, KeepsABoundedHistoryWithItsAccusers) {
  hear(alive(n_, 1));
  for (std::uint64_t i = 1; i <= 40; ++i) {
    hear(suspect(n_, i, w_));
    hear(alive(n_, i + 1));
  }
  const auto& history = table_.find(n_)->history;
  EXPECT_EQ(history.size(), Table::kHistoryMax);
  EXPECT_EQ(history.back().standing, Standing::alive);
  EXPECT_EQ(history[history.size() - 2].accuser, w_);
}

TEST_F(TableTest, EqualViewsHaveEqualDigestsWhateverTheWayThere) {
  Table other(id("other"), 4, kRipening);
  hear(alive(n_, 5));
  hear(suspect(n_, 5, w_));
  hear(alive(n_, 6));
  hear(alive(id("n2"), 1));
  hear(dead(id("n2"), 1, w_));
  other.merge(alive(n_, 6), Source::hearsay, now_);
  EXPECT_EQ(table_.digest().total(), other.digest().total()) << "the dead do not count";
  hear(suspect(n_, 6, w_));
  EXPECT_EQ(table_.digest().total(), other.digest().total()) << "nor does a suspicion";
  hear(alive(n_, 7));
  EXPECT_NE(table_.digest().total(), other.digest().total());
}

TEST_F(TableTest, TheRingsHoldTheLivingOnly) {
  hear(alive(n_, 5));
  EXPECT_EQ(table_.live_count(), 1U);
  hear(suspect(n_, 5, w_));
  EXPECT_EQ(table_.live_count(), 1U) << "a suspect keeps its place";
  hear(dead(n_, 5, w_));
  EXPECT_EQ(table_.live_count(), 0U);
  hear(alive(n_, 6));
  EXPECT_EQ(table_.live_count(), 1U);
  table_.forget(n_);
  EXPECT_EQ(table_.live_count(), 0U);
  EXPECT_EQ(table_.digest().total(), Table(id("x"), 4, kRipening).digest().total());
}

}  // namespace
}  // namespace riftbus::membership
