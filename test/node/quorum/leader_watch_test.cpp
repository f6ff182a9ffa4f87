#include "node/quorum/leader_watch.h"

#include <algorithm>

#include "test/node/quorum/quorum_world.h"

namespace riftbus::node {
namespace {

Voter::OnRequest answering(wire::WorkReply reply) {
  return [reply](const wire::WorkRequest&) -> std::optional<wire::Body> { return reply; };
}

wire::WorkReply heard_that_leads(const NodeId& leader, std::uint64_t term) {
  auto reply = says_leader(leader, term);
  reply.stale = true;
  return reply;
}

TEST(LeaderWatch, AsksTheLeaderItselfWhenItKnowsItByHearsayOnly) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(heard_that_leads(kSecond, 3));
  ASSERT_TRUE(world.until([&] { return world.watch->leader() == kSecond; }));
  EXPECT_EQ(world.watch->term(), 3u);
  EXPECT_FALSE(world.watch->is_confirmed(world.now()));
  world.voter(kSecond).on_request = answering(heard_that_leads(kSecond, 3));
  EXPECT_TRUE(world.until([&] {
    world.pass(LeaderWatch::kAskEvery);
    return world.watch->is_confirmed(world.now());
  })) << "it knows best";
}

TEST(LeaderWatch, AsksOneVoterThatFollowsTheLeaderAndNeverTheLeader) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kSecond, 3));
  ASSERT_TRUE(world.until([&] { return world.watch->is_confirmed(world.now()); }));
  const auto pass_rounds = [&world](std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i) {
      const auto asked = world.voter(kFirst).asked.size();
      const auto heard = world.self().events.size();
      world.watch->need(world.now());
      world.pass(LeaderWatch::kAskEvery);
      ASSERT_TRUE(world.until([&] {
        return world.voter(kFirst).asked.size() > asked && world.self().events.size() > heard;
      }));
    }
  };
  pass_rounds(2);  // what was asked before the first answer has arrived
  const auto before = world.voter(kSecond).asked.size();
  pass_rounds(6);
  EXPECT_TRUE(world.watch->is_confirmed(world.now()));
  EXPECT_EQ(world.voter(kSecond).asked.size(), before);
}

TEST(LeaderWatch, DoubtsALeaderThatIsSilentAndFindsTheNext) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kFirst, 3));
  ASSERT_TRUE(world.until([&] { return world.watch->is_confirmed(world.now()); }));
  world.voter(kFirst).on_request = nullptr;
  world.watch->need(world.now());
  world.turn();
  world.pass(LeaderWatch::kDoubtAfter);
  EXPECT_FALSE(world.watch->is_confirmed(world.now()));
  world.watch->tick(world.now());
  EXPECT_TRUE(world.watch->leader().empty());
  world.voter(kSecond).on_request = answering(says_leader(kSecond, 4));
  EXPECT_TRUE(world.until([&] {
    world.pass(Millis(100));
    return world.watch->is_confirmed(world.now()) && world.watch->leader() == kSecond;
  }));
}

// Until nothing that was asked is still to be answered.
void let_rest(QuorumWorld& world) {
  ASSERT_TRUE(world.until([&] { return world.watch->is_confirmed(world.now()); }));
  ASSERT_TRUE(world.until([&] {
    world.pass(LeaderWatch::kAskEvery);
    return world.watch->is_resting();
  }));
}

TEST(LeaderWatch, RestsWhenItIsConfirmedAndNobodyNeedsIt) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kSecond, 3));
  let_rest(world);
  const auto asked = world.voter(kFirst).asked.size();
  EXPECT_GE(world.watch->next_deadline(), world.now() + LeaderWatch::kIdleAsk / 2 - Seconds(1));
  world.pass(LeaderWatch::kIdleAsk / 2 - Seconds(2));
  world.turn();
  EXPECT_EQ(world.watch->leader(), kSecond) << "nobody was asked, so nobody was silent";
  EXPECT_FALSE(world.watch->is_confirmed(world.now())) << "and so it is no news for others";
  EXPECT_FALSE(world.watch->is_settled(world.now()));
  world.pass(LeaderWatch::kIdleAsk + Seconds(2));
  EXPECT_TRUE(world.until([&] { return world.watch->is_confirmed(world.now()); }));
  EXPECT_GT(world.voter(kFirst).asked.size(), asked) << "it looks now and then";
}

