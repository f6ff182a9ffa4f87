// The rules that safety rests on, each in the smallest story that breaks without it.
#include "test/node/consensus/stand.h"

namespace riftbus::consensus {

namespace {

using Rules = Stand;

// ---- committing ------------------------------------------------------------------------------

TEST_F(Rules, AnEntryOfAnOlderTermIsNotCommittedByCounting) {
  // Raft, figure 8 (c): entry 2 of term 2 reaches a majority while this leader is in term 4.
  start(remembered(5, {2}, 3));
  pass(timing.election * 2);
  for (const bool pre_vote : {true, false}) {
    const Term term = core->status().term;
    for (const std::uint64_t voter : {2U, 3U}) {
      receive(voter, term.value(), VoteAnswer{pre_vote, true, pre_vote ? term.next() : term});
    }
  }
  ASSERT_EQ(core->status().role, Role::leader);
  acknowledge(2, 2);
  acknowledge(3, 2);
  acknowledge(4, 2);
  EXPECT_EQ(commit(), 0U);
  // With an entry of its own term, all before it are committed too.
  acknowledge(2, 3);
  acknowledge(3, 3);
  EXPECT_EQ(commit(), 3U);
}

TEST_F(Rules, ALeaderCountsItselfOnlyWithWhatItsDiskConfirmed) {
  start(remembered(3, {}, 1));
  win_election();
  disk_waits = true;
  const std::string command = "x";
  ASSERT_TRUE(core->propose(command, now).ok());
  flush();
  const std::uint64_t before = commit();
  acknowledge(2, 2);
  ASSERT_EQ(commit(), 2U);  // the no-op was written before the disk began to wait
  acknowledge(2, 3);
  EXPECT_EQ(commit(), 2U) << "before: " << before;
  finish_writes(writes.size());
  EXPECT_EQ(commit(), 3U);
}

TEST_F(Rules, AMajorityWithoutTheLeadersOwnDiskIsEnough) {
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 2);
  disk_waits = true;
  const std::string command = "x";
  ASSERT_TRUE(core->propose(command, now).ok());
  flush();
  acknowledge(2, 3);
  acknowledge(3, 3);
  EXPECT_EQ(commit(), 3U);
}

TEST_F(Rules, AnAcknowledgementOfMoreThanThereIsCountsForNothing) {
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 99);
  EXPECT_EQ(commit(), 0U);
  EXPECT_EQ(core->stats().malformed, 1U);
}

// ---- acknowledging ---------------------------------------------------------------------------

TEST_F(Rules, OnlyWhatWasComparedWithThisLeaderIsAcknowledged) {
  // Entries 2 to 5 are on disk, but the new leader has only spoken of entry 1.
  start(remembered(3, {2, 2, 2, 2}, 2));
  append(2, 3, 1, 1, {});
  EXPECT_EQ(acknowledged(2), 1U);
  // And a commit index beyond that is not believed of them either.
  append(2, 3, 1, 1, {}, 5, 5);
  EXPECT_EQ(commit(), 1U);
}

TEST_F(Rules, WhatWasComparedInAnEarlierTermIsComparedAnew) {
  start(remembered(3, {2, 2, 2}, 2));
  append(2, 3, 4, 2, {});
  EXPECT_EQ(acknowledged(2), 4U);
  append(3, 4, 1, 1, {});
  EXPECT_EQ(acknowledged(3), 1U);
}

TEST_F(Rules, WhatACandidateComparedBeforeItsOwnTermIsComparedAnew) {
  start(remembered(3, {2, 2, 2}, 2));
  append(2, 3, 4, 2, {});
  pass(timing.election * 3);  // campaigns, raising the term by itself
  grant(true);
  const std::uint64_t term = core->status().term.value();
  ASSERT_EQ(core->status().role, Role::candidate);
  append(3, term, 1, 1, {});
  EXPECT_EQ(acknowledged(3), 1U);
}

