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
  ASSERT_TRUE(core->propose(std::span(&command, 1), now).ok());
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
  ASSERT_TRUE(core->propose(std::span(&command, 1), now).ok());
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

// ---- members ---------------------------------------------------------------------------------

TEST_F(Rules, MembersChangeOneAtATimeAndNotBeforeTheFirstEntryIsCommitted) {
  start(remembered(3, {}, 1));
  const Change add{Change::Kind::add_learner, ServerId(4)};
  EXPECT_EQ(core->change(add, now).refusal, Refusal::not_leader);
  win_election();
  EXPECT_EQ(core->change(add, now).refusal, Refusal::not_settled);
  acknowledge(2, 2);
  EXPECT_TRUE(core->change(add, now).ok());
  flush();
  const Change remove{Change::Kind::remove, ServerId(3)};
  EXPECT_EQ(core->change(remove, now).refusal, Refusal::change_pending);
  acknowledge(2, 3);
  EXPECT_TRUE(core->change(remove, now).ok());
}

TEST_F(Rules, AConfigurationCutOffTheLogIsNotInForceAnyMore) {
  start(remembered(3, {}, 2));
  const Configuration larger = core->configuration().with({Change::Kind::add_learner, ServerId(4)});
  const auto change = std::make_shared<const Entry>(
      Entry{Index(2), Term(2), EntryKind::configuration, LogTime(), encode_configuration(larger)});
  append(2, 2, 1, 1, {change});
  EXPECT_EQ(core->configuration(), larger);
  append(3, 3, 1, 1, {entry(2, 3)});
  EXPECT_EQ(core->configuration().servers().size(), 3U);
}

// ---- time ------------------------------------------------------------------------------------

TEST_F(Rules, LogTimeStandsUntilTheFirstEntryIsCommittedThenFollowsTheBootClock) {
  Memory memory = remembered(3, {}, 1);
  memory.entries.push_back(std::make_shared<const Entry>(
      Entry{Index(2), Term(1), EntryKind::command, LogTime(5000), "x"}));
  start(std::move(memory));
  win_election();
  EXPECT_EQ(core->log_time(now), LogTime(5000));
  acknowledge(2, 2);
  pass(Millis(500));
  EXPECT_EQ(core->log_time(now), LogTime(5000));
  acknowledge(2, 3);
  pass(Millis(700));
  EXPECT_EQ(core->log_time(now), LogTime(5700));
  const std::string command = "x";
  ASSERT_TRUE(core->propose(std::span(&command, 1), now).ok());
  flush();
  EXPECT_EQ(writes.back().entries.back()->stamp, LogTime(5700));
}

// ---- reads -----------------------------------------------------------------------------------

TEST_F(Rules, AReadWaitsForTheFirstEntryOfTheTermAndForARoundOfItsOwn) {
  start(remembered(3, {}, 1));
  win_election();
  EXPECT_EQ(core->read(ReadTicket(1), now), Refusal::none);
  flush();
  acknowledge(2, 1, 1);
  EXPECT_TRUE(reads_ready.empty()) << "the commit index may be old";
  acknowledge(2, 2, 0);
  EXPECT_TRUE(reads_ready.empty()) << "nobody was asked since";
  const auto beat = last_said<Append>(2);
  ASSERT_TRUE(beat);
  EXPECT_EQ(beat->round, 1U);
  acknowledge(2, 2, 1);
  EXPECT_EQ(reads_ready, std::vector<ReadTicket>{ReadTicket(1)});
  // The next read needs the next round.
  EXPECT_EQ(core->read(ReadTicket(2), now), Refusal::none);
  flush();
  acknowledge(3, 2, 1);
  EXPECT_EQ(reads_ready.size(), 1U);
  acknowledge(3, 2, 2);
  EXPECT_EQ(reads_ready.size(), 2U);
}

