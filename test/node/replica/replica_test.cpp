// What a replica owes to those who ask it.
#include "node/replica/replica.h"

#include <gtest/gtest.h>

#include "node/work/codec.h"
#include "node/work/snapshot.h"
#include "test/node/replica/stand.h"

namespace riftbus::replica {
namespace {

const NodeId kWorker = node("w1");

const work::Claimed& claimed(const Answer& answer) {
  return std::get<work::Claimed>(std::get<work::Reply>(answer.body));
}
bool is_moved(const Answer& answer) { return std::holds_alternative<Moved>(answer.body); }

TEST(Replica, AnswersACommandOnceItIsDecided) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  const auto ticket = stand.ask(leader, add_items(3, 1));
  EXPECT_EQ(stand.answer_to(ticket), nullptr);
  const auto& added = std::get<work::Added>(std::get<work::Reply>(stand.await(ticket).body));
  EXPECT_EQ(added.ids.size(), 3U);
  const auto& grant = claimed(stand.await(stand.ask(leader, claim(kWorker, 1, 2))));
  EXPECT_EQ(grant.grants.size(), 2U);
}

TEST(Replica, GathersATurnsCommandsIntoOneWriteAndOneMessagePerFollower) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  stand.run(Millis(20));
  const auto before = stand.at(leader).stats().proposed;
  std::vector<Ticket> tickets;
  for (std::uint64_t i = 0; i < 100; ++i)
    tickets.push_back(stand.ask(leader, add_items(1, 10 + i)));
  Actions out;
  stand.at(leader).flush(stand.now(), out);
  std::size_t writes = 0, sends = 0;
  for (const auto& action : out) {
    writes += std::holds_alternative<consensus::Persist>(action) ? 1U : 0U;
    sends += std::holds_alternative<consensus::Send>(action) ? 1U : 0U;
  }
  EXPECT_EQ(stand.at(leader).stats().proposed - before, 100U);
  EXPECT_EQ(writes, 1U);
  EXPECT_EQ(sends, 2U);
}

TEST(Replica, SendsWhoAsksAFollowerToTheLeader) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  stand.run(Millis(200));
  const auto follower = (leader + 1) % 3;
  const auto& answer = stand.await(stand.ask(follower, add_items(1, 1)));
  ASSERT_TRUE(is_moved(answer));
  EXPECT_EQ(std::get<Moved>(answer.body).leader.value(), leader + 1);
}

TEST(Replica, AMinorityGrantsNothingAndSaysSo) {
  Stand stand(3);
  const auto old = stand.await_leader();
  stand.commit(add_items(1, 1));
  stand.isolate(old);
  const auto ticket = stand.ask(old, claim(kWorker, 1));
  const auto& answer = stand.await(ticket);
  EXPECT_TRUE(is_moved(answer));
  EXPECT_FALSE(stand.at(old).is_leading());
  const auto leader = stand.await_leader();
  EXPECT_NE(leader, old);
  // The same request, of the new leader: granted once, whatever became of the first try.
  const auto first = claimed(stand.await(stand.ask(leader, claim(kWorker, 1))));
  ASSERT_EQ(first.grants.size(), 1U);
  stand.heal();
  stand.run(Seconds(3));
  const auto again = std::get<work::Claimed>(stand.commit(claim(kWorker, 1)));
  EXPECT_EQ(again.fence, first.fence);
}

TEST(Replica, AClaimWaitsInMemoryUntilSomethingFits) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  // The queue learns of the worker by its first claim.
  EXPECT_TRUE(claimed(stand.await(stand.ask(leader, claim(kWorker, 1)))).grants.empty());
  const auto proposed = stand.at(leader).stats().proposed;
  const auto ticket = stand.ask(leader, claim(kWorker, 2), Seconds(20));
  stand.run(Seconds(5));
  EXPECT_EQ(stand.answer_to(ticket), nullptr);
  EXPECT_EQ(stand.at(leader).stats().proposed, proposed);
  EXPECT_EQ(stand.at(leader).parked(), 1U);
  stand.ask(leader, add_items(1, 1));
  EXPECT_EQ(claimed(stand.await(ticket, Seconds(1))).grants.size(), 1U);
}

TEST(Replica, AClaimThatWaitedInVainIsAnsweredWithNothing) {
  Stand stand(1);
  const auto leader = stand.await_leader();
  stand.await(stand.ask(leader, claim(kWorker, 1)));
  const auto began = stand.now();
  const auto& answer = stand.await(stand.ask(leader, claim(kWorker, 2), Seconds(2)));
  EXPECT_TRUE(claimed(answer).grants.empty());
  EXPECT_GE(stand.now() - began, Nanos(Seconds(2)));
  EXPECT_LE(stand.now() - began, Nanos(Seconds(2) + Millis(50)));
}

