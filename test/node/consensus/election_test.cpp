// Who leads, and how the others come to agree on it.
#include "test/node/consensus/cluster.h"

namespace riftbus::consensus {

namespace {

TEST(Election, ThreeVotersElectOneLeaderAndKeepIt) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId leader = cluster.await_leader(Seconds(4));
  const Term term = cluster.core(leader).status().term;
  cluster.run(Seconds(120));
  EXPECT_EQ(cluster.leader(), leader);
  EXPECT_EQ(cluster.core(leader).status().term, term);
}

TEST(Election, ASingleVoterLeadsAlone) {
  Cluster cluster;
  cluster.start_voters(1);
  cluster.commit("alone");
  EXPECT_TRUE(cluster.has_applied(server(1), "alone"));
}

TEST(Election, AMinorityElectsNobodyAndRaisesNoTerm) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.await_leader();
  const ServerId leader = cluster.leader();
  ServerId survivor;
  for (const ServerId id : cluster.ids()) {
    if (id != leader && survivor == ServerId()) {
      survivor = id;
    } else {
      cluster.crash(id);
    }
  }
  const Term term = cluster.core(survivor).status().term;
  cluster.run(Seconds(60));
  EXPECT_EQ(cluster.leader(), ServerId());
  EXPECT_EQ(cluster.core(survivor).status().term, term);
}

class EachPolicy : public testing::TestWithParam<Policy> {};
INSTANTIATE_TEST_SUITE_P(Policies, EachPolicy,
                         testing::Values(Policy::raft, Policy::bully, Policy::hybrid),
                         [](const auto& each) { return std::string(to_string(each.param)); });

TEST_P(EachPolicy, ReplacesADeadLeaderWithinTwoAndAHalfTimeouts) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Cluster cluster(seed);
    cluster.start_voters(3, GetParam());
    const ServerId dead = cluster.await_leader();
    cluster.commit("before");
    cluster.crash(dead);
    const Nanos took = cluster.run_until([&] { return cluster.leader() != ServerId(); });
    EXPECT_LE(took, Millis(2500)) << "seed " << seed;
    EXPECT_TRUE(cluster.has_applied(cluster.leader(), "before"));
  }
}

TEST(Election, AWordFromMembershipMakesItQuickerAndOnlyThat) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId dead = cluster.await_leader();
  cluster.crash(dead);
  std::set<ServerId> alive{server(1), server(2), server(3)};
  alive.erase(dead);
  cluster.hint(alive);
  EXPECT_LE(cluster.run_until([&] { return cluster.leader() != ServerId(); }), Millis(700));
}

TEST(Election, AFalseWordFromMembershipMakesNoQuorum) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.await_leader();
  for (const std::uint64_t id : {1U, 2U, 3U}) {
    if (server(id) != cluster.leader()) cluster.isolate(server(id));
  }
  cluster.run(Seconds(5));
  for (const std::uint64_t id : {1U, 2U, 3U}) cluster.step(server(id), Hint{{server(id)}});
  cluster.run(Seconds(20));
  EXPECT_EQ(cluster.leader(), ServerId());
}

TEST(Election, AVoterThatReturnsFromAPartitionChangesNeitherLeaderNorTerm) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId leader = cluster.await_leader();
  const ServerId away = leader == server(1) ? server(2) : server(1);
  const Term term = cluster.core(leader).status().term;
  cluster.isolate(away);
  cluster.run(Seconds(30));
  cluster.commit("meanwhile");
  cluster.heal();
  cluster.run(Seconds(10));
  EXPECT_EQ(cluster.leader(), leader);
  EXPECT_EQ(cluster.core(leader).status().term, term);
  EXPECT_EQ(cluster.core(away).status().term, term);
  EXPECT_TRUE(cluster.has_applied(away, "meanwhile"));
}

TEST(Election, AVoterThatHearsNobodyButIsHeardDisturbsNobody) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId leader = cluster.await_leader();
  const ServerId deaf = leader == server(1) ? server(2) : server(1);
  const Term term = cluster.core(leader).status().term;
  for (const ServerId id : cluster.ids()) cluster.cut(id, deaf);
  cluster.run(Seconds(30));
  EXPECT_EQ(cluster.leader(), leader);
  EXPECT_EQ(cluster.core(leader).status().term, term);
}

TEST(Election, ALeaderThatIsNotHeardByAMajorityStepsDown) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId old = cluster.await_leader();
  cluster.isolate(old);
  cluster.run(Millis(1300));
  EXPECT_NE(cluster.core(old).status().role, Role::leader);
  cluster.run_until([&] { return cluster.leader() != ServerId(); });
  EXPECT_NE(cluster.leader(), old);
}