TEST(LeaderWatch, WithoutNeedItIsPatientWithItsOwnVoter) {
  QuorumWorld world;
  const auto silent = [](const wire::WorkRequest&) -> std::optional<wire::Body> { return {}; };
  world.voter(kFirst).on_request = silent;
  world.voter(kSecond).on_request = silent;
  const auto asked = [&world](const NodeId& voter) { return !world.voter(voter).asked.empty(); };
  ASSERT_TRUE(world.until([&] { return asked(kFirst) || asked(kSecond); }));
  const NodeId other = asked(kFirst) ? kSecond : kFirst;
  for (Nanos passed{}; passed < LeaderWatch::kPatience - Seconds(1);
       passed += LeaderWatch::kAskEvery) {
    world.pass(LeaderWatch::kAskEvery);
    world.turn();
  }
  EXPECT_FALSE(asked(other));
  world.watch->need(world.now());
  EXPECT_TRUE(world.until([&] { return asked(other); })) << "whoever needs it asks everybody";
}

// The one that is asked first, which is silent, and then the others.
std::vector<NodeId> by_turns(QuorumWorld& world) {
  std::vector<NodeId> ids{kFirst, kSecond, kThird};
  const auto is_asked = [&world](const NodeId& id) { return !world.voter(id).asked.empty(); };
  EXPECT_TRUE(world.until([&] { return std::any_of(ids.begin(), ids.end(), is_asked); }));
  std::partition(ids.begin(), ids.end(), is_asked);
  return ids;
}

TEST(LeaderWatch, AnAdviserInWhosePlaceTheLeaderAnswersIsNotKept) {
  QuorumWorld world({kFirst, kSecond, kThird});
  const auto ids = by_turns(world);
  const NodeId& leader = ids[1];
  const auto& other = world.voter(ids[2]);
  world.voter(leader).on_request = answering(says_leader(leader, 3));
  world.watch->hint(leader, 3, world.now());
  for (int looks = 0; looks < 2; ++looks) {
    world.turn();
    EXPECT_EQ(world.watch->leader(), leader);
    world.pass(2 * Nanos(LeaderWatch::kAskEvery) + Millis(100));  // now the leader is asked, too
    let_rest(world);
    if (looks == 0) {
      EXPECT_TRUE(other.asked.empty());
    }
    world.pass(Seconds(100));
    world.watch->look(world.now());
  }
  EXPECT_TRUE(world.until([&] { return !other.asked.empty(); }));
}

TEST(LeaderWatch, AVoterThatIsOneNoMoreIsNotAsked) {
  QuorumWorld world({kFirst, kSecond, kThird});
  const auto ids = by_turns(world);
  const TimePoint start = world.now();
  world.watch->set_voters({ids[1], ids[2]});
  EXPECT_TRUE(world.until(
      [&] { return !world.voter(ids[1]).asked.empty() || !world.voter(ids[2]).asked.empty(); }));
  EXPECT_LT(world.now() - start, LeaderWatch::kPatience);
}

TEST(LeaderWatch, ALookEndsTheRestUntilTheLeaderIsConfirmed) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kSecond, 3));
  let_rest(world);
  world.pass(Seconds(100));
  world.voter(kFirst).on_request = answering(says_leader(kFirst, 4));
  world.watch->look(world.now());
  EXPECT_TRUE(world.until([&] { return world.watch->leader() == kFirst; }));
  let_rest(world);
}

