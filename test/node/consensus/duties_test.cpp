// What the smallest stories show of members, time, reads, bounds and snapshots.
#include "test/node/consensus/stand.h"

namespace riftbus::consensus {

namespace {

using Duties = Stand;

// ---- members ---------------------------------------------------------------------------------

TEST_F(Duties, MembersChangeOneAtATimeAndNotBeforeTheFirstEntryIsCommitted) {
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

TEST_F(Duties, AConfigurationCutOffTheLogIsNotInForceAnyMore) {
  start(remembered(3, {}, 2));
  const Configuration larger = core->configuration().with({Change::Kind::add_learner, ServerId(4)});
  const auto change = keep(
      Entry{Index(2), Term(2), EntryKind::configuration, LogTime(), encode_configuration(larger)});
  append(2, 2, 1, 1, {change});
  EXPECT_EQ(core->configuration(), larger);
  append(3, 3, 1, 1, {entry(2, 3)});
  EXPECT_EQ(core->configuration().servers().size(), 3U);
}

// ---- time ------------------------------------------------------------------------------------

TEST_F(Duties, LogTimeStandsUntilTheFirstEntryIsCommittedThenFollowsTheBootClock) {
  Memory memory = remembered(3, {}, 1);
  memory.entries.push_back(keep(Entry{Index(2), Term(1), EntryKind::command, LogTime(5000), "x"}));
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
  ASSERT_TRUE(core->propose(command, now).ok());
  flush();
  EXPECT_EQ(writes.back().entries.back()->stamp, LogTime(5700));
}

// ---- reads -----------------------------------------------------------------------------------

TEST_F(Duties, AReadWaitsForTheFirstEntryOfTheTermAndForARoundOfItsOwn) {
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

TEST_F(Duties, ADeposedLeaderAnswersNoRead) {
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

TEST_F(Duties, WhatIsUnderWayToOneFollowerIsBounded) {
  limits.window_messages = 3;
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 2);
  limits.uncommitted_bytes = 0;
  for (int i = 0; i < 5; ++i) {
    const std::string command(kAppendBytesMax / 4, 'x');
    const std::vector<std::string_view> commands(20, command);
    ASSERT_TRUE(core->propose(commands, now).ok());
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

TEST_F(Duties, ProposalsAreRefusedWhileTooMuchWaits) {
  limits.uncommitted_bytes = 1000;
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 2);
  const std::string command(400, 'x');
  EXPECT_TRUE(core->propose(command, now).ok());
  EXPECT_TRUE(core->propose(command, now).ok());
  EXPECT_EQ(core->propose(command, now).refusal, Refusal::overloaded);
  flush();
  acknowledge(2, 4);
  EXPECT_TRUE(core->propose(command, now).ok());
  const std::string huge(kEntryBytesMax + 1, 'x');
  EXPECT_EQ(core->propose(huge, now).refusal, Refusal::oversize);
}

TEST_F(Duties, StrangeMessagesAreDroppedAndCounted) {
  start(remembered(3, {2}, 2));
  append(2, 2, 2, 2, {entry(4, 2)});  // a hole
  append(2, 2, 2, 2, {entry(3, 3)});  // from a later term than its leader's
  append(2, 2, 2, 2, {entry(3, 1)});  // terms go back
  const auto garbage =
      keep(Entry{Index(3), Term(2), EntryKind::configuration, LogTime(), "garbage"});
  append(2, 2, 2, 2, {garbage});
  EXPECT_EQ(core->stats().malformed, 4U);
  EXPECT_EQ(core->status().last, Index(2));
  receive(7, 9, Append{}, 3);  // of another generation, and from a stranger
  EXPECT_EQ(core->stats().foreign_generation, 1U);
  step(
      Received{Message{ClusterKey(8), Generation(1), ServerId(2), ServerId(1), Term(9), Append{}}});
  step(
      Received{Message{ClusterKey(7), Generation(1), ServerId(2), ServerId(3), Term(9), Append{}}});
  EXPECT_EQ(core->stats().stray, 2U);
  EXPECT_EQ(core->status().term, Term(2));
}

TEST_F(Duties, OtherEntriesThanTheCommittedOnesAreNotTaken) {
  start(remembered(3, {2, 2}, 2));
  append(2, 2, 3, 2, {}, 3, 3);
  ASSERT_EQ(commit(), 3U);
  append(3, 3, 1, 1, {entry(2, 3)});
  EXPECT_TRUE(was_announced(Happening::diverged));
  EXPECT_EQ(core->status().last, Index(3));
}

TEST_F(Duties, AFollowerThatForgotWhatItAcknowledgedIsFoundOut) {
  start(remembered(3, {}, 1));
  win_election();
  acknowledge(2, 2);
  for (int i = 0; i < 3; ++i) {
    receive(2, core->status().term.value(),
            AppendAnswer{Index(), 0, true, Index(2), Index(1), Term(1)});
  }
  EXPECT_TRUE(was_announced(Happening::follower_lost_data));
}

TEST_F(Duties, AFailedDiskEndsEverything) {
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
  EXPECT_EQ(core->propose(command, now).refusal, Refusal::disk_failed);
}

TEST_F(Duties, WhileASnapshotIsInstalledTheLogStandsStill) {
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

TEST_F(Duties, NoSnapshotOfOlderStateIsTakenWhileANewerOneIsInstalled) {
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

class SnapshotsDue : public Duties {
 protected:
  SnapshotsDue() { limits.snapshot_entries = 2; }
  void lead(Memory memory) {
    start(std::move(memory));
    win_election();
    acknowledge(2, core->status().last.value());
  }
  // How many, one by one, from now until the next is asked for.
  std::uint64_t entries_until_next() {
    std::uint64_t count = 0;
    for (const int asked = snapshots_asked; snapshots_asked == asked && count < 100; ++count) {
      EXPECT_TRUE(core->propose(command, now).ok());
      flush();
      acknowledge(2, core->status().last.value());
    }
    return count;
  }
  std::uint64_t entries_until_next(std::uint64_t last_bytes) {
    step(SnapshotTaken{core->status().applied, true, last_bytes});
    return entries_until_next();
  }
  const std::string command = std::string(100, 'x');
  const std::uint64_t size = command.size() + kEntryOverheadBytes;
};

TEST_F(SnapshotsDue, TheLargerTheLastTheLongerTheLogBeforeTheNext) {
  limits.log_bytes = 3000;
  lead(remembered(3, {}, 1));
  ASSERT_EQ(snapshots_asked, 1);
  EXPECT_EQ(entries_until_next(0), limits.snapshot_entries);
  EXPECT_EQ(entries_until_next(1000), 2000 / size + 1);
  EXPECT_EQ(entries_until_next(1'000'000), 3000 / size + 1);
}

TEST_F(SnapshotsDue, ALogOfManySmallEntriesIsBoundedToo) {
  limits.log_entries = 7;
  lead(remembered(3, {}, 1));
  ASSERT_EQ(snapshots_asked, 1);
  EXPECT_EQ(entries_until_next(1'000'000), limits.log_entries);
}

TEST_F(SnapshotsDue, TheSizeOfTheLastIsKnownAfterARestart) {
  auto memory = remembered(3, {}, 1);
  memory.snapshot_bytes = 1000;
  lead(std::move(memory));
  ASSERT_EQ(snapshots_asked, 0);
  EXPECT_GT(entries_until_next(), 2000 / size - 2);
}

TEST_F(SnapshotsDue, AndOfOneThatWasReceived) {
  start(remembered(3, {}, 2));
  const SnapshotMeta meta{Index(20), Term(2), LogTime(9), core->configuration()};
  receive(2, 2, SnapshotChunk{meta, 0, 1000, std::string(1000, 's')});
  ASSERT_EQ(installs, 1);
  step(SnapshotInstalled{Index(20), true});
  Index last(20);
  while (snapshots_asked == 0 && last < Index(60)) {
    append(2, 2, last.value(), 2, {entry(last.value() + 1, 2, command)}, last.value() + 1,
           last.value() + 1);
    last = last.next();
  }
  EXPECT_EQ(distance(Index(20), core->status().applied), 2000 / size + 1);
}

TEST_F(Duties, APieceOfASnapshotIsStoredOnceAndInOrder) {
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