TEST_F(Rules, NothingIsAcknowledgedBeforeItIsOnDisk) {
  start(remembered(3, {}, 2));
  append(2, 2, 1, 1, {});
  disk_waits = true;
  append(2, 2, 1, 1, {entry(2, 2)});
  append(2, 2, 2, 2, {});
  EXPECT_EQ(acknowledged(2), 1U);
  finish_writes(writes.size());
  EXPECT_EQ(acknowledged(2), 2U);
}

TEST_F(Rules, ACompletionDoesNotVouchForAnEntryWrittenAgainLater) {
  // The ABA race: A is written, replaced by B, replaced by A again; then the first write ends.
  disk_waits = true;
  start(remembered(3, {}, 2));
  append(2, 2, 1, 1, {entry(2, 2, "A")});
  ASSERT_EQ(writes.size(), 1U);
  append(3, 3, 1, 1, {entry(2, 3, "B")});
  ASSERT_EQ(writes.size(), 2U);
  EXPECT_EQ(writes.back().cut_from, Index(2));
  append(2, 4, 1, 1, {entry(2, 2, "A")});
  ASSERT_EQ(writes.size(), 3U);
  step(Persisted{writes[0].seq});
  step(Persisted{writes[1].seq});
  EXPECT_EQ(core->status().durable, Index(1));
  append(2, 4, 2, 2, {});
  EXPECT_LT(acknowledged(2), 2U);
  step(Persisted{writes[2].seq});
  EXPECT_EQ(acknowledged(2), 2U);
}

TEST_F(Rules, AWriteCutsOffWhatTheDiskWasToldBefore) {
  start(remembered(3, {2, 2, 2}, 2));
  append(2, 3, 2, 2, {entry(3, 3)});
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_EQ(writes[0].cut_from, Index(3));
  ASSERT_EQ(writes[0].entries.size(), 1U);
  EXPECT_EQ(writes[0].entries[0]->term, Term(3));
  EXPECT_EQ(writes[0].hard->term, Term(3));
}

TEST_F(Rules, AFollowerThatDoesNotFitSaysWhereItMight) {
  start(remembered(3, {2, 2, 2}, 2));
  append(2, 5, 9, 5, {entry(10, 5)});
  const auto answer = last_said<AppendAnswer>(2);
  ASSERT_TRUE(answer && answer->refused);
  EXPECT_EQ(answer->refused_index, Index(9));
  EXPECT_EQ(answer->hint_index, Index(4));
  EXPECT_EQ(answer->hint_term, Term(2));
}

// ---- voting ----------------------------------------------------------------------------------

TEST_F(Rules, AVoteGoesOnlyToALogAtLeastAsGood) {
  struct Case {
    std::uint64_t last, last_term;
    bool granted;
  };
  for (const Case& each : {Case{9, 2, false}, Case{2, 3, false}, Case{3, 3, true}, Case{2, 4, true},
                           Case{4, 3, true}}) {
    start(remembered(3, {3, 3}, 5));  // ends with 3 of term 3
    receive(2, 6, VoteRequest{false, false, Term(6), Index(each.last), Term(each.last_term)});
    const auto answer = last_said<VoteAnswer>(2);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->granted, each.granted) << each.last << "/" << each.last_term;
    receive(3, 5, VoteRequest{true, false, Term(9), Index(each.last), Term(each.last_term)});
    const auto pre = last_said<VoteAnswer>(3);
    EXPECT_EQ(pre && pre->granted, each.granted);
  }
}

TEST_F(Rules, AVoteIsOnDiskBeforeAnybodyHearsOfIt) {
  disk_waits = true;
  start(remembered(3, {}, 2));
  receive(2, 3, VoteRequest{false, false, Term(3), Index(1), Term(1)});
  EXPECT_TRUE(said<VoteAnswer>(2).empty());
  ASSERT_EQ(writes.size(), 1U);
  ASSERT_TRUE(writes[0].hard.has_value());
  EXPECT_EQ(*writes[0].hard, (HardState{Term(3), ServerId(2), Generation(1)}));
  finish_writes(1);
  ASSERT_TRUE(last_said<VoteAnswer>(2));
  EXPECT_TRUE(last_said<VoteAnswer>(2)->granted);
  // After a crash it is remembered.
  start(remembered(3, {}, 3, 2));
  receive(3, 3, VoteRequest{false, false, Term(3), Index(9), Term(2)});
  ASSERT_TRUE(last_said<VoteAnswer>(3));
  EXPECT_FALSE(last_said<VoteAnswer>(3)->granted);
  receive(2, 3, VoteRequest{false, false, Term(3), Index(9), Term(2)});
  EXPECT_TRUE(last_said<VoteAnswer>(2)->granted);
}

