// What log time does: delays, expiry of what never began, deadlines, dedupe windows; and adding.
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

TEST(Time, DelayedWorkBecomesReadyWhenItIsDue) {
  Stand s;
  Spec spec = job();
  spec.delay_ms = 5000;
  const WorkId id = s.add(spec);
  EXPECT_EQ(s.queue.next_due_ms(), s.now_ms + 5000);
  s.tick(4999);
  EXPECT_TRUE(s.claim("w1").empty());
  s.tick(1);
  EXPECT_EQ(s.take("w1").id(), id);
}

TEST(Time, AnyCommandNoticesWhatIsDue) {
  Stand s;
  Spec spec = job();
  spec.delay_ms = 5000;
  s.add(spec);
  s.pass(5000);
  EXPECT_EQ(s.claim("w1").size(), 1U);
}

TEST(Time, NeverGoesBack) {
  Stand s;
  Spec spec = job();
  spec.delay_ms = 100;
  s.pass(1000);
  s.apply(Tick{});
  s.now_ms -= 500;
  const WorkId id = s.add(spec);
  EXPECT_EQ(s.item(id).due_ms, 2100);
}

TEST(Time, WorkThatDidNotBeginInTimeIsCancelled) {
  Stand s;
  Spec spec = job();
  spec.expires_ms = 1000;
  const auto ids = s.add({spec, spec});
  s.take("w1");
  s.tick(1000);
  EXPECT_EQ(s.state(ids[0]), State::leased) << "it began in time";
  EXPECT_EQ(s.state(ids[1]), State::cancelled);
}

TEST(Time, ADeadlineStopsWhatRunsAndCancelsWhatWaits) {
  Stand s;
  Spec spec = job();
  spec.deadline_ms = 1000;
  const auto ids = s.add({spec, spec});
  const Held held = s.take("w1");
  s.tick(1000);
  EXPECT_EQ(s.state(ids[1]), State::cancelled);
  EXPECT_EQ(s.state(ids[0]), State::leased);
  EXPECT_EQ(s.item(ids[0]).cancelling, Cause::deadline);
  s.release(held);
  EXPECT_EQ(s.state(ids[0]), State::cancelled);
}

TEST(Time, MuchThatIsDueAtOnceIsDoneInBoundedSteps) {
  Stand s;
  Spec spec = job();
  spec.delay_ms = 10;
  for (int i = 0; i < 2; ++i) s.add(std::vector<Spec>(kBatchMax, spec));
  s.pass(10);
  s.apply(Tick{});
  EXPECT_EQ(s.ledger().count(State::ready), kDueMax);
  EXPECT_LE(s.queue.next_due_ms(), s.now_ms) << "and says that more is due";
  s.tick();
  EXPECT_EQ(s.ledger().count(State::ready), 2 * kBatchMax);
}

Spec keyed(const std::string& key, std::uint64_t window_ms = 1000) {
  Spec spec = job();
  spec.dedupe = key;
  spec.dedupe_window_ms = window_ms;
  return spec;
}

TEST(Dedupe, HoldsWhileUnfinishedAndForAWindowAfter) {
  Stand s;
  const WorkId id = s.add(keyed("k"));
  const auto again = s.ask<Added>(Add{0, {keyed("k"), keyed("other")}});
  EXPECT_EQ(again.ids[0], id);
  EXPECT_EQ(again.known, (std::vector<std::uint8_t>{1, 0}));
  s.complete(s.take("w1"));
  s.tick(999);
  EXPECT_EQ(s.add(keyed("k")), id);
  s.tick(1);
  EXPECT_NE(s.add(keyed("k")), id);
}

TEST(Dedupe, WithoutAWindowEndsWithTheItem) {
  Stand s;
  const WorkId id = s.add(keyed("k", 0));
  s.cancel(id);
  EXPECT_NE(s.add(keyed("k", 0)), id);
}

TEST(Dedupe, WorksWithinOneBatch) {
  Stand s;
  const auto ids = s.add({keyed("k"), job(), keyed("k")});
  EXPECT_EQ(ids[0], ids[2]);
  EXPECT_EQ(s.ledger().items.size(), 2U);
}

TEST(Add, ARepeatedBatchGetsTheIdsOfTheFirst) {
  Stand s;
  const Add add{77, {job(), job()}};
  const auto first = s.ask<Added>(add);
  const auto again = s.ask<Added>(add);
  EXPECT_EQ(again.outcome, Outcome::repeated);
  EXPECT_EQ(again.ids, first.ids);
  EXPECT_EQ(s.ledger().items.size(), 2U);
}

