// From a missed beat to a verdict: questions first, accusations second.
#include "test/node/membership/stand.h"

namespace riftbus::membership {
namespace {

using wire::Evidence;
using wire::Standing;

class Silence : public Stand {
 protected:
  // Some member that we watch, out of eight.
  void SetUp() override {
    with_members(8);
    subject_ = core_->watching().front().peer;
  }
  void others_confirm() {
    for (const auto& watcher : other_watchers(subject_)) {
      if (peer(watcher).answers) {
        hear_flood(watcher, suspect(subject_, 1, watcher));
      }
    }
  }
  // A life of it that we have no measure of is asked whether it lives; then two of its beats come
  // out of a queue.
  void hear_unmeasured_burst() {
    step(LinkUp{subject_});
    run(Seconds(4));
    silence(subject_);
    peer(subject_).instance = 2;
    peer(subject_).started = now_;
    peer(subject_).seq = 0;
    while (sent<wire::Ping>(subject_).empty()) run(Millis(10));
    beat(subject_, Seconds(1));
    beat(subject_);
    EXPECT_EQ(report(subject_).beats_stale, 2U);
  }
  NodeId subject_;
};

TEST_F(Silence, AsksTheMemberAndItsOtherWatchersBeforeAnythingElse) {
  silence(subject_);
  while (sent<wire::Ping>(subject_).empty()) run(Millis(10));
  EXPECT_EQ(count(Happening::suspected), 0);
  for (const auto& watcher : other_watchers(subject_)) {
    EXPECT_EQ(sent<wire::AskHeard>(watcher).size(), 1U) << watcher.value();
  }
  const Nanos silent = now_ - report(subject_).last_beat;
  EXPECT_GE(silent, Millis(1490));
  EXPECT_LE(silent, Millis(1600));
}

TEST_F(Silence, AMemberThatAnswersIsNotAccused) {
  peer(subject_).beats = false;
  run(Seconds(20));
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_EQ(count(Happening::link_fault, subject_), 1) << "said once, not each time";
}

TEST_F(Silence, AMemberThatOthersHearIsALinkFaultAndNoSuspect) {
  peer(subject_).answers = false;
  for (int i = 0; i < 20; ++i) {
    // It beats for everybody else: the sequence goes on, only we hear nothing.
    peer(subject_).beats = false;
    ++peer(subject_).seq;
    peer(subject_).last_beat = now_;
    run(Seconds(1));
  }
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_EQ(count(Happening::link_fault, subject_), 1);
}

TEST_F(Silence, AnOldBeatThatAnotherRemembersIsNoSignOfLife) {
  silence(subject_);
  // The others' last beat is ours, too; they are merely asked soon after it.
  run_until(Happening::suspected, subject_, Seconds(3));
}

TEST_F(Silence, EndsInAVerdictWithinFiveSecondsWhenTheOthersConfirm) {
  beat(subject_);
  silence(subject_);
  Nanos took = run_until(Happening::suspected, subject_, Seconds(3));
  others_confirm();
  took += run_until(Happening::died, subject_, Seconds(5));
  EXPECT_LE(took, Millis(4500));
  EXPECT_EQ(last(Happening::died)->evidence, Evidence::silence);
  EXPECT_EQ(last(Happening::died)->accuser, id("me"));
  EXPECT_EQ(published(subject_, Standing::dead).size(), 1U);
  EXPECT_FALSE(subscribed_.contains(subject_)) << "nobody listens to the dead";
}

TEST_F(Silence, ALoneAccuserWaitsSixTimesAsLong) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  const TimePoint due = *report(subject_).verdict_due;
  EXPECT_EQ(due - now_, 6 * wan_timing().suspicion_min);
}

TEST_F(Silence, TheSameAccuserRepeatedHurriesNothing) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  const auto others = other_watchers(subject_);
  hear_flood(others[0], suspect(subject_, 1, others[0]));
  const TimePoint due = *report(subject_).verdict_due;
  for (int i = 0; i < 5; ++i) hear_flood(others[1], suspect(subject_, 1, others[0]));
  EXPECT_EQ(*report(subject_).verdict_due, due);
  EXPECT_EQ(report(subject_).accusers, (std::vector{id("me"), others[0]}));
}

TEST_F(Silence, HearsayConfirmsNothing) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  const TimePoint due = *report(subject_).verdict_due;
  const auto others = other_watchers(subject_);
  // One watcher retells what another is said to have said.
  hear_call(others[0], wire::Gossip{{suspect(subject_, 1, others[1])}});
  hear_call(others[0], wire::Gossip{{suspect(subject_, 1, others[2])}});
  EXPECT_EQ(*report(subject_).verdict_due, due);
}

TEST_F(Silence, AVerdictToldInACallIsMemoryAndNoVerdict) {
  const auto others = other_watchers(subject_);
  hear_call(others[0], wire::Gossip{{dead(subject_, 1, others[0])}});
  EXPECT_EQ(standing(subject_), Standing::suspect);
  run(Millis(300));
  EXPECT_GE(told(subject_, subject_, Standing::suspect).size(), 1U) << "let it speak for itself";
}