TEST(Election, ALeaderHeardOnlyOneWayStepsDown) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId old = cluster.await_leader();
  for (const ServerId id : cluster.ids()) cluster.cut(id, old);  // it speaks and hears nothing
  cluster.run_until([&] { return cluster.leader() != ServerId() && cluster.leader() != old; });
  EXPECT_NE(cluster.core(old).status().role, Role::leader);
}

TEST(Election, APausedLeaderWakesUpAsAFollower) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId old = cluster.await_leader();
  cluster.pause(old);
  cluster.run(Seconds(20));
  const ServerId next = cluster.leader();
  ASSERT_NE(next, ServerId());
  cluster.commit("by the new one");
  cluster.resume(old);
  EXPECT_NE(cluster.core(old).status().role, Role::leader);
  cluster.run(Seconds(5));
  EXPECT_EQ(cluster.leader(), next);
  EXPECT_TRUE(cluster.has_applied(old, "by the new one"));
}

// ---- policies --------------------------------------------------------------------------------

TEST(Policy, BullyElectsTheBestThatIsAlive) {
  Cluster cluster;
  cluster.start_voters(3, Policy::bully, {5, 9, 5});
  EXPECT_EQ(cluster.await_leader(), server(2));
  cluster.crash(server(2));
  cluster.hint({server(1), server(3)});
  cluster.run_until([&] { return cluster.leader() != ServerId(); });
  EXPECT_EQ(cluster.leader(), server(3));  // equal priority: the higher id
}

TEST(Policy, BullyDoesNotElectTheBestIfItsLogIsStale) {
  Cluster cluster;
  cluster.start_voters(3, Policy::bully, {0, 0, 9});
  EXPECT_EQ(cluster.await_leader(), server(3));
  cluster.isolate(server(3));
  cluster.run_until([&] { return cluster.leader() == server(2); });
  cluster.commit("not known to 3");
  cluster.crash(server(2));
  cluster.heal();
  cluster.run_until([&] { return cluster.leader() != ServerId(); });
  EXPECT_EQ(cluster.leader(), server(1));
}

// Server 2 leads, and server 3, which is better, has just come back.
void lead_beside_a_better_voter(Cluster& cluster) {
  cluster.start_voters(3, Policy::bully, {0, 0, 9});
  cluster.await_leader();
  cluster.crash(server(3));
  cluster.hint({server(1), server(2)});
  cluster.run_until([&] { return cluster.leader() == server(2); });
  cluster.restart(server(3));
  cluster.hint({server(1), server(2), server(3)});
}

TEST(Policy, BullyHandsOverToABetterVoterThatHasBeenFitForAWhile) {
  Cluster cluster;
  lead_beside_a_better_voter(cluster);
  cluster.run(cluster.timing.takeover - Seconds(1));
  EXPECT_EQ(cluster.leader(), server(2));
  cluster.run_until([&] { return cluster.leader() == server(3); }, Seconds(5));
}

TEST(Policy, MayDifferAndChangeAtAnyMomentWithoutAnyLoss) {
  Cluster cluster(3);
  cluster.start_voters(3);
  Random dice(11);
  for (int round = 0; round < 40; ++round) {
    const auto id = server(1 + dice.below(3));
    cluster.step(id, PolicyChosen{static_cast<Policy>(1 + dice.below(3))});
    if (round % 8 == 7) {
      const ServerId leader = cluster.await_leader();
      cluster.crash(leader);
      cluster.run_until([&] { return cluster.leader() != ServerId(); });
      cluster.restart(leader);
    }
    cluster.commit("round " + std::to_string(round));
  }
  cluster.run_until([&] { return cluster.agree(); });
  for (const ServerId id : cluster.ids()) {
    EXPECT_EQ(cluster.node(id).machine.commands.size(), 40U);
  }
}

TEST(Policy, FlippingDoesNotChangeALeaderThatWorks) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId leader = cluster.await_leader();
  for (const Policy policy : {Policy::bully, Policy::hybrid, Policy::raft}) {
    for (const ServerId id : cluster.ids()) cluster.step(id, PolicyChosen{policy});
    cluster.run(Seconds(10));
    EXPECT_EQ(cluster.leader(), leader);
  }
}

// ---- transfer --------------------------------------------------------------------------------

TEST(Transfer, HandsOverWithinAMomentAndLosesNothing) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.commit("before");
  const ServerId old = cluster.leader();
  const ServerId to = old == server(1) ? server(2) : server(1);
  cluster.request(
      old, [&](Consensus& core) { EXPECT_EQ(core.transfer(to, cluster.now()), Refusal::none); });
  EXPECT_EQ(cluster.propose(old, "too late").refusal, Refusal::transferring);
  EXPECT_LE(cluster.run_until([&] { return cluster.leader() == to; }), Millis(100));
  cluster.commit("after");
  EXPECT_TRUE(cluster.has_applied(to, "before"));
}

