#include "node/work/query.h"

#include <gmock/gmock.h>

#include "node/work/snapshot.h"
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Why, CountsTheWorkersThatFailEachClause) {
  Stand s;
  s.claim("w1", 1, "gpus=1 cuda=11.8");
  s.claim("w2", 1, "gpus=8 cuda=12.4 tag.spot");
  s.claim("w3", 1, "cpus=4");
  const WorkId id = s.add(needing("gpus>=2 && cuda>=12.1 && !tag.spot"));
  EXPECT_THAT(
      describe(explain_work(s.queue, id)),
      ElementsAre("is ready", "gpus>=2: not met by 2 of 3 workers",
                  "cuda>=12.1: not met by 2 of 3 workers", "!tag.spot: not met by 1 of 3 workers",
                  "reserve gpus>=2: not met by 2 of 3 workers"));
}

TEST(Why, TellsTheBusyFromTheFree) {
  Stand s;
  const auto ids = s.add(std::vector<Spec>(3, needing("gpus>=1")));
  s.claim("w1", 1, "gpus=1");
  EXPECT_EQ(explain_work(s.queue, ids[1]).busy, 1U);
  EXPECT_EQ(explain_work(s.queue, ids[2]).ahead, 1U);
  s.claim("w2", 0, "gpus=1");
  EXPECT_EQ(explain_work(s.queue, ids[2]).free, 1U);
}

// A drained worker asks for nothing: it is not heard of, and is no reason to wait any the less.
TEST(Why, CountsTheDrainedApart) {
  Stand s;
  const WorkId id = s.add(needing("gpus>=1"));
  s.claim("w1", 0, "gpus=1");
  s.claim("w2", 0, "gpus=1");
  s.claim("w3", 0, "cpus=1");
  EXPECT_THAT(describe(explain_work(s.queue, id, {"w1", "w3", "stranger"})),
              ElementsAre("is ready", "gpus>=1: not met by 1 of 3 workers",
                          "reserve gpus>=1: not met by 1 of 3 workers",
                          "1 worker could run it, if not drained", "1 worker could take it now"));
  s.tick(s.queue.ledger().settings.worker_fresh_ms + 1);
  s.tick();
  EXPECT_EQ(explain_work(s.queue, id, {"w1"}).drained, 1U);
  EXPECT_EQ(explain_work(s.queue, id, {"w1"}).free, 0U);
  EXPECT_EQ(explain_work(s.queue, id).workers, 0U);
}

// What is to be cancelled, and what was, which a snapshot keeps.
TEST(Why, SaysWhyItWasCancelled) {
  Stand s;
  Spec expiring = job();
  expiring.expires_ms = 500;
  Spec late = job();
  late.deadline_ms = 500;
  const auto ids = s.add({late, late, expiring, job()});
  Spec following = job();
  following.after = {ids[3]};
  const WorkId follower = s.add(following);
  const auto why_of = [&](WorkId id) { return describe(explain_work(s.queue, id)); };
  const Held held = s.take("w1");
  ASSERT_EQ(held.id(), ids[0]);
  s.tick(500);
  EXPECT_THAT(why_of(ids[0]), testing::Contains("it was not done before its deadline"));
  s.release(held);
  s.cancel(ids[3]);
  s.tick();
  auto copy = read_snapshot(write_snapshot(s.queue));
  ASSERT_TRUE(copy.ok()) << copy.error().to_string();
  s.queue = std::move(copy).value();
  EXPECT_THAT(why_of(ids[3]), ElementsAre("is cancelled", "an operator cancelled it"));
  EXPECT_THAT(why_of(ids[2]), ElementsAre("is cancelled", "it was not running when it expired"));
  for (const WorkId id : {ids[0], ids[1]}) {
    EXPECT_THAT(why_of(id), ElementsAre("is cancelled", "it was not done before its deadline"));
  }
  EXPECT_THAT(why_of(follower),
              ElementsAre("is cancelled", "what it waited for will never be done"));
  EXPECT_EQ(find_work(s.queue, follower)->cause, Cause::dependency);
}

TEST(Why, SaysThatAGangWillNeverBeWhole) {
  Stand s;
  Spec member = job();
  member.gang = 1;
  const auto ids = s.add({member, member});
  const auto held = s.claim("w1", 2);
  ASSERT_EQ(held.size(), 2U);
  s.bury(held[0]);
  s.cancel(ids[1]);
  s.release(held[1]);
  EXPECT_THAT(describe(explain_work(s.queue, ids[0])),
              ElementsAre("is dead", "a member of its gang will never be done"));
  EXPECT_EQ(find_work(s.queue, ids[1])->cause, Cause::asked);
  s.kick(ids[0]);
  s.tick();
  EXPECT_EQ(find_work(s.queue, ids[0])->cause, Cause::gang);
}

TEST(Why, SaysWhereItRunsAndSinceWhenByTheLogsClock) {
  Stand s;
  const WorkId id = s.add(job());
  s.claim("w1", 1);
  const LogMs now_ms = s.queue.ledger().now_ms;
  EXPECT_THAT(describe(explain_work(s.queue, id, {}, now_ms + 7000)),
              ElementsAre("is leased", "runs on w1 for 7.0s"));
  EXPECT_EQ(find_work(s.queue, id, now_ms + 7000)->ran_ms, 7000);
  EXPECT_EQ(find_work(s.queue, id, now_ms - 1)->ran_ms, 0) << "never back";
}