TEST(Add, RefusesTheWholeBatchForOneBadItemAndSaysWhich) {
  Spec oversize = job();
  oversize.payload = std::string(kPayloadBytesMax + 1, 'x');
  Spec bad_needs = job();
  bad_needs.terms.needs = "gpus>=";
  Spec negative = job();
  negative.terms.reserve = {{"gpus", -1}};
  Spec no_attempts = job();
  no_attempts.terms.attempts_max = 0;
  Spec far = job();
  far.delay_ms = kSpanMsMax + 1;
  Spec orphan = job();
  orphan.after = {WorkId(55)};
  Spec beyond = job();
  beyond.after_here = {7};
  Spec lonely = job();
  lonely.gang = 1;
  const std::pair<Spec, Outcome> cases[] = {
      {oversize, Outcome::oversize},     {job(""), Outcome::bad_value},
      {bad_needs, Outcome::bad_needs},   {negative, Outcome::bad_needs},
      {no_attempts, Outcome::bad_value}, {far, Outcome::bad_value},
      {orphan, Outcome::bad_dependency}, {beyond, Outcome::bad_dependency},
      {lonely, Outcome::bad_value},
  };
  for (const auto& [spec, outcome] : cases) {
    WorkQueue queue;
    const auto before = queue.ledger().terms_names.size();
    const Reply reply = queue.apply({1, 1, 0}, Add{0, {job("good"), spec}});
    const auto& added = std::get<Added>(reply);
    EXPECT_EQ(added.outcome, outcome);
    EXPECT_EQ(added.bad_item, 1U);
    EXPECT_FALSE(added.why.empty());
    EXPECT_TRUE(queue.ledger().items.empty());
    EXPECT_EQ(queue.ledger().terms_names.size(), before) << "no trace is left";
    EXPECT_EQ(queue.ledger().kinds.size(), 0U);
  }
}

TEST(Add, SaysSlowDownAndThenAgainButDropsNothing) {
  Stand s;
  Settings settings;
  settings.soft_max = 3;
  settings.hard_max = 5;
  s.configure(settings);
  EXPECT_FALSE(s.ask<Added>(Add{0, std::vector<Spec>(3, job())}).slow_down);
  EXPECT_TRUE(s.ask<Added>(Add{0, {job()}}).slow_down);
  EXPECT_EQ(s.refusal(std::vector<Spec>(2, job())), Outcome::again);
  EXPECT_EQ(s.refusal({job()}), Outcome::ok);
  EXPECT_EQ(s.refusal({job()}), Outcome::again);
  s.complete(s.take("w1"));
  EXPECT_EQ(s.refusal({job()}), Outcome::ok);
  EXPECT_EQ(s.ledger().items.size(), 5U);
}

TEST(Add, PayloadsAndKeysAreBoundedToo) {
  Stand s;
  Settings settings;
  settings.payload_bytes_max = 10;
  settings.dedupe_max = 2;
  s.configure(settings);
  Spec spec = job();
  spec.payload = "123456";
  EXPECT_EQ(s.refusal({spec}), Outcome::ok);
  EXPECT_EQ(s.refusal({spec}), Outcome::again);
  EXPECT_EQ(s.refusal({keyed("a"), keyed("b")}), Outcome::ok);
  EXPECT_EQ(s.refusal({keyed("c")}), Outcome::again);
}

TEST(Add, DifferentTermsAreBoundedAndFreedWithTheirItems) {
  Stand s;
  for (std::size_t batch = 0; batch < kTermsMax / kBatchMax; ++batch) {
    std::vector<Spec> specs(kBatchMax, job());
    for (std::size_t i = 0; i < specs.size(); ++i) {
      specs[i].terms.timeout_ms = static_cast<std::uint32_t>(batch * kBatchMax + i + 1);
    }
    s.add(specs);
  }
  Spec one_more = job();
  one_more.terms.timeout_ms = 1'000'000;
  EXPECT_EQ(s.refusal({one_more}), Outcome::too_many);
  s.complete(s.take("w1"));
  EXPECT_EQ(s.refusal({one_more}), Outcome::ok);
}

TEST(Settings, RefuseNonsense) {
  Stand s;
  Settings settings;
  settings.aging_ms = 0;
  EXPECT_EQ(s.ask<Verdicts>(Configure{settings}).outcome, Outcome::bad_value);
  settings = Settings();
  settings.soft_max = settings.hard_max + 1;
  EXPECT_EQ(s.ask<Verdicts>(Configure{settings}).outcome, Outcome::bad_value);
  EXPECT_EQ(s.ask<Verdicts>(SetGroup{"a", 1, 0}).outcome, Outcome::bad_value);
}

}  // namespace
}  // namespace riftbus::work
