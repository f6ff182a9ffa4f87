// Meeting: seeds, pages, healing, and being taken in.
#include <gmock/gmock.h>

#include "test/node/membership/stand.h"

namespace riftbus::membership {
namespace {

using wire::Standing;

class JoinTest : public Stand {
 protected:
  void answer_join(const NodeId& seed, wire::JoinAnswer answer) {
    for (auto at = sends_.rbegin(); at != sends_.rend(); ++at) {
      if (at->to != seed || !std::holds_alternative<wire::Join>(at->body)) continue;
      hear_call(seed, std::move(answer), 0, at->correlation);
      return;
    }
    FAIL() << seed.value() << " was not asked";
  }
};

TEST_F(JoinTest, WithoutSeedsItIsAClusterOfOne) {
  start();
  EXPECT_TRUE(core_->joined());
  EXPECT_EQ(core_->members().size(), 1U);
}

TEST_F(JoinTest, AsksTwoSeedsAtATimeUntilOneAnswers) {
  settings_.seeds = {id("s1"), id("s2"), id("s3"), id("me")};
  for (int i = 1; i <= 3; ++i) peer(numbered("s", i)).beats = false;
  start();
  EXPECT_EQ(sends_.size(), 2U);
  EXPECT_FALSE(core_->joined());
  run(Seconds(30));
  for (int i = 1; i <= 3; ++i) {
    EXPECT_GE(sent<wire::Join>(numbered("s", i)).size(), 2U);
    EXPECT_LE(sent<wire::Join>(numbered("s", i)).size(), 10U) << "with growing pauses";
  }
  answer_join(id("s1"), {.seen = {}, .claims = {alive(id("s1"), 1)}, .after = {}});
  EXPECT_TRUE(core_->joined());
  forget_output();
  run(Seconds(5));
  EXPECT_TRUE(sent<wire::Join>(id("s2")).empty());
}

TEST_F(JoinTest, ReadsAllPages) {
  settings_.seeds = {id("s1")};
  peer(id("s1")).beats = false;
  start();
  answer_join(id("s1"), {.seen = {}, .claims = {alive(id("a1"), 1)}, .after = id("b1")});
  EXPECT_FALSE(core_->joined());
  ASSERT_EQ(sent<wire::Join>(id("s1")).size(), 2U);
  EXPECT_EQ(sent<wire::Join>(id("s1"))[1].after, id("b1"));
  answer_join(id("s1"), {.seen = {}, .claims = {alive(id("c1"), 1)}, .after = {}});
  EXPECT_TRUE(core_->joined());
  EXPECT_NE(core_->find(id("a1")), nullptr);
  EXPECT_NE(core_->find(id("c1")), nullptr);
  EXPECT_TRUE(published(id("a1"), Standing::alive).empty()) << "it was news only to us";
}

TEST_F(JoinTest, AnAnswerNobodyAskedForIsIgnored) {
  settings_.seeds = {id("s1")};
  peer(id("s1")).beats = false;
  start();
  hear_call(id("s1"), wire::JoinAnswer{{}, {alive(id("a1"), 1)}, {}}, 0, Correlation(4711));
  hear_call(id("s2"), wire::JoinAnswer{{}, {alive(id("a1"), 1)}, {}}, 0, sends_[0].correlation);
  EXPECT_EQ(core_->find(id("a1")), nullptr);
  EXPECT_FALSE(core_->joined());
}

TEST_F(JoinTest, GoesAboveTheIncarnationThatTheSeedRemembers) {
  settings_.seeds = {id("s1")};
  peer(id("s1")).beats = false;
  start();
  answer_join(id("s1"), {.seen = Incarnation(7'000'000),
                         .claims = {dead(id("me"), 7'000'000, id("s1"))},
                         .after = {}});
  EXPECT_EQ(core_->incarnation(), Incarnation(7'000'001));
  EXPECT_EQ(told(id("s1"), id("me"), Standing::alive).size(), 1U);
}

TEST_F(JoinTest, TakesANewcomerInAndTellsEverybody) {
  with_members(3);
  hear_call(id("new"), wire::Join{record_of(id("new"), 9), {}}, 7, Correlation(5));
  ASSERT_EQ(replies_.size(), 1U);
  const auto& answer = std::get<wire::JoinAnswer>(replies_[0].body);
  EXPECT_EQ(answer.seen, Incarnation(0));
  EXPECT_EQ(answer.claims.size(), 5U) << "n1, n2, n3, ourselves, and its own record";
  EXPECT_EQ(published(id("new"), Standing::alive).size(), 1U);
  EXPECT_EQ(count(Happening::joined, id("new")), 1);
}

TEST_F(JoinTest, TellsAJoinerUnderAnOldNumberSo) {
  with_members(3);
  hear_flood(id("n1"), dead(id("n2"), 1, id("n1")));
  hear_call(id("n2"), wire::Join{record_of(id("n2"), 1), {}}, 7, Correlation(5));
  const auto& answer = std::get<wire::JoinAnswer>(replies_.back().body);
  EXPECT_EQ(answer.seen, Incarnation(1));
  ASSERT_FALSE(answer.claims.empty());
  EXPECT_EQ(answer.claims[0].subject, id("n2"));
  EXPECT_EQ(answer.claims[0].standing, Standing::dead);
  EXPECT_EQ(standing(id("n2")), Standing::dead);
}

TEST_F(JoinTest, NobodyCanJoinForAnother) {
  with_members(3);
  hear_call(id("n1"), wire::Join{record_of(id("n9"), 9), {}}, 7, Correlation(5));
  EXPECT_EQ(core_->find(id("n9")), nullptr);
  EXPECT_EQ(core_->stats().claims_rejected, 1U);
}

TEST_F(JoinTest, PagesItsAnswerForALargeCluster) {
  start();
  for (int i = 100; i < 300; ++i) take_in(numbered("n", i));
  std::set<NodeId> seen;
  NodeId after;
  for (int page = 0; page < 10; ++page) {
    hear_call(id("new"), wire::Join{record_of(id("new"), 9), after}, 7, Correlation(5));
    const auto& answer = std::get<wire::JoinAnswer>(replies_.back().body);
    EXPECT_LE(answer.claims.size(), 66U);
    for (const auto& claim : answer.claims) seen.insert(claim.subject);
    after = answer.after;
    if (after.empty()) break;
  }
  EXPECT_TRUE(after.empty());
  EXPECT_EQ(seen.size(), 202U);
}

TEST_F(JoinTest, TriesTheDeadAgain) {
  with_members(3);
  silence(id("n1"));
  hear_flood(id("n2"), dead(id("n1"), 1, id("n2")));
  run(Seconds(120));
  EXPECT_GE(sent<wire::Join>(id("n1")).size(), 2U);
  EXPECT_LE(sent<wire::Join>(id("n1")).size(), 12U);
}

TEST_F(JoinTest, BothHalvesOfAHealedPartitionAreToldWhatIsSaidOfThem) {
  with_members(4);
  // The other half holds n1 dead and n9 alive; we hold n9 dead.
  hear_flood(id("n1"), alive(id("n9"), 1));
  silence(id("n9"));
  hear_flood(id("n1"), dead(id("n9"), 1, id("n1")));
  while (sent<wire::Join>(id("n9")).empty()) run(Millis(100));
  answer_join(id("n9"),
              {.seen = Incarnation(1),
               .claims = {dead(id("n1"), 1, id("n9")), alive(id("n9"), 1), alive(id("n8"), 1)},
               .after = {}});
  run(Millis(300));
  EXPECT_EQ(told(id("n9"), id("n9"), Standing::dead).size(), 1U);
  EXPECT_EQ(told(id("n1"), id("n1"), Standing::suspect).size(), 1U);
  EXPECT_EQ(published(id("n8"), Standing::alive).size(), 1U) << "news for our half";
  EXPECT_NE(standing(id("n1")), Standing::dead);
  EXPECT_FALSE(told(id("n9"), id("n2"), Standing::alive).empty()) << "its half may not know n2";
}

TEST_F(JoinTest, ARosterForgetsThoseItDoesNotName) {
  with_members(3);
  step(RosterAdopted{RosterVersion(2), {id("me"), id("n1"), id("n2")}});
  EXPECT_EQ(core_->find(id("n3")), nullptr);
  EXPECT_EQ(count(Happening::forgotten, id("n3")), 1);
  EXPECT_FALSE(subscribed_.contains(id("n3")));
  hear_flood(id("n1"), alive(id("n3"), 9));
  EXPECT_EQ(core_->find(id("n3")), nullptr);
  run(Seconds(2));
  const auto* beat = std::get_if<wire::Beat>(&publishes_.back());
  ASSERT_NE(beat, nullptr);
  EXPECT_EQ(beat->roster, RosterVersion(2));
}

}  // namespace
}  // namespace riftbus::membership