TEST_F(Rules, ADeposedLeaderAnswersNoRead) {
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 2);
  EXPECT_EQ(core->read(ReadTicket(1), now), Refusal::none);
  flush();
  append(3, core->status().term.value() + 1, 1, 1, {});
  EXPECT_TRUE(reads_ready.empty());
  EXPECT_EQ(reads_lost, std::vector<ReadTicket>{ReadTicket(1)});
}

// ---- bounds and strange input ----------------------------------------------------------------

TEST_F(Rules, WhatIsUnderWayToOneFollowerIsBounded) {
  limits.window_messages = 3;
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 2);
  const std::vector<std::string> commands(100, std::string(kAppendBytesMax / 4, 'x'));
  limits.uncommitted_bytes = 0;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(core->propose(std::span(commands).subspan(0, 20), now).ok());
  }
  sent.clear();
  flush();
  std::size_t messages = 0;
  for (const Append& one : said<Append>(2)) messages += one.entries.empty() ? 0U : 1U;
  EXPECT_EQ(messages, 3U);
  for (const Message& message : sent) {
    EXPECT_LE(encode(message).size(), kConsensusMessageBytesMax);
  }
  // Each acknowledgement makes room.
  const auto first = said<Append>(2).front();
  sent.clear();
  acknowledge(2, first.entries.back()->index.value());
  EXPECT_EQ(said<Append>(2).size(), 1U);
}

TEST_F(Rules, ProposalsAreRefusedWhileTooMuchWaits) {
  limits.uncommitted_bytes = 1000;
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 2);
  const std::string command(400, 'x');
  EXPECT_TRUE(core->propose(std::span(&command, 1), now).ok());
  EXPECT_TRUE(core->propose(std::span(&command, 1), now).ok());
  EXPECT_EQ(core->propose(std::span(&command, 1), now).refusal, Refusal::overloaded);
  flush();
  acknowledge(2, 4);
  EXPECT_TRUE(core->propose(std::span(&command, 1), now).ok());
  const std::string huge(kEntryBytesMax + 1, 'x');
  EXPECT_EQ(core->propose(std::span(&huge, 1), now).refusal, Refusal::oversize);
}

TEST_F(Rules, StrangeMessagesAreDroppedAndCounted) {
  start(remembered(3, {2}, 2));
  append(2, 2, 2, 2, {entry(4, 2)});  // a hole
  append(2, 2, 2, 2, {entry(3, 3)});  // from a later term than its leader's
  append(2, 2, 2, 2, {entry(3, 1)});  // terms go back
  const auto garbage = std::make_shared<const Entry>(
      Entry{Index(3), Term(2), EntryKind::configuration, LogTime(), "garbage"});
  append(2, 2, 2, 2, {garbage});
  EXPECT_EQ(core->stats().malformed, 4U);
  EXPECT_EQ(core->status().last, Index(2));
  receive(2, 9, Append{}, 3);  // of another generation
  EXPECT_EQ(core->stats().foreign_generation, 1U);
  EXPECT_TRUE(was_announced(Happening::superseded));
  step(
      Received{Message{ClusterKey(8), Generation(1), ServerId(2), ServerId(1), Term(9), Append{}}});
  step(
      Received{Message{ClusterKey(7), Generation(1), ServerId(2), ServerId(3), Term(9), Append{}}});
  EXPECT_EQ(core->stats().stray, 2U);
  EXPECT_EQ(core->status().term, Term(2));
}

TEST_F(Rules, OtherEntriesThanTheCommittedOnesAreNotTaken) {
  start(remembered(3, {2, 2}, 2));
  append(2, 2, 3, 2, {}, 3, 3);
  ASSERT_EQ(commit(), 3U);
  append(3, 3, 1, 1, {entry(2, 3)});
  EXPECT_TRUE(was_announced(Happening::diverged));
  EXPECT_EQ(core->status().last, Index(3));
}