TEST(LeaderWatch, NeedEndsItsRestAtOnce) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kSecond, 3));
  let_rest(world);
  world.pass(Seconds(100));
  world.voter(kFirst).on_request = answering(says_leader(kFirst, 4));
  world.watch->need(world.now());
  EXPECT_EQ(world.watch->next_deadline() <= world.now(), true);
  EXPECT_TRUE(world.until([&] { return world.watch->leader() == kFirst; }));
  EXPECT_TRUE(world.watch->is_settled(world.now()));
  EXPECT_FALSE(world.watch->is_resting());
  world.pass(Seconds(10));
  world.turn();
  EXPECT_FALSE(world.watch->is_resting()) << "it is still needed";
}

TEST(LeaderWatch, QuestionsAfterARestWaitForTheNewsAndKeepTheirOrder) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kSecond, 3));
  std::vector<std::string> heard;
  const auto ask = [&](const std::string& name) {
    world.watch->when_known(
        [&, name] { heard.push_back(name + " " + world.watch->leader().value()); }, world.now());
  };
  let_rest(world);
  world.pass(Seconds(100));
  world.voter(kFirst).on_request = answering(says_leader(kFirst, 4));
  ask("a");
  EXPECT_TRUE(heard.empty()) << "nobody has been asked for minutes";
  ASSERT_TRUE(world.until([&] {
    ask("b");
    return world.watch->leader() == kFirst;
  }));
  EXPECT_TRUE(heard.empty()) << "later ones do not overtake";
  world.watch->run_waiting(world.now());
  ASSERT_GE(heard.size(), 2U);
  EXPECT_EQ(heard[0], "a " + kFirst.value());
  EXPECT_EQ(heard[1], "b " + kFirst.value());
  heard.clear();
  ask("c");
  EXPECT_EQ(heard.size(), 1U) << "it is known now";
}

TEST(LeaderWatch, MoreQuestionsThanMayWaitAreAnsweredWithWhatIsKnown) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kSecond, 3));
  let_rest(world);
  std::size_t answered = 0;
  for (std::size_t i = 0; i <= LeaderWatch::kQuestionsMax; ++i) {
    world.watch->when_known([&] { ++answered; }, world.now());
  }
  EXPECT_EQ(answered, 1U);
}

TEST(LeaderWatch, ALeaderThatNobodyVouchesForAfterARestIsDoubtedInTime) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kSecond, 3));
  let_rest(world);
  world.voter(kFirst).on_request = nullptr;
  world.pass(Seconds(100));
  world.watch->need(world.now());
  world.turn();
  EXPECT_EQ(world.watch->leader(), kSecond) << "voters have had no time to answer";
  world.watch->need(world.now());
  world.pass(LeaderWatch::kDoubtAfter);
  world.turn();
  EXPECT_TRUE(world.watch->leader().empty());
  EXPECT_TRUE(world.watch->is_settled(world.now()));
}

TEST(LeaderWatch, BelievesALeaderThatSaysItLeadsNoMore) {
  QuorumWorld world;
  world.voter(kFirst).on_request = answering(says_leader(kFirst, 3));
  ASSERT_TRUE(world.until([&] { return world.watch->is_confirmed(world.now()); }));
  world.voter(kFirst).on_request = answering(says_leader(NodeId(), 4));
  world.watch->need(world.now());
  EXPECT_TRUE(world.until([&] {
    world.pass(Millis(100));
    return world.watch->leader().empty();
  }));
}

TEST(LeaderWatch, TakesAHintOfALaterTermOnly) {
  QuorumWorld world;
  auto& watch = *world.watch;
  watch.hint(kFirst, 5, world.now());
  EXPECT_EQ(watch.leader(), kFirst);
  const auto version = watch.version();
  watch.hint(kSecond, 4, world.now());
  watch.hint(kSecond, 5, world.now());
  watch.hint(NodeId(), 9, world.now());
  EXPECT_EQ(watch.leader(), kFirst);
  EXPECT_EQ(watch.version(), version);
  watch.hint(kSecond, 6, world.now());
  EXPECT_EQ(watch.leader(), kSecond);
  EXPECT_NE(watch.version(), version);
}

