// The log by itself, and the parts that are values: durability, campaign clock, configuration.
#include "node/consensus/log.h"

#include <gtest/gtest.h>

#include "node/consensus/campaign_clock.h"
#include "node/consensus/codec.h"
#include "node/consensus/durability.h"

namespace riftbus::consensus {

namespace {

constexpr std::uint64_t kAll = ~0ULL;

EntryPtr entry(std::uint64_t index, std::uint64_t term, std::size_t bytes = 10) {
  return keep(Entry{Index(index), Term(term), EntryKind::command, LogTime(index * 10),
                    std::string(bytes, 'x')});
}
Log log_of(const std::vector<std::uint64_t>& terms) {
  Log log;
  for (const std::uint64_t term : terms) log.append(entry(log.last().value() + 1, term));
  return log;
}

TEST(Log, KnowsTermsBetweenItsBaseAndItsEnd) {
  Log log = log_of({1, 1, 2, 4});
  EXPECT_EQ(log.term_at(Index()), Term());
  EXPECT_EQ(log.term_at(Index(3)), Term(2));
  EXPECT_EQ(log.term_at(Index(5)), std::nullopt);
  log.compact({Index(3), Term(2), LogTime(30), {}}, 1, kAll);
  EXPECT_EQ(log.first(), Index(3));
  EXPECT_EQ(log.term_at(Index(2)), Term(1));
  EXPECT_EQ(log.term_at(Index(1)), std::nullopt);
  EXPECT_EQ(log.last(), Index(4));
}

TEST(Log, FindsWhereTwoLogsMayAgree) {
  const Log log = log_of({1, 1, 3, 3, 6});
  EXPECT_EQ(log.agreement_before(Index(9), Term(9)), Index(5));
  EXPECT_EQ(log.agreement_before(Index(5), Term(5)), Index(4));
  EXPECT_EQ(log.agreement_before(Index(4), Term(2)), Index(2));
  EXPECT_EQ(log.agreement_before(Index(4), Term(0)), Index());
}

TEST(Log, KeepsBeforeASnapshotNoMoreThanBothBoundsAllow) {
  Log log;
  for (std::uint64_t i = 1; i <= 100; ++i) log.append(entry(i, 1, 960));
  EXPECT_EQ(log.compact({Index(90), Term(1), LogTime(900), {}}, 50, 20'000), Index(70));
  EXPECT_EQ(log.bytes_between(Index(70), Index(90)), 20'000U);
  EXPECT_EQ(log.bytes_between(Index(90), Index(100)), 10'000U);
}

TEST(Log, CountsBytesThroughCutsAndRestarts) {
  Log log = log_of({1, 1, 1, 1});
  const std::uint64_t each = size_of(*log.at(Index(1)));
  log.truncate(Index(3));
  EXPECT_EQ(log.bytes_between(Index(), Index(9)), 2 * each);
  log.append(entry(3, 2));
  EXPECT_EQ(log.bytes_between(Index(2), Index(3)), each);
  log.restart({Index(50), Term(2), LogTime(500), {}});
  log.append(entry(51, 3));
  EXPECT_EQ(log.bytes_between(Index(50), Index(51)), each);
  EXPECT_EQ(log.last_stamp(), LogTime(510));
}

TEST(Log, GivesAtLeastOneEntryHoweverLarge) {
  Log log = log_of({1, 1, 1});
  EXPECT_EQ(log.slice(Index(1), Index(3), 1, 100).size(), 1U);
  EXPECT_EQ(log.slice(Index(1), Index(3), 10'000, 2).size(), 2U);
  EXPECT_EQ(log.slice(Index(2), Index(3), 10'000, 100).size(), 2U);
}

TEST(Log, RemembersWhichConfigurationWasInForceWhere) {
  Log log = log_of({1});
  const Configuration one(Generation(1), {{ServerId(1), Standing::voter, 0}});
  const Configuration two = one.with({Change::Kind::add_learner, ServerId(2)});
  const auto put = [&](const Configuration& configuration) {
    log.append(keep(Entry{log.last().next(), Term(1), EntryKind::configuration, LogTime(10),
                          encode_configuration(configuration)}));
  };
  put(one);
  log.append(entry(3, 1));
  put(two);
  EXPECT_EQ(log.configuration_at(Index(3)), one);
  EXPECT_EQ(log.configuration_at(Index(4)), two);
  log.compact({Index(3), Term(1), LogTime(10), one}, 0, 0);
  EXPECT_EQ(log.configuration_at(Index(3)), one);
  log.truncate(Index(4));
  EXPECT_EQ(log.configuration(), one);
}

TEST(Durability, VouchesOnlyForWhatNoLaterWriteTouches) {
  Durability disk(Index(5));
  const WriteSeq first = disk.issue(Index(9), 1);
  disk.truncate(Index(7));
  const WriteSeq second = disk.issue(Index(8), 2);
  disk.complete(first);
  EXPECT_EQ(disk.durable(), Index(6));
  EXPECT_EQ(disk.hard_version(), 1U);
  disk.complete(first);
  EXPECT_EQ(disk.durable(), Index(6));
  disk.complete(second);
  EXPECT_EQ(disk.durable(), Index(8));
  EXPECT_FALSE(disk.is_busy());
}

TEST(CampaignClock, WaitsAsThePolicySays) {
  Random random(1);
  const Timing timing;
  const TimePoint now{Seconds(100)};
  for (int i = 0; i < 100; ++i) {
    CampaignClock clock(timing);
    clock.arm(CampaignClock::Wait::loyal, now, random);
    const TimePoint chance = clock.due(Policy::raft, 2);
    EXPECT_GE(chance, now + timing.election);
    EXPECT_LT(chance, now + timing.election * 2);
    EXPECT_EQ(clock.due(Policy::bully, 0), now + timing.election);
    EXPECT_EQ(clock.due(Policy::bully, 2), now + timing.election + timing.rank_step * 2);
    EXPECT_EQ(clock.due(Policy::hybrid, 2), std::min(chance, clock.due(Policy::bully, 2)));
    clock.arm(CampaignClock::Wait::urgent, now, random);
    EXPECT_LT(clock.due(Policy::raft, 0), now + timing.election / 2);
    EXPECT_EQ(clock.due(Policy::bully, 0), now);
  }
}

TEST(Configuration, AMajorityIsOfTheVotersAlone) {
  const Configuration five(Generation(1), {{ServerId(1), Standing::voter, 0},
                                           {ServerId(2), Standing::learner, 0},
                                           {ServerId(3), Standing::voter, 0},
                                           {ServerId(4), Standing::voter, 0},
                                           {ServerId(5), Standing::voter, 0}});
  EXPECT_EQ(five.majority(), 3U);
  const auto reached = five.reached_by_majority([](ServerId id) { return id.value(); });
  EXPECT_EQ(reached, 3U);  // 3, 4 and 5 have it; the learner's 2 does not count
}

}  // namespace

}  // namespace riftbus::consensus
