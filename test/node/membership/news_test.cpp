// How news travel: floods, gaps, digests, leases, and lives that end.
#include "test/node/membership/stand.h"

namespace riftbus::membership {
namespace {

using wire::Standing;

class NewsTest : public Stand {
 protected:
  void SetUp() override { with_members(8); }
};

TEST_F(NewsTest, AClaimIsPassedOnOnce) {
  hear_flood(id("n1"), dead(id("n2"), 1, id("n3")));
  hear_flood(id("n4"), dead(id("n2"), 1, id("n3")));
  hear_flood(id("n5"), dead(id("n2"), 1, id("n6")));
  EXPECT_EQ(published(id("n2"), Standing::dead).size(), 1U);
  EXPECT_EQ(published(id("n2"), Standing::dead)[0].accuser, id("n3"));
  EXPECT_EQ(core_->stats().floods_duplicate, 2U);
}

TEST_F(NewsTest, AVerdictIsBelievedAtOnceByThoseWhoDoNotWatch) {
  hear_flood(id("n1"), dead(id("n2"), 1, id("n3")));
  EXPECT_EQ(standing(id("n2")), Standing::dead);
  EXPECT_EQ(core_->find(id("n2"))->history.back().accuser, id("n3"));
}

TEST_F(NewsTest, AMemberFalselyCalledDeadIsToldWhenItBeats) {
  const NodeId subject = core_->watching().front().peer;
  hear_flood(other_watchers(subject)[0], dead(subject, 1, other_watchers(subject)[0]));
  subscribed_.insert(subject);  // a frame under way when we turned away
  beat(subject);
  EXPECT_EQ(told(subject, subject, Standing::dead).size(), 1U);
}

TEST_F(NewsTest, AGapInTheSequenceIsAskedForAgain) {
  const NodeId subject = core_->watching().front().peer;
  peer(subject).seq += 3;
  beat(subject);
  const auto asked = sent<wire::Resync>(subject);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].to.value() - asked[0].from.value(), 2U);
}

TEST_F(NewsTest, WhatWasSaidLatelyIsSaidAgainOnRequest) {
  run(Millis(500));
  const auto said = static_cast<std::uint64_t>(publishes_.size());
  hear_flood(id("n1"), dead(id("n2"), 1, id("n3")));
  ASSERT_EQ(publishes_.size(), said + 1);
  hear_call(id("n4"), wire::Resync{Seq(1), Seq(1'000'000)}, 7, Correlation(5));
  ASSERT_FALSE(replies_.empty());
  const auto& gossip = std::get<wire::Gossip>(replies_.back().body);
  ASSERT_FALSE(gossip.claims.empty());
  EXPECT_EQ(gossip.claims.back().subject, id("n2"));
}

TEST_F(NewsTest, ADigestThatDiffersForLongIsLookedInto) {
  const NodeId subject = core_->watching().front().peer;
  run(Seconds(15));
  forget_output();
  wire::Beat beat;
  beat.incarnation = Incarnation(1);
  beat.digest = core_->digest() + 1;
  beat.interval_ms = 1000;
  peer(subject).beats = false;
  for (int i = 0; i < 5; ++i) {
    beat.uptime_ms = static_cast<std::uint64_t>(to_ms(now_ - peer(subject).started));
    step(Received{wire::Channel::pub,
                  {},
                  {subject, Instance(1), Seq(++peer(subject).seq), Correlation{}, beat}});
    if (i == 1) {
      EXPECT_TRUE(sent<wire::Digest>(subject).empty()) << "a flood may be under way";
    }
    run(Seconds(1));
  }
  EXPECT_EQ(sent<wire::Digest>(subject).size(), 1U);
}

TEST_F(NewsTest, AnswersADigestWithTheBucketsThatDiffer) {
  hear_call(id("n1"), wire::Digest{}, 7, Correlation(5));
  const auto& answer = std::get<wire::DigestAnswer>(replies_.back().body);
  EXPECT_EQ(answer.entries.size(), 9U);
  EXPECT_LE(answer.differing.size(), 9U);
}

TEST_F(NewsTest, FetchesOnlyWhatIsNews) {
  while (sends_.empty() || !std::holds_alternative<wire::Digest>(sends_.back().body))
    run(Millis(10));
  const Send question = sends_.back();
  wire::DigestAnswer answer;
  for (std::uint8_t i = 0; i < 64; ++i) answer.differing.push_back(i);
  for (const Member* member : core_->members()) {
    answer.entries.push_back({member->record.id, member->incarnation, member->standing});
  }
  answer.entries.push_back({id("new"), Incarnation(3), Standing::alive});
  answer.entries.push_back({id("gone"), Incarnation(3), Standing::dead});
  hear_call(question.to, answer, 0, question.correlation);
  // That question was answered once already: what comes again is not ours.
  EXPECT_TRUE(sent<wire::Fetch>(question.to).empty());
}

