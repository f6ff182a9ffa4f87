// Work that waits for other work, and work that starts together.
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

Spec after_here(std::vector<std::uint16_t> positions) {
  Spec spec = job();
  spec.after_here = std::move(positions);
  return spec;
}

Spec after(std::vector<WorkId> ids) {
  Spec spec = job();
  spec.after = std::move(ids);
  return spec;
}

TEST(After, WaitsUntilAllAreDone) {
  Stand s;
  const auto ids = s.add({job(), job(), after_here({0, 1})});
  EXPECT_EQ(s.state(ids[2]), State::delayed);
  const auto held = s.claim("w1", 5);
  ASSERT_EQ(held.size(), 2U);
  s.complete(held[0]);
  EXPECT_EQ(s.state(ids[2]), State::delayed);
  s.complete(held[1]);
  EXPECT_EQ(s.take("w1").id(), ids[2]);
}

TEST(After, MayPointForwardInABatchAndToFinishedWork) {
  Stand s;
  const WorkId done = s.add(job());
  s.complete(s.take("w1"));
  Spec first = after_here({1});
  first.after = {done};
  const auto ids = s.add({first, job()});
  EXPECT_EQ(s.take("w1").id(), ids[1]);
  EXPECT_EQ(s.state(s.add(after({done}))), State::ready);
}

TEST(After, RefusesCycles) {
  Stand s;
  EXPECT_EQ(s.refusal({after_here({0})}), Outcome::cycle);
  EXPECT_EQ(s.refusal({after_here({1}), after_here({0})}), Outcome::cycle);
  EXPECT_EQ(s.refusal({job(), after_here({0, 3}), after_here({1}), after_here({2})}),
            Outcome::cycle);
  EXPECT_EQ(s.refusal({after_here({1}), after_here({2}), job()}), Outcome::ok);
}

TEST(After, RefusesAGangWhoseMembersWaitForEachOther) {
  Stand s;
  Spec a = job();
  a.gang = 1;
  Spec b = after_here({0});
  b.gang = 1;
  EXPECT_EQ(s.refusal({a, b}), Outcome::cycle);
  // Through a third: a waits for c, c for b, and a and b start together.
  Spec first = after_here({2});
  first.gang = 1;
  Spec second = job();
  second.gang = 1;
  EXPECT_EQ(s.refusal({first, second, after_here({1})}), Outcome::cycle);
}

TEST(After, AChainWhoseHeadIsCancelledIsCancelledToItsEnd) {
  Stand s;
  std::vector<Spec> chain = {job()};
  for (std::uint16_t i = 0; i < 999; ++i) chain.push_back(after_here({i}));
  const auto ids = s.add(chain);
  s.cancel(ids[0]);
  EXPECT_GT(s.ledger().items.size(), 0U) << "not all at once";
  s.tick();
  EXPECT_TRUE(s.ledger().items.empty());
  EXPECT_EQ(s.state(ids[999]), State::cancelled);
  EXPECT_EQ(s.refusal({after({ids[5]})}), Outcome::bad_dependency);
}

TEST(After, WaitsForTheDeadWhoMayBeKicked) {
  Stand s;
  const auto ids = s.add({job(), after_here({0})});
  s.bury(s.take("w1"));
  s.tick(1000);
  EXPECT_EQ(s.state(ids[1]), State::delayed);
  s.kick(ids[0]);
  s.complete(s.take("w1"));
  EXPECT_EQ(s.state(ids[1]), State::ready);
}

TEST(After, IsCancelledWhenTheDeadArePurged) {
  Stand s;
  const auto ids = s.add({job(), after_here({0})});
  s.bury(s.take("w1"));
  s.purge(ids[0]);
  s.tick();
  EXPECT_EQ(s.state(ids[1]), State::cancelled);
}

class GangTest : public testing::Test {
 protected:
  GangTest() {
    Spec spec = job();
    spec.gang = 1;
    spec.gang_timeout_ms = 10'000;
    ids_ = s_.add({spec, spec, spec});
  }
  [[nodiscard]] const Gang& gang() const { return s_.ledger().gangs.at(ids_[0]); }
  Stand s_;
  std::vector<WorkId> ids_;
};