TEST(Why, NamesWhatIsWaitedFor) {
  Stand s;
  Spec late = job();
  late.delay_ms = 5000;
  Spec bound = job();
  bound.after_here = {0};
  Spec ganged = job();
  ganged.gang = 1;
  Spec ganged_late = ganged;
  ganged_late.delay_ms = 9;
  const auto ids = s.add({late, bound, ganged, ganged_late});
  EXPECT_THAT(
      describe(explain_work(s.queue, ids[0])),
      ElementsAre("is delayed", "waits for its time: 5.0s", "no worker was heard of lately"));
  EXPECT_THAT(describe(explain_work(s.queue, ids[1])).at(1), "waits for #1, which is delayed");
  EXPECT_THAT(describe(explain_work(s.queue, ids[2])).at(1), HasSubstr("its gang waits for #"));
}

TEST(Why, NamesTheGroupsLimitTheKindAndTheExclusion) {
  Stand s;
  s.ask<Verdicts>(SetGroup{"g", 1, 1});
  Spec spec = job();
  spec.group = "g";
  const auto ids = s.add({spec, spec});
  s.claim("w1", 1);
  s.claim("w2", 1, "kind.other");
  const Why why = explain_work(s.queue, ids[1]);
  EXPECT_EQ(why.group_limit, 1U);
  EXPECT_EQ(why.group_leased, 1U);
  EXPECT_EQ(why.other_kinds, 1U);
  EXPECT_THAT(describe(why), testing::Contains("its group runs 1 of at most 1"));
  const WorkId failed = s.add(job());
  s.fail(s.take("w1"));
  EXPECT_EQ(explain_work(s.queue, failed).excluded, 1U);
}

TEST(Why, KnowsFinishedAndUnknownWork) {
  Stand s;
  const WorkId id = s.add(job());
  s.complete(s.take("w1"));
  EXPECT_THAT(describe(explain_work(s.queue, id)), ElementsAre("is done"));
  EXPECT_FALSE(explain_work(s.queue, WorkId(99)).known);
}

TEST(Query, ShowsFinishedWorkWithItsResultAndItsTimes) {
  Stand s;
  const WorkId id = s.add(job());
  s.pass(10);
  const Held held = s.take("w1");
  s.pass(30);
  s.complete(held, "sum=1");
  s.pass(5);
  s.tick();
  const auto view = find_work(s.queue, id);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->result, "sum=1");
  EXPECT_EQ(view->node, "w1");
  EXPECT_EQ(view->ran_ms, 30);
  EXPECT_EQ(view->age_ms, 5);
  EXPECT_EQ(view->fence, held.hold.fence);
}

TEST(Query, ListsByFilterInPages) {
  Stand s;
  const auto ids = s.add({job("a"), job("b"), job("a"), job("a")});
  WorkFilter filter;
  filter.kind = "a";
  const auto page = list_work(s.queue, filter, WorkId(), 2);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(list_work(s.queue, filter, page[1].id, 2).at(0).id, ids[3]);
}

TEST(Query, HistoryHoldsTheLatestFirstAndForgetsTheOldest) {
  Stand s;
  Settings settings;
  settings.history_max = 3;
  settings.results_max = 2;
  s.configure(settings);
  const auto ids = s.add(std::vector<Spec>(5, job()));
  for (const auto& held : s.claim("w1", 5)) s.complete(held, "r");
  const auto views = list_history(s.queue, {}, 10);
  ASSERT_EQ(views.size(), 3U);
  EXPECT_EQ(views[0].id, ids[4]);
  EXPECT_EQ(s.ledger().history.results().size(), 2U);
  EXPECT_FALSE(find_work(s.queue, ids[0]));
  EXPECT_EQ(find_work(s.queue, ids[2])->result, "");
}

TEST(Query, TalliesPerKindAndPerNode) {
  Stand s;
  s.add(std::vector<Spec>(4, job("a")));
  const auto held = s.claim("w1", 4);
  s.pass(7);
  s.complete(held[0]);
  s.fail(held[1]);
  s.expire(held[2]);
  s.release(held[3]);
  const Ledger& ledger = s.ledger();
  const Tally& kind = ledger.kind_tally.at(static_cast<std::uint16_t>(ledger.kinds.find("a")));
  const Tally& node = ledger.node_tally.at(static_cast<std::uint16_t>(ledger.nodes.find("w1")));
  EXPECT_EQ(kind.added, 4U);
  for (const Tally* tally : {&kind, &node}) {
    EXPECT_EQ(tally->granted, 4U);
    EXPECT_EQ(tally->completed, 1U);
    EXPECT_EQ(tally->failed, 1U);
    EXPECT_EQ(tally->lost, 1U);
    EXPECT_EQ(tally->released, 1U);
    EXPECT_EQ(tally->ran_ms, 7U);
  }
}

}  // namespace
}  // namespace riftbus::work
