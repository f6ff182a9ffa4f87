// Generations that an operator began, and servers that the log names no more.
#include "test/node/consensus/stand.h"

namespace riftbus::consensus {

namespace {

class Generations : public Stand {
 protected:
  static Memory of_generation(std::uint64_t generation) {
    Memory memory = remembered(3, {}, 1);
    memory.hard.generation = Generation(generation);
    return memory;
  }
  static std::vector<Server> three_voters() {
    return {{ServerId(1), Standing::voter, 0},
            {ServerId(2), Standing::voter, 0},
            {ServerId(3), Standing::voter, 0}};
  }
  // What the disk holds after all writes.
  [[nodiscard]] Memory written(Memory memory) const {
    for (const Persist& write : writes) {
      if (write.hard) memory.hard = *write.hard;
      for (const EntryPtr& one : write.entries) memory.entries.push_back(one);
    }
    return memory;
  }
  void receive_marked(std::uint64_t from, std::uint64_t term, MessageBody body, RecoveryMark mark) {
    step(Received{Message{ClusterKey(7), core->status().generation, ServerId(from), ServerId(kSelf),
                          Term(term), std::move(body), mark}});
  }
};

TEST_F(Generations, AVoterThatHearsOfALaterOneLeadsNoMoreAndNeverAgain) {
  const Memory memory = remembered(3, {}, 1);
  start(memory);
  win_election();
  const Term term = core->status().term;
  receive(2, 1, AppendAnswer{}, 2);
  EXPECT_EQ(core->status().role, Role::retired);
  EXPECT_EQ(core->status().successor, Generation(2));
  EXPECT_EQ(core->status().term, term) << "its term is the other generation's business";
  EXPECT_TRUE(was_announced(Happening::superseded));
  const std::string command = "x";
  EXPECT_FALSE(core->propose(command, now).ok());
  sent.clear();
  receive(3, 9, VoteRequest{false, false, Term(9), Index(9), Term(9)});
  pass(timing.election * 10);
  EXPECT_TRUE(sent.empty()) << "nor does it vote";
  start(written(memory));
  EXPECT_EQ(core->status().role, Role::retired);
  pass(timing.election * 10);
  EXPECT_TRUE(sent.empty());
}

TEST_F(Generations, AStrangersWordOfALaterOneChangesNothing) {
  start(remembered(3, {}, 1));
  win_election();
  receive(7, 9, Append{}, 2);
  EXPECT_EQ(core->status().role, Role::leader);
}

TEST_F(Generations, AnEarlierOneIsToldOfOursAndNothingElse) {
  start(of_generation(2));
  receive(2, 9, VoteRequest{true, false, Term(10), Index(9), Term(9)}, 1);
  ASSERT_TRUE(last_said<VoteAnswer>(2));
  EXPECT_FALSE(last_said<VoteAnswer>(2)->granted);
  receive(3, 9, Append{}, 1);
  ASSERT_EQ(said<AppendAnswer>(3).size(), 1U);
  EXPECT_EQ(sent.back().generation, Generation(2));
  EXPECT_EQ(core->status().term, Term(1));
  sent.clear();
  receive(3, 9, AppendAnswer{}, 1);
  receive(3, 9, VoteAnswer{}, 1);
  EXPECT_TRUE(sent.empty()) << "two servers could answer each other for ever";
}

TEST_F(Generations, ARetiredServerMayBeginALaterOne) {
  start(remembered(3, {}, 1));
  receive(2, 1, AppendAnswer{}, 4);
  ASSERT_EQ(core->status().role, Role::retired);
  EXPECT_EQ(core->recover(now), Refusal::none);
  flush();
  EXPECT_EQ(core->status().role, Role::leader);
  EXPECT_EQ(core->status().generation, Generation(5));
  EXPECT_EQ(core->status().successor, Generation());
  EXPECT_EQ(core->configuration().voter_count(), 1U);
  EXPECT_EQ(core->status().commit, core->status().last);
  EXPECT_EQ(applied, core->status().last);
}

TEST_F(Generations, TwoRecoveriesOfOneGenerationAreToldApartAndNeverMix) {
  const Memory memory = remembered(3, {2}, 2);
  start(memory);
  ASSERT_EQ(core->recover(now), Refusal::none);
  flush();
  ASSERT_EQ(core->status().role, Role::leader);
  const Configuration ours = core->configuration();
  EXPECT_NE(ours.mark(), RecoveryMark());
  const Memory ending = written(memory);
  EXPECT_EQ(ending.hard.mark, ours.mark());
  const Index last = core->status().last;
  const RecoveryMark theirs(ours.mark().value() + 2);
  // The other survivor leads, in a later term, and has taken us for its learner.
  const auto entry_of_theirs = entry(last.next().value(), 9);
  receive_marked(2, 9, Append{last, Term(3), last.next(), last.next(), 0, {entry_of_theirs}},
                 theirs);
  EXPECT_EQ(core->status().role, Role::leader);
  EXPECT_EQ(core->status().last, last);
  EXPECT_TRUE(was_announced(Happening::rival));
  EXPECT_EQ(core->status().rival_heard, now);
  start(ending);
  receive_marked(2, 9, Append{last, Term(3), last.next(), last.next(), 0, {entry_of_theirs}},
                 theirs);
  EXPECT_EQ(core->status().last, last) << "nor after a restart";
  receive_marked(2, 9, Append{}, ours.mark());
  EXPECT_EQ(core->status().leader, ServerId(2)) << "its own are heard";
}

TEST_F(Generations, ANewcomerKeepsToTheRecoveryThatTookItIn) {
  start(Memory());
  step(Received{Message{ClusterKey(7), Generation(2), ServerId(2), ServerId(kSelf), Term(3),
                        Append{}, RecoveryMark(5)}});
  EXPECT_EQ(core->status().leader, ServerId(2));
  receive_marked(3, 9, Append{}, RecoveryMark(6));
  EXPECT_EQ(core->status().leader, ServerId(2));
  EXPECT_EQ(core->status().term, Term(3));
}

// ---- servers that are no more in the configuration -------------------------------------------

TEST_F(Generations, AVoterThatIsToldOfItsRemovalCampaignsNoMoreUntilALeaderSpeaksToIt) {
  start(remembered(3, {}, 1));
  pass(timing.election * 2);
  ASSERT_EQ(core->status().role, Role::pre_candidate);
  const Term campaign = core->status().term.next();
  receive(7, 1, VoteAnswer{true, false, campaign, Index(5), Term(1)});
  EXPECT_FALSE(core->status().removed) << "a stranger cannot know";
  receive(2, 1, VoteAnswer{true, false, campaign, Index(5), Term(1)});
  EXPECT_TRUE(core->status().removed);
  EXPECT_TRUE(was_announced(Happening::removed));
  EXPECT_EQ(core->recover(now), Refusal::unknown_server);
  sent.clear();
  pass(timing.election * 10);
  EXPECT_TRUE(sent.empty());
  append(2, 2, 1, 1, {});
  EXPECT_FALSE(core->status().removed);
  sent.clear();
  pass(timing.election * 10);
  EXPECT_FALSE(said<VoteRequest>(3).empty());
}

TEST_F(Generations, WhoWasTakenInAgainIsNotMisledByAnOlderList) {
  Memory memory = remembered(3, {2, 2}, 2);
  std::vector<Server> servers = three_voters();
  memory.entries.push_back(
      keep(Entry{Index(4), Term(2), EntryKind::configuration, LogTime(),
                 encode_configuration(Configuration(Generation(1), servers))}));
  start(memory);
  pass(timing.election * 2);
  const Term campaign = core->status().term.next();
  // Entry 3 is the same in both logs, and the configuration of entry 4 lies behind it.
  receive(2, 2, VoteAnswer{true, false, campaign, Index(3), Term(2)});
  EXPECT_FALSE(core->status().removed);
  // A committed entry 4 of another term: what is here is not the log.
  receive(2, 2, VoteAnswer{true, false, campaign, Index(4), Term(3)});
  EXPECT_TRUE(core->status().removed);
}

TEST_F(Generations, WhoAsksAndIsNotInTheCommittedListHearsWhichEntryRemovedIt) {
  start(remembered(3, {}, 1));
  append(2, 2, 1, 1, {}, 1, 1);
  ASSERT_EQ(commit(), 1U);
  receive(3, 2, VoteRequest{true, false, Term(3), Index(1), Term(1)});
  EXPECT_EQ(last_said<VoteAnswer>(3)->removed_index, Index());
  receive(7, 2, VoteRequest{true, false, Term(3), Index(1), Term(1)});
  EXPECT_EQ(last_said<VoteAnswer>(7)->removed_index, Index(1));
  EXPECT_EQ(last_said<VoteAnswer>(7)->removed_term, Term(1));
}

TEST_F(Generations, AServerThatMayNotCampaignForgetsALeaderThatIsSilent) {
  Memory memory = remembered(3, {}, 1);
  std::vector<Server> servers = three_voters();
  servers[0].standing = Standing::learner;  // ourselves
  memory.entries.push_back(
      keep(Entry{Index(2), Term(1), EntryKind::configuration, LogTime(),
                 encode_configuration(Configuration(Generation(1), servers))}));
  start(memory);
  append(2, 2, 2, 1, {}, 2, 2);
  pass(timing.election * 2);
  EXPECT_EQ(core->status().leader, ServerId(2));
  pass(timing.election * 2);
  EXPECT_EQ(core->status().leader, ServerId());
  EXPECT_FALSE(core->status().removed) << "a learner is in the configuration";
}

TEST_F(Generations, WorkThatComesAfterALongRestIsNotLate) {
  Memory memory = remembered(1, {}, 1);
  start(memory);
  pass(timing.election * 3);
  ASSERT_EQ(core->status().role, Role::leader);
  // Alone, it has nothing to do and no turns.
  now += timing.stall * 2;
  const std::string command = "x";
  ASSERT_TRUE(core->propose(command, now).ok());
  flush();
  EXPECT_EQ(core->status().role, Role::leader);
  EXPECT_EQ(core->status().commit, core->status().last);
}

}  // namespace

}  // namespace riftbus::consensus
