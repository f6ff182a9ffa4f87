// A process that was killed: its host still answers, with a refusal.
#include "test/node/membership/stand.h"

namespace riftbus::membership {
namespace {

using wire::Evidence;
using wire::Standing;

class RefusalTest : public Stand {
 protected:
  void town_of(int count) {
    with_members(count);
    subject_ = core_->watching().front().peer;
  }
  void others_are_refused() {
    for (const auto& watcher : other_watchers(subject_)) peer(watcher).says_refused = true;
  }
  NodeId subject_;
};

TEST_F(RefusalTest, TwoWitnessesAndTheGraceMakeAVerdictWithinASecond) {
  town_of(8);
  others_are_refused();
  kill(subject_);
  EXPECT_EQ(dials_, std::vector{subject_}) << "a lost link is looked into at once";
  EXPECT_EQ(standing(subject_), Standing::suspect);
  const Nanos took = run_until(Happening::died, subject_, Seconds(3));
  EXPECT_LE(took, Millis(800));
  EXPECT_EQ(last(Happening::died)->evidence, Evidence::refused);
  EXPECT_EQ(dials_.size(), 2U) << "and dialled once more at the end";
}

TEST_F(RefusalTest, TheSecondWitnessMayComeByItsAccusation) {
  town_of(8);
  kill(subject_);
  const auto watcher = other_watchers(subject_)[0];
  for (const auto& other : other_watchers(subject_)) peer(other).answers = false;
  EXPECT_EQ(count(Happening::suspected), 0) << "one witness is not enough";
  hear_flood(watcher, suspect(subject_, 1, watcher, Evidence::refused));
  for (const auto& other : other_watchers(subject_)) {
    peer(other).answers = true;
    peer(other).says_refused = true;
  }
  const Nanos took = run_until(Happening::died, subject_, Seconds(3));
  EXPECT_LE(took, Millis(800));
}

TEST_F(RefusalTest, AProcessBackWithinTheGraceIsNotDead) {
  town_of(8);
  others_are_refused();
  kill(subject_);
  run(Millis(300));
  Peer& restarted = peer(subject_);
  restarted.dialled = DialOutcome::accepted;
  run(Millis(400));
  restarted.beats = restarted.answers = true;
  restarted.incarnation = 2;
  restarted.instance = 2;
  restarted.seq = 0;
  restarted.started = now_;
  step(LinkUp{subject_});
  hear_flood(subject_, alive(subject_, 2, 2));
  run(Seconds(10));
  EXPECT_EQ(count(Happening::died), 0);
  EXPECT_EQ(count(Happening::replaced, subject_), 1);
}

TEST_F(RefusalTest, OneWitnessAmongManyIsABrokenPath) {
  town_of(8);
  Peer& cut = peer(subject_);
  cut.dialled = DialOutcome::refused;
  cut.answers = false;
  cut.beats = false;
  step(LinkDown{subject_});
  for (int i = 0; i < 200; ++i) {
    if (i % 10 == 0) {
      ++cut.seq;
      cut.last_beat = now_;  // the others go on hearing it
    }
    run(Millis(100));
  }
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_EQ(count(Happening::died), 0);
  EXPECT_EQ(count(Happening::link_fault, subject_), 1);
}

TEST_F(RefusalTest, TwoWitnessesDoNotOutweighOneThatIsNotRefused) {
  town_of(8);
  kill(subject_);
  const auto others = other_watchers(subject_);
  ASSERT_GE(others.size(), 2U);
  peer(others[0]).says_refused = true;
  run(Millis(1500));
  EXPECT_EQ(count(Happening::died), 0) << "a second watcher was refused, a third one was not";
}

TEST_F(RefusalTest, TheOnlyOtherMemberIsGivenALongerGrace) {
  town_of(1);
  kill(subject_);
  const Nanos took = run_until(Happening::died, subject_, Seconds(10));
  EXPECT_GE(took, 5 * wan_timing().refused_grace - Millis(20));
  EXPECT_LE(took, 5 * wan_timing().refused_grace + Millis(50));
}

TEST_F(RefusalTest, OfTwoKilledAtOnceInThreeBothAreFound) {
  town_of(2);
  kill(id("n1"));
  kill(id("n2"));
  run(Seconds(12));
  EXPECT_EQ(standing(id("n1")), Standing::dead);
  EXPECT_EQ(standing(id("n2")), Standing::dead);
}

TEST_F(RefusalTest, ASilentHostIsJudgedBySilence) {
  town_of(8);
  silence(subject_);
  peer(subject_).dialled = DialOutcome::silent;
  step(LinkDown{subject_});
  run_until(Happening::suspected, subject_, Seconds(3));
  EXPECT_EQ(last(Happening::suspected)->evidence, Evidence::silence);
}

TEST_F(RefusalTest, ALinkThatComesBackWasNothing) {
  town_of(8);
  peer(subject_).dialled = DialOutcome::accepted;
  step(LinkDown{subject_});
  run(Millis(100));
  step(LinkUp{subject_});
  run(Seconds(10));
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_EQ(count(Happening::link_fault), 0);
}

}  // namespace
}  // namespace riftbus::membership
