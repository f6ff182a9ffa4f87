// What the runner's threads are told, and in which order.
#include "node/jobs/errands.h"

#include "test/node/jobs/bench.h"

namespace riftbus::jobs {
namespace {

Start start_of(std::uint64_t id) {
  Start start;
  start.hold = Bench::hold(id);
  start.stop_at = at_ms(1000);
  return start;
}

Hold hold_of(const std::optional<Errands::Errand>& errand) {
  if (!errand) return {};
  return std::visit([](const auto& one) { return one.hold; }, *errand);
}

// It is started, and that is done.
void run(Errands& errands, std::uint64_t id) {
  errands.take(start_of(id));
  const auto errand = errands.next_errand();
  ASSERT_TRUE(errand);
  errands.done(*errand);
}

TEST(Errands, WordsToARunningJobDoNotWaitUntilAnotherHasStarted) {
  Errands errands;
  run(errands, 1);
  errands.take(start_of(2));
  ASSERT_TRUE(errands.next_errand());  // and it takes long
  errands.take(start_of(3));
  errands.take(Extend{Bench::hold(1), at_ms(2000)});
  errands.take(Extend{Bench::hold(1), at_ms(3000)});
  EXPECT_FALSE(errands.take(Stop{Bench::hold(1), Cause::cancel}));
  const auto words = errands.next_words();
  ASSERT_EQ(words.size(), 1U);
  EXPECT_EQ(words[0].hold, Bench::hold(1));
  EXPECT_EQ(words[0].stop_at, at_ms(3000)) << "only the latest counts";
  EXPECT_EQ(words[0].stop, Cause::cancel);
  EXPECT_TRUE(errands.next_words().empty());
}

TEST(Errands, WordsToAJobThatIsBeingStartedWaitUntilItHearsThem) {
  Errands errands;
  errands.take(start_of(1));
  const auto start = errands.next_errand();
  ASSERT_TRUE(start);
  EXPECT_FALSE(errands.take(Stop{Bench::hold(1), Cause::evict}));
  EXPECT_TRUE(errands.next_words().empty());
  errands.done(*start);
  ASSERT_EQ(errands.next_words().size(), 1U);
}

TEST(Errands, AStartThatHasNotBegunFollowsItsLeaseAndIsTakenBackByAStop) {
  Errands errands;
  errands.take(start_of(1));
  errands.take(start_of(2));
  errands.take(Extend{Bench::hold(2), at_ms(5000)});
  const auto ended = errands.take(Stop{Bench::hold(1), Cause::lease});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->hold, Bench::hold(1));
  EXPECT_EQ(ended->exit.cause, Cause::lease);
  EXPECT_FALSE(ended->exit.started);
  const auto errand = errands.next_errand();
  ASSERT_EQ(hold_of(errand), Bench::hold(2));
  EXPECT_EQ(std::get<Start>(*errand).stop_at, at_ms(5000));
  EXPECT_FALSE(errands.next_errand());
  errands.take(Discard{Bench::hold(1)});
  EXPECT_FALSE(errands.next_errand()) << "there is nothing to clear away";
}

TEST(Errands, WhatClearsAwayGoesBeforeWhatStartsAndOnlyOnce) {
  Errands errands;
  run(errands, 1);
  errands.take(start_of(2));
  errands.take(start_of(3));
  errands.take(Extend{Bench::hold(1), at_ms(2000)});
  errands.take(Discard{Bench::hold(1)});
  errands.take(Discard{Bench::hold(1)});
  EXPECT_TRUE(errands.next_words().empty());
  const auto discard = errands.next_errand();
  EXPECT_EQ(hold_of(discard), Bench::hold(1));
  EXPECT_TRUE(std::holds_alternative<Discard>(*discard));
  errands.done(*discard);
  EXPECT_EQ(hold_of(errands.next_errand()), Bench::hold(2));
  EXPECT_EQ(hold_of(errands.next_errand()), Bench::hold(3));
  EXPECT_EQ(errands.size(), 2U);
}

TEST(Errands, WhatWasNotHeardIsSaidAgainUnlessThereIsNewer) {
  Errands errands;
  errands.adopt(Bench::hold(1));
  errands.take(Extend{Bench::hold(1), at_ms(2000)});
  EXPECT_FALSE(errands.take(Stop{Bench::hold(1), Cause::preempt}));
  const auto unheard = errands.next_words().at(0);
  errands.take(Extend{Bench::hold(1), at_ms(3000)});
  errands.put_back(unheard);
  const auto again = errands.next_words().at(0);
  EXPECT_EQ(again.stop_at, at_ms(3000));
  EXPECT_EQ(again.stop, Cause::preempt);
}

TEST(Errands, ManyMoreOrdersThanAThreadsQueueHoldsAreAllCarriedOut) {
  Errands errands;
  constexpr std::uint64_t kJobs = 2000;
  for (std::uint64_t id = 1; id <= kJobs; ++id) errands.take(start_of(id));
  for (std::uint64_t id = 1; id <= kJobs; ++id) {
    const auto errand = errands.next_errand();
    ASSERT_EQ(hold_of(errand), Bench::hold(id));
    errands.done(*errand);
    for (int round = 0; round < 3; ++round) {
      errands.take(Extend{Bench::hold(id), at_ms(2000 + round)});
    }
  }
  EXPECT_EQ(errands.next_words().size(), kJobs);
}

}  // namespace
}  // namespace riftbus::jobs
