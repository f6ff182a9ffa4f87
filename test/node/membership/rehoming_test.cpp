// Members behind relays, and relays that are lost.
#include "node/membership/watch.h"
#include "test/node/membership/stand.h"

namespace riftbus::membership {
namespace {

using wire::Standing;

class RehomingTest : public Stand {
 protected:
  // Everybody is behind the same relay; the one that we watch is the subject.
  void town_of(int count) {
    for (int i = 1; i <= count; ++i) peer(i).is_relayed = true;
    with_members(count);
    subject_ = core_->watching().front().peer;
  }
  void lose_relay() {
    silence(subject_);
    peer(subject_).dialled = DialOutcome::relay_lost;
    step(LinkDown{subject_});
  }
  NodeId subject_;
};

TEST_F(RehomingTest, AMemberWhoseRelayIsLostIsUnreachableAndNotSuspected) {
  town_of(8);
  lose_relay();
  const Nanos took = run_until(Happening::unreachable, subject_, Seconds(5));
  EXPECT_LE(took, Seconds(3));
  EXPECT_EQ(standing(subject_), Standing::unreachable);
  EXPECT_FALSE(published(subject_, Standing::unreachable).empty());
  ASSERT_TRUE(report(subject_).frozen_until.has_value());
  run(Seconds(30));
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_EQ(published(subject_, Standing::unreachable).size(), 1U) << "said once";
}

TEST_F(RehomingTest, TheFreezeHasAnEnd) {
  town_of(8);
  lose_relay();
  run_until(Happening::unreachable, subject_, Seconds(5));
  const Nanos suspected = run_until(Happening::suspected, subject_, Seconds(90));
  EXPECT_GE(suspected, Watch::kRehomeMax - Seconds(2)) << "from the loss on";
  EXPECT_LE(suspected, Watch::kRehomeMax + Seconds(6));
  run_until(Happening::died, subject_, Seconds(15));
}

TEST_F(RehomingTest, TheFreezeBeganWhenTheFirstOneSaidSo) {
  town_of(8);
  hear_flood(other_watchers(subject_).front(),
             unreachable(subject_, 1, other_watchers(subject_).front()));
  EXPECT_EQ(standing(subject_), Standing::unreachable);
  // Our own path works for half of the time.
  run(Watch::kRehomeMax / 2);
  lose_relay();
  const Nanos suspected = run_until(Happening::suspected, subject_, Seconds(90));
  EXPECT_LE(suspected, Watch::kRehomeMax / 2 + Seconds(6));
}

TEST_F(RehomingTest, ARelayThatAnswersWithoutItsMemberShortensTheFreeze) {
  town_of(8);
  lose_relay();
  run_until(Happening::unreachable, subject_, Seconds(5));
  peer(subject_).dialled = DialOutcome::silent;
  const Nanos suspected = run_until(Happening::suspected, subject_, Seconds(90));
  EXPECT_GE(suspected, Watch::kReattachMax - Seconds(1));
  EXPECT_LE(suspected, Watch::kReattachMax + Seconds(6));
}

TEST_F(RehomingTest, OthersWordOfALostRelayIsEnoughToWait) {
  town_of(8);
  silence(subject_);
  peer(subject_).dialled = DialOutcome::silent;  // the relay is back by now
  step(LinkDown{subject_});
  const auto other = other_watchers(subject_).front();
  hear_flood(other, unreachable(subject_, 1, other));
  run(Watch::kReattachMax - Seconds(1));
  EXPECT_EQ(count(Happening::suspected), 0);
  run_until(Happening::suspected, subject_, Seconds(6));
}

TEST_F(RehomingTest, WhoeverIsHeardAgainIsToldAndRefutes) {
  town_of(8);
  lose_relay();
  run_until(Happening::unreachable, subject_, Seconds(5));
  run(Seconds(20));
  Peer& back = peer(subject_);
  back.dialled = DialOutcome::accepted;
  back.beats = back.answers = true;
  step(LinkUp{subject_});
  run(Seconds(3));
  EXPECT_FALSE(told(subject_, subject_, Standing::unreachable).empty());
  back.incarnation = 2;
  hear_flood(subject_, alive(subject_, 2));
  EXPECT_EQ(standing(subject_), Standing::alive);
  EXPECT_EQ(count(Happening::refuted, subject_), 1);
  run(Seconds(90));
  EXPECT_EQ(count(Happening::suspected), 0);
}

TEST_F(RehomingTest, NobodyIsAccusedBeforeTheRelayHadTimeToAnswer) {
  town_of(8);
  silence(subject_);
  peer(subject_).answers_dials = false;
  step(LinkDown{subject_});
  run(Watch::kDialMax - Millis(500));
  EXPECT_EQ(count(Happening::suspected), 0);
  run_until(Happening::suspected, subject_, Seconds(10));
}

TEST_F(RehomingTest, ALossDuringTheSuspicionFreezesIt) {
  town_of(8);
  silence(subject_);
  peer(subject_).dialled = DialOutcome::silent;
  run_until(Happening::suspected, subject_, Seconds(10));
  peer(subject_).dialled = DialOutcome::relay_lost;
  run(Seconds(50));
  EXPECT_EQ(count(Happening::died), 0);
  run_until(Happening::died, subject_, Seconds(40));
}

TEST_F(RehomingTest, WhoeverReachesNobodyBlamesNoRelay) {
  town_of(8);
  for (int i = 1; i <= 8; ++i) {
    silence(numbered("n", i));
    peer(i).dialled = DialOutcome::relay_lost;
  }
  run(Seconds(60));
  EXPECT_EQ(count(Happening::unreachable), 0);
  EXPECT_EQ(count(Happening::suspected), 0);
}

TEST_F(RehomingTest, AnotherWatchersEarsOutweighOurDial) {
  town_of(8);
  lose_relay();
  for (int i = 0; i < 100; ++i) {
    if (i % 10 == 0) {
      ++peer(subject_).seq;
      peer(subject_).last_beat = now_;  // the others go on hearing it
    }
    run(Millis(100));
  }
  EXPECT_EQ(count(Happening::unreachable), 0);
  EXPECT_EQ(count(Happening::link_fault, subject_), 1);
}

TEST_F(RehomingTest, BehindARelayANewRecordIsToldToTheWatchersThemselves) {
  settings_.record.addresses = {relay_address()};
  with_members(8);
  auto record = settings_.record;
  record.tags["changed"] = "yes";
  step(SelfChanged{record});
  const auto watchers = other_watchers(settings_.self);
  ASSERT_FALSE(watchers.empty());
  for (const auto& watcher : watchers) {
    EXPECT_FALSE(told(watcher, settings_.self, Standing::alive).empty()) << watcher.value();
  }
}

TEST_F(RehomingTest, ToBeUnreachableIsRefutedAndNoSignOfBadHealth) {
  with_members(8);
  const auto before = core_->incarnation();
  hear_call(id("n1"), wire::Gossip{{unreachable(settings_.self, before.value(), id("n1"))}});
  EXPECT_GT(core_->incarnation(), before);
  EXPECT_EQ(core_->health(), 0);
}

}  // namespace
}  // namespace riftbus::membership
