// Our own pauses are nobody's death.
#include "test/node/membership/stand.h"

namespace riftbus::membership {
namespace {

class PauseTest : public Stand {
 protected:
  void SetUp() override { with_members(8); }
};

TEST_F(PauseTest, ALongPauseAccusesNobody) {
  stand_still(Seconds(20));
  step(Tick{});
  EXPECT_EQ(count(Happening::paused, id("me")), 1);
  EXPECT_EQ(core_->health(), 1);
  run(Seconds(20));
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_EQ(core_->health(), 0) << "and is forgiven in time";
}

TEST_F(PauseTest, TheQueuedBeatsOfAPauseAreNeitherLifeNorDeath) {
  const NodeId subject = core_->watching().front().peer;
  stand_still(Seconds(20));
  for (int i = 19; i > 3; --i) beat(subject, Seconds(i));
  run(Seconds(20));
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_GT(report(subject).beats_stale, 0U);
}

TEST_F(PauseTest, AFirstBeatThatWaitedInOurQueueIsNotLife) {
  const NodeId subject = core_->watching().front().peer;
  // A new life of it, of which we have heard no beat when we are stopped.
  peer(subject).beats = false;
  peer(subject).instance = 2;
  peer(subject).incarnation = 2;
  hear_flood(other_watchers(subject)[0], alive(subject, 2, 2));
  const auto heard_before = report(subject);
  stand_still(Seconds(18));
  beat(subject, Seconds(17));
  EXPECT_EQ(report(subject).beats_stale, heard_before.beats_stale + 1);
  hear_call(other_watchers(subject)[0], wire::AskHeard{subject, Incarnation(2)}, 7, Correlation(5));
  EXPECT_GT(std::get<wire::Heard>(replies_.back().body).age_ms, 17'000U);
  run(Seconds(1));
  beat(subject);
  EXPECT_EQ(report(subject).beats_stale, heard_before.beats_stale + 1) << "the next one is news";
}

TEST_F(PauseTest, AShortStallIsForgivenWithoutAWord) {
  stand_still(Millis(1800));
  step(Tick{});
  run(Seconds(5));
  EXPECT_EQ(count(Happening::paused), 0);
  EXPECT_EQ(count(Happening::suspected), 0);
}

TEST_F(PauseTest, ASuspicionRunsOnOnlyWhileWeDo) {
  const NodeId subject = core_->watching().front().peer;
  silence(subject);
  run_until(Happening::suspected, subject, Seconds(3));
  const TimePoint due = *report(subject).verdict_due;
  stand_still(Seconds(60));
  step(Tick{});
  EXPECT_GE(*report(subject).verdict_due, due + Seconds(58));
  EXPECT_EQ(count(Happening::died), 0);
}

TEST_F(PauseTest, NoVerdictIsSpokenForTwoIntervalsAfterAPause) {
  const NodeId subject = core_->watching().front().peer;
  silence(subject);
  run_until(Happening::suspected, subject, Seconds(3));
  for (const auto& watcher : other_watchers(subject)) {
    hear_flood(watcher, suspect(subject, 1, watcher));
  }
  while (*report(subject).verdict_due - now_ > Millis(100)) run(Millis(10));
  stand_still(Seconds(30));
  step(Tick{});
  const TimePoint woke = now_;
  run_until(Happening::died, subject, Seconds(30));
  EXPECT_GE(now_ - woke, Seconds(2));
}

TEST_F(PauseTest, AMemberThatDiedMeanwhileIsFoundAfterwards) {
  const NodeId subject = core_->watching().front().peer;
  silence(subject);
  stand_still(Seconds(20));
  step(Tick{});
  run_until(Happening::suspected, subject, Seconds(8));
}

}  // namespace
}  // namespace riftbus::membership