TEST(LeaderWatch, DoubtIsAboutTheLeaderAndNobodyElse) {
  QuorumWorld world;
  auto& watch = *world.watch;
  watch.hint(kFirst, 5, world.now());
  watch.doubt(kSecond, world.now());
  EXPECT_EQ(watch.leader(), kFirst);
  watch.doubt(kFirst, world.now());
  EXPECT_TRUE(watch.leader().empty());
  watch.hint(kSecond, 4, world.now());
  EXPECT_TRUE(watch.leader().empty()) << "its term is over";
  watch.hint(kFirst, 5, world.now());
  EXPECT_EQ(watch.leader(), kFirst) << "it may lead on";
}

TEST(LeaderWatch, OurOwnReplicaIsTheTruth) {
  QuorumWorld world;
  auto& watch = *world.watch;
  watch.set(kSelf, 7, world.now());
  EXPECT_TRUE(watch.is_self());
  watch.hint(kFirst, 9, world.now());
  watch.doubt(kSelf, world.now());
  world.pass(Seconds(60));
  watch.tick(world.now());
  EXPECT_EQ(watch.leader(), kSelf);
  EXPECT_TRUE(watch.is_confirmed(world.now()));
  EXPECT_EQ(watch.next_deadline(), TimePoint::max()) << "nobody needs to be asked";
  watch.set(NodeId(), 7, world.now());
  EXPECT_TRUE(watch.leader().empty());
  EXPECT_LE(watch.next_deadline(), world.now());
}

// ---- generations

std::uint64_t reign(std::uint64_t generation, std::uint64_t term) {
  return reign_of(consensus::Generation(generation), consensus::Term(term));
}

TEST(LeaderWatch, ALaterGenerationIsAboveEveryTermOfAnEarlierOne) {
  EXPECT_EQ(reign(1, 7), 7u) << "for ever, if nothing bad happens";
  EXPECT_EQ(reign(0, 7), 7u);
  EXPECT_GT(reign(2, 1), reign(1, 1'000'000));
  EXPECT_EQ(term_in(reign(3, 9)), 9u);
  EXPECT_TRUE(is_past(reign(1, 9), reign(2, 1)));
  EXPECT_FALSE(is_past(reign(2, 1), reign(2, 9)));
  QuorumWorld world;
  auto& watch = *world.watch;
  watch.hint(kFirst, reign(2, 5), world.now());
  watch.hint(kSecond, reign(1, 900), world.now());
  EXPECT_EQ(watch.leader(), kFirst);
  EXPECT_EQ(watch.term(), 5u);
}

TEST(LeaderWatch, OurOwnReplicaIsNotBelievedOnceALaterGenerationIsKnown) {
  QuorumWorld world;
  auto& watch = *world.watch;
  watch.hint(kFirst, reign(2, 5), world.now());
  watch.set(kSecond, reign(1, 900), world.now());
  EXPECT_EQ(watch.leader(), kFirst) << "the remains of the old log have elected somebody";
  EXPECT_FALSE(watch.is_told());
  watch.set(kSelf, reign(2, 6), world.now());
  EXPECT_TRUE(watch.is_self());
}

TEST(LeaderWatch, NeverAsksItself) {
  QuorumWorld world({kSelf, kFirst});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(world.watch->next_voter(), kFirst);
  world.watch->set_voters({kSelf});
  EXPECT_TRUE(world.watch->next_voter().empty());
  world.watch->set_voters({});
  EXPECT_TRUE(world.watch->next_voter().empty());
}

TEST(LeaderWatch, LeavesOthersAnswersAlone) {
  QuorumWorld world;
  bus::Received received;
  received.envelope.origin = kFirst;
  received.envelope.correlation = Correlation(77);
  received.envelope.body = says_leader(kFirst, 9);
  EXPECT_FALSE(world.watch->on_reply(received, world.now()));
  EXPECT_TRUE(world.watch->leader().empty());
}

}  // namespace
}  // namespace riftbus::node