TEST_F(GangTest, HoldsUntilTheLastIsGranted) {
  const auto first = s_.claim("w1", 2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_TRUE(first[0].grant.hold);
  EXPECT_EQ(first[0].grant.gang, ids_[0]);
  EXPECT_EQ(first[0].grant.gang_size, 3);
  EXPECT_FALSE(gang().started);
  EXPECT_FALSE(s_.take("w2").grant.hold);
  EXPECT_TRUE(gang().started);
  s_.tick(60'000);
  EXPECT_EQ(s_.ledger().count(State::leased), 3U) << "once begun, patience is no matter";
}

TEST_F(GangTest, GivesUpTogetherAndTriesAgain) {
  const auto first = s_.claim("w1", 2);
  s_.tick(9'999);
  EXPECT_EQ(s_.ledger().count(State::leased), 2U);
  s_.tick(1);
  EXPECT_EQ(s_.ledger().count(State::leased), 0U);
  EXPECT_EQ(s_.complete(first[0]).outcome, Outcome::stale);
  EXPECT_TRUE(s_.claim("w1", 5).empty()) << "not at once";
  s_.tick(20'000);
  EXPECT_EQ(s_.claim("w1", 5).size(), 3U);
  for (const WorkId id : ids_) EXPECT_EQ(s_.item(id).losses + s_.item(id).failures, 0);
}

TEST_F(GangTest, AMemberGivenBackBeforeTheBeginningMayGoToAnother) {
  const auto held = s_.claim("w1", 2);
  s_.release(held[0]);
  EXPECT_EQ(s_.ledger().count(State::leased), 1U);
  EXPECT_EQ(s_.claim("w2", 5).size(), 2U);
  EXPECT_TRUE(gang().started);
}

TEST_F(GangTest, FallsApartWhenOneFailsBeforeTheBeginning) {
  const auto held = s_.claim("w1", 2);
  s_.fail(held[0]);
  EXPECT_EQ(s_.ledger().count(State::leased), 0U);
}

TEST_F(GangTest, AsksTheOthersBackWhenOneFails) {
  const auto held = s_.claim("w1", 3);
  s_.fail(held[1]);
  EXPECT_TRUE(s_.item(ids_[0]).preempting);
  EXPECT_TRUE(s_.item(ids_[2]).preempting);
  s_.tick(60'000);
  EXPECT_TRUE(s_.claim("w2", 5).empty()) << "no member alone";
  s_.release(held[0]);
  s_.release(held[2]);
  const auto again = s_.claim("w2", 5);
  ASSERT_EQ(again.size(), 3U);
  for (const auto& h : again) EXPECT_EQ(s_.complete(h).outcome, Outcome::ok);
  EXPECT_TRUE(s_.ledger().gangs.empty());
}

TEST_F(GangTest, WhatIsLeftAfterSomeAreDoneIsASmallerGang) {
  const auto held = s_.claim("w1", 3);
  s_.complete(held[0]);
  s_.expire(held[1]);
  s_.release(held[2]);
  EXPECT_EQ(s_.claim("w1", 5).size(), 2U);
  EXPECT_TRUE(gang().started);
}

TEST_F(GangTest, IsCancelledAsAWhole) {
  const auto held = s_.claim("w1", 3);
  s_.cancel(ids_[1]);
  s_.release(held[1]);
  EXPECT_EQ(s_.item(ids_[0]).cancelling, Cause::gang);
  s_.release(held[0]);
  s_.release(held[2]);
  s_.tick();
  for (const WorkId id : ids_) EXPECT_EQ(s_.state(id), State::cancelled);
}

TEST_F(GangTest, WaitsForItsDeadMember) {
  const auto held = s_.claim("w1", 3);
  s_.bury(held[0]);
  s_.release(held[1]);
  s_.release(held[2]);
  s_.tick(100'000);
  EXPECT_TRUE(s_.claim("w1", 5).empty());
  s_.kick(ids_[0]);
  EXPECT_EQ(s_.claim("w1", 5).size(), 3U);
}

TEST(Gang, MembersThatWaitForTheirCancellationAreNotGranted) {
  // More than one entry cancels: the next entry, a claim, finds doomed members.
  Stand s;
  Spec spec = job();
  spec.gang = 1;
  const auto ids = s.add(std::vector<Spec>(kBatchMax, spec));
  ASSERT_EQ(s.ledger().count(State::ready), kBatchMax);
  s.cancel(ids[0]);
  ASSERT_GT(kBatchMax - 1, kDueMax);
  EXPECT_TRUE(s.claim("w1", 16, "cpus=2000").empty());
  EXPECT_EQ(s.ledger().ready.size(), 0U);
  s.tick();
  EXPECT_TRUE(s.ledger().items.empty());
  EXPECT_TRUE(s.ledger().gangs.empty());
  EXPECT_EQ(s.state(ids[kBatchMax - 1]), State::cancelled);
}

TEST(Gang, ADeadMemberOfACancelledGangStaysDeadUntilItIsKicked) {
  Stand s;
  Spec spec = job();
  spec.gang = 1;
  const auto ids = s.add({spec, spec});
  const auto held = s.claim("w1", 2);
  s.bury(held[0]);
  s.release(held[1]);
  s.cancel(ids[1]);
  s.tick();
  EXPECT_EQ(s.state(ids[0]), State::dead);
  s.kick(ids[0]);
  s.tick();
  EXPECT_EQ(s.state(ids[0]), State::cancelled);
}

TEST(Gang, WaitsForTheDependenciesOfEachMember) {
  Stand s;
  Spec free = job();
  free.gang = 1;
  Spec bound = after_here({0});
  bound.gang = 1;
  const auto ids = s.add({job("first"), free, bound});
  EXPECT_EQ(s.state(ids[1]), State::delayed);
  s.complete(s.take("w1"));
  EXPECT_EQ(s.claim("w1", 5).size(), 2U);
}

}  // namespace
}  // namespace riftbus::work