TEST_F(Silence, OthersMemoryOfOurOwnSuspicionIsNoReasonToSuspect) {
  hear_flood(other_watchers(subject_)[0], suspect(subject_, 1, id("me")));
  EXPECT_EQ(standing(subject_), Standing::alive);
  EXPECT_TRUE(published(subject_, Standing::suspect).empty());
}

TEST_F(Silence, AnUndecidedSuspicionIsToldAgain) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  const auto before = published(subject_, Standing::suspect).size();
  run(Seconds(6));
  EXPECT_EQ(published(subject_, Standing::suspect).size(), before + 1);
  EXPECT_GE(told(subject_, subject_, Standing::suspect).size(), 2U);
}

TEST_F(Silence, AnAccusationOfAHigherIncarnationVoidsOurs) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  const auto others = other_watchers(subject_);
  hear_flood(others[0], suspect(subject_, 2, others[0]));
  EXPECT_FALSE(report(subject_).verdict_due.has_value()) << "it has refuted what we said";
}

TEST_F(Silence, AnAccusationByAMemberThatDoesNotWatchItConfirmsNothing) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  const TimePoint due = *report(subject_).verdict_due;
  hear_flood(numbered("n", 1), suspect(subject_, 1, id("stranger")));
  EXPECT_EQ(*report(subject_).verdict_due, due);
}

TEST_F(Silence, ABeatEndsTheSuspicion) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  peer(subject_).beats = true;
  peer(subject_).answers = true;
  run(Seconds(20));
  EXPECT_EQ(count(Happening::died), 0);
  EXPECT_FALSE(report(subject_).verdict_due.has_value());
}

TEST_F(Silence, TheAccusedIsToldDirectly) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  EXPECT_EQ(told(subject_, subject_, Standing::suspect).size(), 1U);
}

TEST_F(Silence, AHigherIncarnationClearsTheSuspicionEverywhere) {
  silence(subject_);
  run_until(Happening::suspected, subject_, Seconds(3));
  hear_flood(other_watchers(subject_)[0], alive(subject_, 2));
  peer(subject_).incarnation = 2;
  EXPECT_EQ(standing(subject_), Standing::alive);
  EXPECT_EQ(count(Happening::refuted, subject_), 1);
  EXPECT_FALSE(report(subject_).verdict_due.has_value());
}

TEST_F(Silence, ADoubtingMemberIsGivenMoreTime) {
  const Nanos before = report(subject_).silence_limit;
  wire::Beat beat;
  beat.incarnation = Incarnation(1);
  beat.health = 4;
  beat.uptime_ms = static_cast<std::uint64_t>(to_ms(now_ - peer(subject_).started));
  beat.interval_ms = 1000;
  step(Received{wire::Channel::pub,
                {},
                {subject_, Instance(1), Seq(++peer(subject_).seq), Correlation{}, beat}});
  EXPECT_EQ(report(subject_).silence_limit, 2 * before);
}

TEST_F(Silence, WhenNobodyAnswersWeDoubtOurselves) {
  for (int i = 1; i <= 8; ++i) silence(numbered("n", i));
  run(Seconds(8));
  EXPECT_EQ(count(Happening::suspected), 0);
  EXPECT_GT(core_->health(), 0);
}

TEST_F(Silence, WhenHalfOfOurSubjectsVanishTwoOthersMustAnswerUsFirst) {
  const auto watched = core_->watching();
  ASSERT_GE(watched.size(), 3U);
  for (std::size_t i = 0; i < watched.size(); ++i) {
    if (i % 2 == 0) silence(watched[i].peer);
  }
  run(Seconds(4));
  EXPECT_GT(count(Happening::suspected), 0) << "the others answered: it is not us";
}

TEST_F(Silence, BeatsThatWereQueuedAreNotLife) {
  silence(subject_);
  const Nanos took = run_until(Happening::suspected, subject_, Seconds(3));
  // Beats sent before it fell silent come now, all at once.
  for (int i = 0; i < 5; ++i) beat(subject_, Seconds(10) + took);
  EXPECT_TRUE(report(subject_).verdict_due.has_value());
  EXPECT_EQ(report(subject_).beats_stale, 5U);
}

TEST_F(Silence, ABurstOfUnknownAgeIsNoReasonToAccuseBeforeTheNextBeatIsDue) {
  hear_unmeasured_burst();
  run(Seconds(1));
  EXPECT_EQ(count(Happening::suspected), 0);
  beat(subject_);
  peer(subject_).beats = true;
  run(Seconds(5));
  EXPECT_EQ(count(Happening::suspected), 0) << "the next beat proved its life";
}

TEST_F(Silence, ABurstOfUnknownAgeWinsOneIntervalAndNoMore) {
  hear_unmeasured_burst();
  EXPECT_GE(run_until(Happening::suspected, subject_, Seconds(3)), Millis(1200));
}

}  // namespace
}  // namespace riftbus::membership
