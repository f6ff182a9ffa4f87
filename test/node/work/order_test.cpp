// Which item comes next: priority, age, groups, data, capabilities.
#include <algorithm>

#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

Spec urgent(std::uint8_t priority) {
  Spec spec = job();
  spec.priority = priority;
  return spec;
}

Spec of_group(const std::string& group) {
  Spec spec = job();
  spec.group = group;
  return spec;
}

std::vector<WorkId> ids_of(const std::vector<Held>& held) {
  std::vector<WorkId> ids;
  for (const auto& h : held) ids.push_back(h.id());
  return ids;
}

TEST(Order, PriorityFirstThenArrival) {
  Stand s;
  const auto ids = s.add({urgent(10), urgent(200), urgent(10), urgent(255), urgent(200)});
  const std::vector<WorkId> expected = {ids[3], ids[1], ids[4], ids[0], ids[2]};
  EXPECT_EQ(ids_of(s.claim("w1", 5)), expected);
}

TEST(Order, AgeOvertakesPriority) {
  Stand s;
  const WorkId old = s.add(urgent(50));
  s.pass(9 * 60'000);
  const WorkId fresh = s.add(urgent(60));
  EXPECT_EQ(s.take("w1").id(), fresh) << "nine minutes are worth nine steps of priority";
  s.pass(2 * 60'000);
  s.add(urgent(60));
  EXPECT_EQ(s.take("w1").id(), old) << "eleven minutes are worth more than ten steps";
}

TEST(Order, ReturnedWorkKeepsItsPlace) {
  Stand s;
  const auto ids = s.add(std::vector<Spec>(3, job()));
  const Held first = s.take("w1");
  s.pass(1000);
  s.release(first);
  EXPECT_EQ(s.take("w1").id(), ids[0]);
}

TEST(Order, AChangeOfAgingSortsAnew) {
  Stand s;
  const WorkId old = s.add(urgent(50));
  s.pass(60'000);
  s.add(urgent(55));
  Settings settings;
  settings.aging_ms = 1'000;
  s.configure(settings);
  EXPECT_EQ(s.take("w1").id(), old);
}

TEST(Order, AGroupAtItsLimitIsPassedOver) {
  Stand s;
  s.ask<Verdicts>(SetGroup{"a", 2, 1});
  const auto ids = s.add({of_group("a"), of_group("a"), of_group("a"), of_group("b")});
  const auto held = s.claim("w1", 10);
  const std::vector<WorkId> expected = {ids[0], ids[3], ids[1]};
  EXPECT_EQ(ids_of(held), expected);
  EXPECT_TRUE(s.claim("w2", 10).empty());
  s.complete(held[0]);
  EXPECT_EQ(s.take("w2").id(), ids[2]);
}

TEST(Order, GroupsShareByWeightHoweverMuchOneBringsFirst) {
  Stand s;
  s.ask<Verdicts>(SetGroup{"b", 0, 2});
  s.add(std::vector<Spec>(60, of_group("a")));
  s.add(std::vector<Spec>(60, of_group("b")));
  int of_a = 0;
  for (const auto& held : s.claim("w1", 30)) {
    if (s.ledger().groups.text(s.item(held.id()).group) == "a") ++of_a;
  }
  EXPECT_NEAR(of_a, 10, 1);
}

TEST(Order, AGroupIsForgottenWithItsLastItemUnlessConfigured) {
  Stand s;
  s.ask<Verdicts>(SetGroup{"kept", 3, 1});
  s.add(of_group("passing"));
  s.add(of_group("kept"));
  for (const auto& held : s.claim("w1", 2)) s.complete(held);
  EXPECT_EQ(s.ledger().groups.find("passing"), 0U);
  EXPECT_NE(s.ledger().groups.find("kept"), 0U);
  s.ask<Verdicts>(SetGroup{"kept", 0, 1});
  EXPECT_EQ(s.ledger().groups.find("kept"), 0U);
}

TEST(Order, WorkersGetOnlyWhatTheyMeet) {
  Stand s;
  const auto ids = s.add({needing("gpus>=1"), needing("!tag.spot"), needing("cuda>=12.1")});
  EXPECT_EQ(ids_of(s.claim("w1", 3, "tag.spot cuda=12.4")), std::vector<WorkId>{ids[2]});
  EXPECT_EQ(ids_of(s.claim("w2", 3, "gpus=1 tag.spot")), std::vector<WorkId>{ids[0]});
  EXPECT_EQ(ids_of(s.claim("w3", 3, "")), std::vector<WorkId>{ids[1]});
}

TEST(Order, WorkersGetOnlyKindsThatTheyRun) {
  Stand s;
  const auto ids = s.add({job("train"), job("hash")});
  EXPECT_EQ(ids_of(s.claim("w1", 3, "kind.hash kind.zip")), std::vector<WorkId>{ids[1]});
}

TEST(Order, CountedResourcesAreReservedUntilTheGrantEnds) {
  Stand s;
  s.add(std::vector<Spec>(5, needing("gpus>=2")));
  const auto held = s.claim("w1", 5, "gpus=5");
  ASSERT_EQ(held.size(), 2U);
  EXPECT_TRUE(s.claim("w1", 5, "gpus=5").empty()) << "one is left, two are needed";
  s.complete(held[0]);
  EXPECT_EQ(s.claim("w1", 5, "gpus=5").size(), 1U);
}

TEST(Order, AnExplicitReservationReplacesTheImpliedOne) {
  Stand s;
  Spec spec = needing("gpus>=1");
  spec.terms.reserve = {{"gpus", 500}, {"cpus", 4000}};
  s.add(std::vector<Spec>(5, spec));
  EXPECT_EQ(s.claim("w1", 5, "gpus=1 cpus=64").size(), 2U) << "half a GPU each";
  EXPECT_EQ(s.claim("w2", 5, "gpus=8 cpus=9").size(), 2U);
  EXPECT_TRUE(s.claim("w3", 5, "gpus=8").empty()) << "what is not offered cannot be reserved";
}

TEST(Order, SmallWorkPassesWorkThatDoesNotFitNow) {
  Stand s;
  const auto ids = s.add({needing("gpus>=4"), needing("gpus>=4"), needing("gpus>=1")});
  EXPECT_EQ(ids_of(s.claim("w1", 5, "gpus=5")), (std::vector<WorkId>{ids[0], ids[2]}));
}

TEST(Order, DataOnTheSpotIsPreferredButNotAwaited) {
  Stand s;
  Spec with_data = job();
  with_data.data = {"imagenet"};
  const auto ids = s.add({job(), job(), with_data});
  EXPECT_EQ(s.take("w1", "data.imagenet").id(), ids[2]);
  const WorkId another = s.add(with_data);
  EXPECT_EQ(ids_of(s.claim("w2", 3)), (std::vector<WorkId>{ids[0], ids[1], another}));
}

TEST(Order, ANodeOnWhichItFailedIsPassedOverWhileAnotherWouldFit) {
  Stand s;
  s.claim("w2", 1, "gpus=1");
  const WorkId id = s.add(needing("gpus>=1"));
  s.fail(s.take("w1", "gpus=1"));
  s.tick(60'000);
  EXPECT_TRUE(s.claim("w1", 1, "gpus=1").empty());
  EXPECT_EQ(s.take("w2", "gpus=1").id(), id);
}

TEST(Order, ANodeOnWhichItFailedGetsItAgainIfNoneOtherFits) {
  Stand s;
  s.claim("w2", 1, "cpus=1");
  const WorkId id = s.add(needing("gpus>=1"));
  s.fail(s.take("w1", "gpus=1"));
  s.tick(60'000);
  EXPECT_EQ(s.take("w1", "gpus=1").id(), id) << "w2 has no GPU";
}

TEST(Order, AWorkerThatFellSilentIsNoPlaceForExcludedWork) {
  Stand s;
  s.claim("w2", 1, "gpus=1");
  const WorkId id = s.add(needing("gpus>=1"));
  s.fail(s.take("w1", "gpus=1"));
  s.tick(60'000);
  EXPECT_TRUE(s.claim("w1", 1, "gpus=1").empty());
  s.tick(700'000);
  EXPECT_EQ(s.take("w1", "gpus=1").id(), id);
}

}  // namespace
}  // namespace riftbus::work