TEST_F(Rules, AFollowerThatForgotWhatItAcknowledgedIsFoundOut) {
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 2);
  for (int i = 0; i < 3; ++i) {
    receive(2, core->status().term.value(),
            AppendAnswer{Index(), 0, true, Index(2), Index(1), Term(1)});
  }
  EXPECT_TRUE(was_announced(Happening::follower_lost_data));
}

TEST_F(Rules, AFailedDiskEndsEverything) {
  start(remembered(3, {}, 1));
  win_election();
  step(DiskFailed{});
  EXPECT_EQ(core->status().role, Role::retired);
  sent.clear();
  receive(2, 9, VoteRequest{false, false, Term(9), Index(9), Term(9)});
  append(3, 9, 1, 1, {});
  EXPECT_TRUE(sent.empty());
  EXPECT_EQ(core->next_deadline(), TimePoint::max());
  const std::string command = "x";
  EXPECT_EQ(core->propose(std::span(&command, 1), now).refusal, Refusal::disk_failed);
}

TEST_F(Rules, WhileASnapshotIsInstalledTheLogStandsStill) {
  start(remembered(3, {2, 2, 2}, 2));
  const SnapshotMeta meta{Index(20), Term(3), LogTime(9), core->configuration()};
  receive(2, 3, SnapshotChunk{meta, 0, 4, "abcd"});
  ASSERT_EQ(installs, 1);
  append(2, 3, 4, 2, {entry(5, 3)}, 4, 5);
  EXPECT_EQ(commit(), 0U) << "stale entries are not to be applied";
  EXPECT_EQ(core->status().last, Index(4));
  step(SnapshotInstalled{Index(20), true});
  EXPECT_EQ(commit(), 20U);
  EXPECT_EQ(acknowledged(2), 20U);
  append(2, 3, 20, 3, {entry(21, 3)}, 21, 21);
  EXPECT_EQ(acknowledged(2), 21U);
  EXPECT_EQ(writes.back().cut_from, Index());
}

TEST_F(Rules, NoSnapshotOfOlderStateIsTakenWhileANewerOneIsInstalled) {
  // On disk the older one would follow, and replace, the newer one.
  limits.snapshot_entries = 2;
  machine_waits = true;
  start(remembered(3, {2, 2, 2}, 2));
  append(2, 2, 4, 2, {}, 4, 4);
  ASSERT_EQ(applied, Index(4));
  const SnapshotMeta meta{Index(20), Term(2), LogTime(9), core->configuration()};
  receive(2, 2, SnapshotChunk{meta, 0, 4, "abcd"});
  ASSERT_EQ(installs, 1);
  step(Applied{Index(4)});
  EXPECT_EQ(snapshots_asked, 0);
  step(SnapshotInstalled{Index(20), true});
  EXPECT_EQ(snapshots_asked, 0);
  EXPECT_EQ(core->status().applied, Index(20));
}

TEST_F(Rules, APieceOfASnapshotIsStoredOnceAndInOrder) {
  start(remembered(3, {}, 2));
  const SnapshotMeta meta{Index(20), Term(2), LogTime(9), core->configuration()};
  const auto expect_at = [&](std::uint64_t offset) {
    ASSERT_TRUE(last_said<SnapshotAnswer>(2));
    EXPECT_EQ(last_said<SnapshotAnswer>(2)->offset, offset);
  };
  receive(2, 2, SnapshotChunk{meta, 4, 8, "efgh"});
  expect_at(0);
  receive(2, 2, SnapshotChunk{meta, 0, 8, "abcd"});
  expect_at(4);
  receive(2, 2, SnapshotChunk{meta, 0, 8, "abcd"});
  expect_at(4);
  receive(2, 2, SnapshotChunk{meta, 4, 8, "efgh"});
  expect_at(8);
  EXPECT_EQ(installs, 1);
  // It turned out damaged: from the beginning.
  step(SnapshotInstalled{Index(20), false});
  receive(2, 2, SnapshotChunk{meta, 4, 8, "efgh"});
  expect_at(0);
}

}  // namespace

}  // namespace riftbus::consensus