TEST_F(NewsTest, MembersRegisterWithThoseTheyWatch) {
  std::set<NodeId> asked;
  forget_output();
  run(Seconds(270));
  for (const auto& report : core_->watching()) {
    EXPECT_GE(sent<wire::Watch>(report.peer).size(), 1U) << report.peer.value();
  }
}

TEST_F(NewsTest, ListsItsWatchersUntilTheirLeaseEnds) {
  hear_call(id("n1"), wire::Watch{5000}, 7, Correlation(5));
  hear_call(id("n2"), wire::Watch{60000}, 7, Correlation(6));
  EXPECT_EQ(core_->watched_by(), (std::vector{id("n1"), id("n2")}));
  run(Seconds(7));
  EXPECT_EQ(core_->watched_by(), std::vector{id("n2")});
  hear_call(id("n2"), wire::Watch{0});
  EXPECT_TRUE(core_->watched_by().empty());
}

TEST_F(NewsTest, AWatcherThatTheRosterNoLongerNamesIsNoneAtOnce) {
  step(RosterAdopted{RosterVersion(2), {id("me"), id("n1"), id("n2")}});
  hear_call(id("n1"), wire::Watch{60000}, 7, Correlation(5));
  hear_call(id("n2"), wire::Watch{60000}, 7, Correlation(6));
  ASSERT_EQ(core_->watched_by(), (std::vector{id("n1"), id("n2")}));
  step(RosterAdopted{RosterVersion(3), {id("me"), id("n2")}});
  EXPECT_EQ(core_->watched_by(), std::vector{id("n2")});
}

TEST_F(NewsTest, AMemberShortOfWatchersAsksItsSuccessors) {
  run(Seconds(10));
  int recruits = 0;
  for (const auto& send : sends_) {
    const auto* watch = std::get_if<wire::Watch>(&send.body);
    if (watch != nullptr && watch->recruit) ++recruits;
  }
  EXPECT_GE(recruits, 4);
}

TEST_F(NewsTest, HelpsAMemberThatIsShortOfWatchers) {
  NodeId stranger;
  for (int i = 1; i <= 8 && stranger.empty(); ++i) {
    if (!subscribed_.contains(numbered("n", i))) stranger = numbered("n", i);
  }
  ASSERT_FALSE(stranger.empty());
  hear_call(stranger, wire::Watch{20000, true});
  run(Seconds(1));
  EXPECT_TRUE(subscribed_.contains(stranger));
  run(Seconds(30));
  EXPECT_FALSE(subscribed_.contains(stranger)) << "help ends";
}

TEST_F(NewsTest, ASuspicionMovesNoSubscription) {
  const auto before = subscribed_;
  const int made = subscriptions_;
  for (int i = 1; i <= 3; ++i) {
    hear_flood(id("n8"), suspect(numbered("n", i), 1, id("n8")));
    run(Seconds(2));
    hear_flood(id("n8"), alive(numbered("n", i), 2));
    peer(i).incarnation = 2;
  }
  run(Seconds(10));
  EXPECT_EQ(subscribed_, before);
  EXPECT_EQ(subscriptions_, made);
}

TEST_F(NewsTest, ANewLifeUnderTheSameIdReplacesTheOldOne) {
  const NodeId subject = core_->watching().front().peer;
  hear_flood(other_watchers(subject)[0], alive(subject, 5, 2));
  EXPECT_EQ(count(Happening::replaced, subject), 1);
  EXPECT_EQ(core_->find(subject)->record.instance, Instance(2));
}

TEST_F(NewsTest, TheOlderOfTwoLivesIsToldOfTheNewerOne) {
  const NodeId subject = core_->watching().front().peer;
  hear_flood(other_watchers(subject)[0], alive(subject, 5, 2));
  beat(subject);  // the first life, incarnation 1
  const auto said = told(subject, subject, Standing::alive);
  ASSERT_EQ(said.size(), 1U) << "once, however often it speaks";
  EXPECT_EQ(said[0].record->instance, Instance(2));
}

TEST_F(NewsTest, AMemberThatLeftIsNotLookedFor) {
  const NodeId subject = core_->watching().front().peer;
  silence(subject);
  hear_flood(subject, left(subject, 1));
  EXPECT_EQ(count(Happening::left, subject), 1);
  run(Seconds(20));
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_EQ(count(Happening::died), 0);
}

TEST_F(NewsTest, BeatsComeEachIntervalAndATenthEitherWay) {
  forget_output();
  run(Seconds(100));
  int beats = 0;
  for (const auto& body : publishes_) {
    if (std::holds_alternative<wire::Beat>(body)) ++beats;
  }
  EXPECT_NEAR(beats, 100, 3);
}

TEST_F(NewsTest, StrangersOutsideTheRosterAreNotHeard) {
  step(RosterAdopted{RosterVersion(2), {id("me"), id("n1")}});
  hear_call(id("evil"), wire::Join{record_of(id("evil"), 9), {}}, 7, Correlation(5));
  EXPECT_EQ(core_->find(id("evil")), nullptr);
  EXPECT_TRUE(replies_.empty());
}

}  // namespace
}  // namespace riftbus::membership