TEST_F(Rules, ACandidatesOwnVoteCountsWhenItIsOnDisk) {
  start(remembered(3, {}, 1));
  pass(timing.election * 2);
  disk_waits = true;
  grant(true);
  ASSERT_EQ(core->status().role, Role::candidate);
  EXPECT_TRUE(said<VoteRequest>(2).size() == 1U) << "the request waits for the disk";
  grant(false);
  EXPECT_EQ(core->status().role, Role::candidate);
  finish_writes(writes.size());
  EXPECT_EQ(core->status().role, Role::leader);
}

TEST_F(Rules, AnAnswerOfATermThatHasPassedIsNotGiven) {
  disk_waits = true;
  start(remembered(3, {}, 2));
  receive(2, 3, VoteRequest{false, false, Term(3), Index(1), Term(1)});
  append(3, 4, 1, 1, {});
  finish_writes(writes.size());
  EXPECT_TRUE(said<VoteAnswer>(2).empty());
}

TEST_F(Rules, APreVoteChangesNothingOnDisk) {
  start(remembered(3, {}, 2));
  receive(2, 2, VoteRequest{true, false, Term(3), Index(1), Term(1)});
  EXPECT_TRUE(last_said<VoteAnswer>(2)->granted);
  EXPECT_TRUE(writes.empty());
  EXPECT_EQ(core->status().term, Term(2));
}

TEST_F(Rules, WhoHearsALeaderVotesForNobodyUnlessTheLeaderWantsIt) {
  start(remembered(3, {}, 2));
  append(2, 2, 1, 1, {});
  receive(3, 9, VoteRequest{false, false, Term(9), Index(9), Term(9)});
  EXPECT_TRUE(said<VoteAnswer>(3).empty());
  EXPECT_EQ(core->status().term, Term(2));
  receive(3, 3, VoteRequest{false, true, Term(3), Index(9), Term(2)});
  ASSERT_TRUE(last_said<VoteAnswer>(3));
  EXPECT_TRUE(last_said<VoteAnswer>(3)->granted);
}

TEST_F(Rules, ALeaderOfAnOlderTermIsToldSo) {
  start(remembered(3, {}, 5));
  append(2, 3, 1, 1, {entry(2, 3)});
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(sent.back().to, ServerId(2));
  EXPECT_EQ(sent.back().term, Term(5));
  EXPECT_EQ(core->status().last, Index(1));
}

// ---- a leader that gets nothing done ---------------------------------------------------------

TEST_F(Rules, AFollowerIsNotLoyalToALeaderThatCommitsNothing) {
  start(remembered(3, {}, 2));
  const auto beats = [&](Nanos span, bool has_work) {
    for (Nanos t{}; t < span; t += timing.heartbeat) {
      if (core->status().role == Role::follower) append(2, 2, 1, 1, {}, 1, has_work ? 2 : 1);
      pass(timing.heartbeat);
    }
  };
  beats(timing.stall * 3, false);
  EXPECT_EQ(core->status().role, Role::follower);
  EXPECT_TRUE(said<VoteRequest>(2).empty());
  beats(timing.stall + timing.election * 2, true);
  EXPECT_FALSE(said<VoteRequest>(2).empty());
  receive(3, 2, VoteRequest{true, false, Term(3), Index(9), Term(2)});
  EXPECT_TRUE(last_said<VoteAnswer>(3)->granted);
}

}  // namespace

}  // namespace riftbus::consensus