TEST(Replica, ANewcomersClaimThatFoundNothingHearsWhenThereIsSomething) {
  Stand stand(1);
  const auto leader = stand.await_leader();
  const auto ticket = stand.ask(leader, claim(kWorker, 1), Seconds(20));
  stand.run(Seconds(1));
  EXPECT_EQ(stand.answer_to(ticket), nullptr);
  stand.ask(leader, add_items(1, 1));
  // It is in the log already, granted nothing for ever: the answer says "ask anew".
  EXPECT_TRUE(claimed(stand.await(ticket, Seconds(1))).grants.empty());
  EXPECT_EQ(claimed(stand.await(stand.ask(leader, claim(kWorker, 2)))).grants.size(), 1U);
}

TEST(Replica, OneItemDoesNotWakeAHerd) {
  Stand stand(1);
  const auto leader = stand.await_leader();
  for (int i = 0; i < 50; ++i) {
    const auto worker = node("w" + std::to_string(i));
    stand.await(stand.ask(leader, claim(worker, 1)));
    stand.ask(leader, claim(worker, 2), Seconds(30));
  }
  stand.run(Millis(100));
  const auto proposed = stand.at(leader).stats().proposed;
  stand.await(stand.ask(leader, add_items(1, 1)));
  stand.run(Seconds(1));
  EXPECT_EQ(stand.at(leader).stats().proposed - proposed, 2U);  // the add and one claim
  EXPECT_EQ(stand.at(leader).parked(), 49U);
}

TEST(Replica, ALeaseThatIsNotRenewedEndsAndIsGrantedAnew) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  stand.commit(add_items(1, 1, 2000));
  const auto first = claimed(stand.await(stand.ask(leader, claim(kWorker, 1))));
  ASSERT_EQ(first.grants.size(), 1U);
  const work::Renewal renewal{kWorker, {{{first.grants[0].id, first.fence}, 0, ""}}};
  for (int i = 0; i < 4; ++i) {
    stand.run(Seconds(1));
    const auto& renewed =
        std::get<RenewedAnswers>(stand.await(stand.give(leader, Renew{Ticket(), renewal})).body);
    EXPECT_EQ(renewed.at(0).judged.outcome, work::Outcome::ok);
  }
  stand.run(Seconds(3));
  const auto& late =
      std::get<RenewedAnswers>(stand.await(stand.give(leader, Renew{Ticket(), renewal})).body);
  EXPECT_EQ(late.at(0).judged.outcome, work::Outcome::stale);
  stand.run(Seconds(10));  // the pause before another try
  const auto second = claimed(stand.await(stand.ask(leader, claim(node("w2"), 1))));
  ASSERT_EQ(second.grants.size(), 1U);
  EXPECT_GT(second.fence, first.fence);
}

TEST(Replica, ManyLeasesWithFullCheckpointsThatEndTogetherAreAllGrantedAnew) {
  constexpr std::size_t kLeases = 100;
  Stand stand(1);
  const auto leader = stand.await_leader();
  stand.commit(add_items(kLeases, 1, 2000));
  const auto first = claimed(stand.await(stand.ask(leader, claim(kWorker, 1, kLeases))));
  ASSERT_EQ(first.grants.size(), kLeases);
  work::Renewal renewal{kWorker, {}};
  for (const auto& grant : first.grants) {
    renewal.works.push_back(
        {{grant.id, first.fence}, 50, std::string(work::kCheckpointBytesMax, 'c')});
  }
  stand.await(stand.give(leader, Renew{Ticket(), renewal}));
  const auto& ledger = stand.at(leader).queue().ledger();
  EXPECT_EQ(ledger.count(work::State::leased), kLeases);
  stand.run(Seconds(15));
  EXPECT_EQ(ledger.count(work::State::leased), 0U);
  EXPECT_EQ(ledger.count(work::State::ready), kLeases);
}

TEST(Replica, ARenewalIsNotAcknowledgedByALeaderWithoutAMajority) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  stand.commit(add_items(1, 1));
  const auto grant = claimed(stand.await(stand.ask(leader, claim(kWorker, 1))));
  stand.isolate(leader);
  const auto ticket =
      stand.give(leader, Renew{Ticket(), {kWorker, {{{grant.grants[0].id, grant.fence}, 0, ""}}}});
  EXPECT_TRUE(is_moved(stand.await(ticket)));
}

TEST(Replica, AReadIsAnsweredOnlyWithAMajority) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  EXPECT_TRUE(
      std::holds_alternative<ReadNow>(stand.await(stand.give(leader, Read{Ticket()})).body));
  stand.isolate(leader);
  EXPECT_TRUE(is_moved(stand.await(stand.give(leader, Read{Ticket()}))));
}