TEST(Transfer, IsGivenUpAfterATimeoutAndTheLeaderWorksOn) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.commit("before");
  const ServerId old = cluster.leader();
  const ServerId to = old == server(1) ? server(2) : server(1);
  cluster.drop = [](const Message& m) { return std::holds_alternative<TimeoutNow>(m.body); };
  cluster.request(
      old, [&](Consensus& core) { EXPECT_EQ(core.transfer(to, cluster.now()), Refusal::none); });
  cluster.run(cluster.timing.election + Millis(50));
  EXPECT_EQ(cluster.leader(), old);
  cluster.commit("after");
}

// Seed 84975: it was due for a takeover all that time, at every moment again.
TEST(Transfer, WhileItWaitsABetterVotersPatienceIsNotDue) {
  Cluster cluster;
  lead_beside_a_better_voter(cluster);
  cluster.run(cluster.timing.takeover - cluster.timing.election / 2);
  ASSERT_EQ(cluster.leader(), server(2));
  cluster.drop = [](const Message& m) { return std::holds_alternative<TimeoutNow>(m.body); };
  cluster.request(server(2), [&](Consensus& core) {
    EXPECT_EQ(core.transfer(server(1), cluster.now()), Refusal::none);
  });
  for (Nanos waited{}; waited < cluster.timing.election * 3 / 4; waited += Millis(1)) {
    const TimePoint before = cluster.now();
    cluster.run(Millis(1));
    ASSERT_GT(cluster.core(server(2)).next_deadline(), before);
  }
}

TEST(Transfer, AsksAgainWhenItsWordIsLost) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.commit("before");
  const ServerId old = cluster.leader();
  const ServerId to = old == server(1) ? server(2) : server(1);
  int words = 0;
  cluster.drop = [&](const Message& m) {
    return std::holds_alternative<TimeoutNow>(m.body) && ++words == 1;
  };
  cluster.request(
      old, [&](Consensus& core) { EXPECT_EQ(core.transfer(to, cluster.now()), Refusal::none); });
  cluster.run_until([&] { return cluster.leader() == to; }, Millis(400));
}

TEST(Transfer, IsRefusedToStrangersLearnersAndItself) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.commit("x");
  const ServerId leader = cluster.leader();
  cluster.start_newcomer(server(4));
  cluster.change({Change::Kind::add_learner, server(4)});
  Consensus& core = cluster.core(leader);
  EXPECT_EQ(core.transfer(server(9), cluster.now()), Refusal::unknown_server);
  EXPECT_EQ(core.transfer(server(4), cluster.now()), Refusal::unknown_server);
  EXPECT_EQ(core.transfer(leader, cluster.now()), Refusal::already_so);
}

// ---- leaders that do nothing -----------------------------------------------------------------

TEST(Stall, ALeaderWhoseStateMachineHangsIsReplaced) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.commit("before");
  const ServerId old = cluster.leader();
  cluster.node(old).machine_hangs = true;
  cluster.propose(old, "x");
  cluster.run_until([&] { return cluster.leader() != ServerId() && cluster.leader() != old; },
                    cluster.timing.stall + Seconds(2));
  cluster.commit("after");
}

TEST(Stall, ALeaderWhoseDiskHangsIsReplaced) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.commit("before");
  const ServerId old = cluster.leader();
  cluster.node(old).disk.hangs = true;
  cluster.propose(old, "x");
  cluster.run_until([&] { return cluster.leader() != ServerId() && cluster.leader() != old; },
                    cluster.timing.stall + Seconds(2));
  cluster.commit("after");
}

TEST(Stall, FollowersLeaveALeaderThatBeatsButCommitsNothing) {
  Cluster cluster;
  cluster.start_voters(3);
  cluster.commit("before");
  const ServerId old = cluster.leader();
  cluster.drop = [&](const Message& m) {
    const auto* append = std::get_if<Append>(&m.body);
    return m.from == old && append != nullptr && !append->entries.empty();
  };
  cluster.propose(old, "never arrives");
  const Term term = cluster.core(old).status().term;
  cluster.run_until(
      [&] {
        return cluster.leader() != ServerId() &&
               cluster.core(cluster.leader()).status().term > term;
      },
      Seconds(12));
}

TEST(Stall, AnIdleLeaderIsNotStuck) {
  Cluster cluster;
  cluster.start_voters(3);
  const ServerId leader = cluster.await_leader();
  cluster.run(cluster.timing.stall * 10);
  EXPECT_EQ(cluster.leader(), leader);
}

}  // namespace

}  // namespace riftbus::consensus
