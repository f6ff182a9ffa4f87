#include "node/work/snapshot.h"

#include "config/random.h"
#include "test/node/work/stand.h"

namespace riftbus::work {
namespace {

// A bit of everything.
void fill(Stand& s) {
  s.ask<Verdicts>(SetGroup{"g", 7, 2});
  Spec rich = job("rich");
  rich.group = "g";
  rich.payload = std::string("\0p", 2);
  rich.terms.needs = "cpus>=1";
  rich.data = {"d"};
  rich.dedupe = "key";
  rich.deadline_ms = 100'000;
  Spec bound = job();
  bound.after_here = {0};
  Spec late = job();
  late.delay_ms = 500;
  Spec ganged = job("gang");
  ganged.gang = 1;
  s.apply(Add{99, {rich, bound, late, ganged, ganged}});
  s.add(std::vector<Spec>(4, job()));
  const auto held = s.claim("w1", 6);
  s.fail(held[1], true, "tail");
  s.complete(held[2], "result");
  s.bury(held[3]);
  s.expire(held[4]);
  s.complete(held[4], "too late");
  s.release(held[5]);
  s.cancel(held[5].id());
  s.apply(Attach{node("w2"), Instance(5), {}, false});
  s.apply(Attach{node("w2"), Instance(6), {}, false, Instance(5)});
  s.apply(Recover{2});
}

TEST(Snapshot, ComesBackByteForByteAndGoesOnAlike) {
  Stand s;
  fill(s);
  const std::string bytes = write_snapshot(s.queue);
  auto copy = read_snapshot(bytes);
  ASSERT_TRUE(copy.ok()) << copy.error().to_string();
  EXPECT_EQ(write_snapshot(copy.value()), bytes);
  Stand other;
  other.queue = std::move(copy).value();
  other.index = s.index;
  other.now_ms = s.now_ms;
  for (Stand* stand : {&s, &other}) {
    stand->tick(1000);
    stand->claim_raw("w9", 1, 10);
    stand->tick(60'000);
  }
  EXPECT_EQ(write_snapshot(s.queue), write_snapshot(other.queue));
}

TEST(Snapshot, MayBeCutAnywhere) {
  Stand s;
  fill(s);
  const std::string bytes = write_snapshot(s.queue);
  SnapshotWriter writer(s.queue);
  std::string pieces;
  while (!writer.done()) pieces += writer.next_piece(1);
  EXPECT_EQ(pieces, bytes);
  for (const std::size_t size : {1U, 3U, 7U, 100U}) {
    SnapshotReader reader;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      ASSERT_TRUE(reader.feed(std::string_view(bytes).substr(at, size)).ok());
    }
    auto copy = reader.take();
    ASSERT_TRUE(copy.ok());
    EXPECT_EQ(write_snapshot(copy.value()), bytes);
  }
}

// A queue in which everything gives way soon, and a nonce for each Add.
class Busy {
 public:
  Busy() {
    Settings settings;
    settings.history_max = 60;
    settings.results_max = 20;
    stand.configure(settings);
    for (std::uint64_t i = 0; i < kAddsKept; ++i) add(i < 100 ? "old" + std::to_string(i) : "");
    for (int i = 0; i < 100; ++i) go_on();
  }

  void go_on() {
    stand.pass(static_cast<LogMs>(random_.below(20)));
    switch (random_.below(4)) {
      case 0:
        return add("k" + std::to_string(random_.below(200)));
      case 1:
        return add("");
      case 2:
        stand.cancel(WorkId(1 + random_.below(stand.ledger().next_id.value())));
        return;
      default:
        for (const Held& held : stand.claim("w", 2)) {
          stand.complete(held, random_.chance(0.5) ? "result" : "");
        }
    }
  }

  Stand stand;

 private:
  void add(const std::string& key) {
    Spec spec = job();
    spec.dedupe = key;
    spec.dedupe_window_ms = 300;
    stand.apply(Add{++nonce_, {spec}});
  }

  Random random_{5};
  std::uint64_t nonce_ = 0;
};

TEST(Snapshot, OfAQueueThatGoesOnIsTheQueueAsItWas) {
  Busy busy;
  for (const std::size_t piece : {20'000U, 50'000U, 200'000U}) {
    const std::string then = write_snapshot(busy.stand.queue);
    SnapshotWriter writer(busy.stand.queue);
    std::string pieces;
    while (!writer.done()) {
      for (int i = 0; i < 5; ++i) busy.go_on();
      pieces += writer.next_piece(piece);
    }
    EXPECT_TRUE(pieces == then) << piece;
    EXPECT_FALSE(write_snapshot(busy.stand.queue) == then);
  }
}

// One table after the other, so that each has changed as a whole before it is written.
TEST(Snapshot, OfAQueueThatHasChangedAltogetherIsTheQueueAsItWas) {
  Busy busy;
  const std::string then = write_snapshot(busy.stand.queue);
  SnapshotWriter writer(busy.stand.queue);
  for (std::uint64_t id = 1; id < busy.stand.ledger().next_id.value(); ++id) {
    busy.stand.cancel(WorkId(id));
  }
  for (int i = 0; i < 1000; ++i) busy.go_on();
  std::string pieces;
  while (!writer.done()) pieces += writer.next_piece(1000);
  EXPECT_TRUE(pieces == then);
}

// They stand with their items, so there may be many keys and nothing to write.
TEST(Snapshot, LooksAtABoundedNumberOfKeysAtATime) {
  Stand s;
  for (std::size_t i = 0; i < 3 * 4096; ++i) {
    Spec spec = job();
    spec.dedupe = "k" + std::to_string(i);
    s.apply(Add{0, {spec}});
  }
  SnapshotWriter writer(s.queue);
  std::string pieces;
  std::size_t empty = 0;
  while (!writer.done()) {
    const std::string piece = writer.next_piece(4U << 20U);
    if (piece.empty()) ++empty;
    pieces += piece;
  }
  EXPECT_GE(empty, 2U);
  EXPECT_EQ(read_snapshot(pieces).value().ledger().dedupe.size(), 3U * 4096U);
}

TEST(Snapshot, RefusesEveryTruncationAndEveryFlippedBit) {
  Stand s;
  fill(s);
  const std::string bytes = write_snapshot(s.queue);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_snapshot(std::string_view(bytes).substr(0, size)).ok()) << size;
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    const auto copy = read_snapshot(damaged);
    ASSERT_FALSE(copy.ok()) << at;
    EXPECT_EQ(copy.error().code, kBadSnapshot);
  }
  EXPECT_FALSE(read_snapshot(bytes + bytes).ok());
}

TEST(Snapshot, AnEmptyQueueHasOneToo) {
  const WorkQueue queue;
  const auto copy = read_snapshot(write_snapshot(queue));
  ASSERT_TRUE(copy.ok());
  EXPECT_TRUE(copy.value().ledger().items.empty());
}

TEST(Snapshot, ForgottenNamesLeaveNoTrace) {
  Stand passed;
  Stand fresh;
  Spec other = job();
  other.group = "passing";
  other.terms.lease_ms = 12'345;
  passed.cancel(passed.add(other));
  fresh.cancel(fresh.add(other));
  auto copy = read_snapshot(write_snapshot(fresh.queue));
  ASSERT_TRUE(copy.ok());
  fresh.queue = std::move(copy).value();
  Spec next = job();
  next.group = "next";
  passed.add(next);
  fresh.add(next);
  EXPECT_EQ(write_snapshot(passed.queue), write_snapshot(fresh.queue));
}

}  // namespace
}  // namespace riftbus::work