TEST(Replica, DelaysEndByThemselves) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  work::Add add = add_items(1, 1);
  add.items[0].delay_ms = 3000;
  stand.commit(add);
  EXPECT_EQ(stand.at(leader).queue().ledger().ready.size(), 0U);
  const auto began = stand.now();
  stand.run_until([&] { return stand.at(leader).queue().ledger().ready.size() == 1; });
  EXPECT_GE(stand.now() - began, Nanos(Millis(2900)));
  EXPECT_LE(stand.now() - began, Nanos(Millis(3200)));
  EXPECT_LE(stand.at(leader).stats().ticks, 3U);
}

// Nothing else happens in this log that would tell the successor how late it is.
TEST(Replica, ADelayOutlivesTheLeaderThatCountedIt) {
  Stand stand(3);
  const auto leader = stand.await_leader();
  work::Add add = add_items(1, 1);
  add.items[0].delay_ms = 60'000;
  stand.commit(add);
  const auto began = stand.now();
  stand.run(Seconds(50));
  EXPECT_LE(stand.at(leader).stats().ticks, 11U);
  stand.isolate(leader);
  const auto is_ready = [&](std::size_t number) {
    return stand.at(number).queue().ledger().ready.size() == 1;
  };
  stand.run_until([&] { return is_ready((leader + 1) % 3); }, Seconds(90));
  EXPECT_GE(stand.now() - began, Nanos(Millis(59'900)));
  EXPECT_LE(stand.now() - began, Nanos(Seconds(70)));
}

TEST(Replica, FencesCarryTheGenerationOfTheLog) {
  Stand stand(1);
  const auto leader = stand.await_leader();
  stand.commit(add_items(1, 1));
  const auto grant = claimed(stand.await(stand.ask(leader, claim(kWorker, 1))));
  EXPECT_EQ(grant.fence.value() >> work::kFenceIndexBits, 1U);
}

TEST(Replica, EverythingSurvivesARestartOfAll) {
  Stand stand(3, 50);
  for (std::uint64_t i = 0; i < 200; ++i) stand.commit(add_items(1, 1 + i));
  const auto before = work::write_snapshot(stand.at(stand.await_leader()).queue());
  EXPECT_GT(stand.snapshots, 0U);
  stand.run(Seconds(1));
  for (std::size_t i = 0; i < 3; ++i) stand.restart(i);
  stand.await_leader();
  EXPECT_EQ(stand.at(stand.await_leader()).queue().ledger().count(work::State::ready), 200U);
  EXPECT_EQ(std::get<work::Added>(stand.commit(add_items(1, 5))).ids.at(0), work::WorkId(5));
}

TEST(Replica, ForgottenTicketsAreNotAnswered) {
  Stand stand(1);
  const auto leader = stand.await_leader();
  stand.await(stand.ask(leader, claim(kWorker, 1)));
  const auto parked = stand.ask(leader, claim(kWorker, 2), Seconds(5));
  const auto added = stand.ask(leader, add_items(1, 1));
  stand.at(leader).take(Request(Forget{parked}), stand.now());
  stand.at(leader).take(Request(Forget{added}), stand.now());
  stand.run(Seconds(6));
  EXPECT_EQ(stand.answer_to(parked), nullptr);
  EXPECT_EQ(stand.answer_to(added), nullptr);
  EXPECT_EQ(stand.at(leader).queue().ledger().count(work::State::ready), 1U);
}

TEST(Replica, WhatIsTooLongForTheLogIsRefusedInTheWordsOfTheQuestion) {
  Stand stand(1);
  const auto leader = stand.await_leader();
  work::Add add = add_items(4, 1);
  for (auto& item : add.items) item.payload.assign(50 * 1024, 'x');
  const auto& added = stand.await(stand.ask(leader, add));
  const auto& reply = std::get<work::Reply>(added.body);
  ASSERT_TRUE(std::holds_alternative<work::Added>(reply));
  EXPECT_EQ(std::get<work::Added>(reply).outcome, work::Outcome::oversize);
  work::Claim large = claim(kWorker, 1);
  large.offer.data.assign(2000, std::string(128, 'd'));
  EXPECT_EQ(claimed(stand.await(stand.ask(leader, large))).outcome, work::Outcome::oversize);
}

TEST(Replica, MoreThanItMayHoldIsAnsweredBusy) {
  Stand stand(1);
  const auto leader = stand.await_leader();
  const std::size_t max = ReplicaLimits{}.waiting_commands;
  Ticket last;
  for (std::size_t i = 0; i <= max; ++i) last = stand.ask(leader, add_items(1, 1 + i));
  EXPECT_TRUE(std::holds_alternative<Busy>(stand.await(last).body));
}

}  // namespace
}  // namespace riftbus::replica
