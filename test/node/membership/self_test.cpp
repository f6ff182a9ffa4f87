// Our own life: its numbers, and the answer to an accusation.
#include "test/node/membership/stand.h"

namespace riftbus::membership {
namespace {

using wire::Evidence;
using wire::Standing;

class SelfTest : public Stand {};

TEST_F(SelfTest, TheFirstIncarnationIsAboveTheStoredOneAndTheWallClock) {
  settings_.stored = Incarnation(2'000'000);
  start();
  EXPECT_EQ(core_->incarnation(), Incarnation(2'000'001));
}

TEST_F(SelfTest, AWipedDiskIsMadeUpForByTheWallClock) {
  start();
  EXPECT_EQ(core_->incarnation(), Incarnation(1'000'000));
}

TEST_F(SelfTest, SaysNothingBeforeItsIncarnationIsStored) {
  disk_works_ = false;
  settings_.seeds = {id("n1")};
  start();
  run(Seconds(5));
  EXPECT_TRUE(publishes_.empty());
  EXPECT_TRUE(sends_.empty());
  ASSERT_EQ(stores_.size(), 1U);
  step(IncarnationStored{stores_.front()});
  EXPECT_EQ(sent<wire::Join>(id("n1")).size(), 1U);
}

TEST_F(SelfTest, AnswersAnAccusationByAHigherIncarnationOnceItIsStored) {
  with_members(5);
  const auto before = core_->incarnation();
  disk_works_ = false;
  hear_flood(id("n1"), suspect(id("me"), before.value(), id("n2")));
  ASSERT_EQ(stores_, std::vector{before.next()});
  run(Millis(500));
  EXPECT_TRUE(published(id("me"), Standing::alive).empty());
  EXPECT_EQ(core_->incarnation(), before);
  step(IncarnationStored{before.next()});
  ASSERT_EQ(published(id("me"), Standing::alive).size(), 1U);
  EXPECT_EQ(published(id("me"), Standing::alive)[0].incarnation, before.next());
  EXPECT_EQ(told(id("n2"), id("me"), Standing::alive).size(), 1U) << "the accuser hears it first";
  EXPECT_EQ(count(Happening::accused_self, id("me")), 1);
}

TEST_F(SelfTest, GoesAboveAVerdictOfTheFuture) {
  with_members(5);
  hear_flood(id("n1"), dead(id("me"), 5'000'000, id("n2")));
  EXPECT_EQ(core_->incarnation(), Incarnation(5'000'001));
}

TEST_F(SelfTest, AnswersManyAccusersByOneIncarnation) {
  with_members(5);
  const auto before = core_->incarnation();
  disk_works_ = false;
  for (int i = 1; i <= 4; ++i) {
    hear_call(numbered("n", i),
              wire::Gossip{{suspect(id("me"), before.value(), numbered("n", i))}});
  }
  EXPECT_EQ(stores_.size(), 1U);
  step(IncarnationStored{before.next()});
  for (int i = 1; i <= 4; ++i) {
    EXPECT_EQ(told(numbered("n", i), id("me"), Standing::alive).size(), 1U);
  }
  EXPECT_EQ(core_->stats().refutations, 1U);
}

TEST_F(SelfTest, AnOldAccusationToldInPersonIsAnsweredInPerson) {
  with_members(5);
  hear_call(id("n3"), wire::Gossip{{dead(id("me"), 5, id("n2"))}});
  EXPECT_EQ(told(id("n3"), id("me"), Standing::alive).size(), 1U);
  EXPECT_TRUE(stores_.empty());
}

TEST_F(SelfTest, CannotBeDrivenToTheEndOfTheNumberLine) {
  with_members(5);
  const auto before = core_->incarnation();
  hear_flood(id("n1"), dead(id("me"), UINT64_MAX, id("n2")));
  run(Seconds(2));
  EXPECT_EQ(core_->incarnation(), before);
}

TEST_F(SelfTest, AChangedRecordIsSaidUnderANewIncarnation) {
  with_members(5);
  const auto before = core_->incarnation();
  const auto since = core_->find(id("me"))->since;
  wire::Record changed = settings_.record;
  changed.tags["rack"] = "7";
  now_ += Seconds(1);
  step(SelfChanged{changed});
  EXPECT_EQ(core_->find(id("me"))->since, since) << "it was alive all the time";
  const auto said = published(id("me"), Standing::alive);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_EQ(said[0].incarnation, before.next());
  EXPECT_EQ(said[0].record->tags.at("rack"), "7");
  EXPECT_EQ(said[0].record->instance, Instance(99));
}

TEST_F(SelfTest, AYoungProcessTakesAnotherLifeForItsOwnPastAndGoesAboveIt) {
  with_members(5);
  const auto before = core_->incarnation();
  hear_flood(id("n1"), alive(id("me"), before.value() + 10, 777));
  EXPECT_EQ(core_->incarnation(), Incarnation(before.value() + 11));
  EXPECT_EQ(count(Happening::conflict), 0);
}

TEST_F(SelfTest, TwoYoungDoublesDoNotRaceForEver) {
  with_members(5);
  for (int i = 0; i < 10; ++i) {
    hear_flood(id("n1"), alive(id("me"), core_->incarnation().value() + 1, 777));
  }
  EXPECT_EQ(stores_.size(), 3U);
  EXPECT_EQ(count(Happening::conflict, id("me")), 1);
}

TEST_F(SelfTest, StepsBackForANewerLifeUnderItsId) {
  with_members(5);
  run(Seconds(60));
  const auto before = core_->incarnation();
  hear_flood(id("n1"), alive(id("me"), before.value() + 10, 777));
  EXPECT_EQ(count(Happening::conflict, id("me")), 1);
  forget_output();
  run(Seconds(5));
  EXPECT_TRUE(publishes_.empty()) << "two beating under one id would confuse everybody";
  EXPECT_TRUE(stores_.empty());
}

TEST_F(SelfTest, ReturnsAboveADoubleThatIsMissed) {
  with_members(5);
  run(Seconds(60));
  const auto before = core_->incarnation();
  hear_flood(id("n1"), alive(id("me"), before.value() + 10, 777));
  hear_flood(id("n1"), suspect(id("me"), before.value() + 10, id("n2")));
  EXPECT_EQ(core_->incarnation(), Incarnation(before.value() + 11));
  forget_output();
  run(Seconds(3));
  EXPECT_FALSE(publishes_.empty());
}

TEST_F(SelfTest, IgnoresItsOwnPast) {
  with_members(5);
  const auto before = core_->incarnation();
  hear_flood(id("n1"), alive(id("me"), 5, 3));
  EXPECT_EQ(core_->incarnation(), before);
  EXPECT_EQ(count(Happening::conflict), 0);
}

TEST_F(SelfTest, LeavesWithAWordAndFallsSilent) {
  with_members(5);
  forget_output();
  step(LeaveRequested{});
  EXPECT_EQ(published(id("me"), Standing::left).size(), 1U);
  std::set<NodeId> told;
  for (const auto& send : sends_) {
    const auto* gossip = std::get_if<wire::Gossip>(&send.body);
    if (gossip && gossip->claims.front().standing == Standing::left) told.insert(send.to);
  }
  EXPECT_EQ(told.size(), 4U) << "its watchers may not have connected again after a restart";
  EXPECT_TRUE(subscribed_.empty());
  forget_output();
  run(Seconds(10));
  EXPECT_TRUE(publishes_.empty());
  EXPECT_TRUE(sends_.empty());
}

}  // namespace
}  // namespace riftbus::membership
