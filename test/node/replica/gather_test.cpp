#include "node/replica/gather.h"

#include <gtest/gtest.h>

#include "test/node/replica/stand.h"

namespace riftbus::replica {
namespace {

using consensus::WriteSeq;

constexpr Nanos kLongest = Millis(4);
constexpr Nanos kWrite = Millis(3);
const TimePoint kStart{Seconds(1000)};

// One that has seen a write take kWrite, ending at `end`.
Gather experienced(TimePoint end) {
  Gather gather(kLongest);
  gather.on_write(WriteSeq(1), end - kWrite);
  gather.on_written(WriteSeq(1), end);
  return gather;
}

TEST(Gather, HoldsNobodyWhoComesToAnIdleLog) {
  Gather gather = experienced(kStart);
  gather.on_first(kStart + Seconds(1));
  gather.on_command();
  EXPECT_EQ(gather.due(1, 0), kStart + Seconds(1));
}

TEST(Gather, HoldsWhileOurDiskIsAtWorkForTwoUsualWrites) {
  Gather gather = experienced(kStart);
  gather.on_write(WriteSeq(2), kStart);
  gather.on_first(kStart);
  EXPECT_EQ(gather.due(1, 5), kStart + kWrite * 2);
  gather.on_written(WriteSeq(2), kStart + kWrite);
  EXPECT_EQ(gather.due(1, 0), kStart);
}

TEST(Gather, DoesNotWaitForADiskThatHangs) {
  Gather gather(kLongest);
  gather.on_write(WriteSeq(1), kStart - Seconds(60));
  gather.on_written(WriteSeq(1), kStart);
  gather.on_write(WriteSeq(2), kStart);
  gather.on_first(kStart);
  EXPECT_EQ(gather.due(1, 5), kStart + kLongest * Gather::kHoldsMax);
}

TEST(Gather, WaitsForThoseThatWereJustAnsweredForAWrite) {
  Gather gather = experienced(kStart);
  gather.on_answer(kStart);
  gather.on_answer(kStart);
  gather.on_first(kStart + Nanos(100));
  gather.on_command();
  EXPECT_EQ(gather.due(1, 0), kStart + kWrite);
  gather.on_command();
  EXPECT_EQ(gather.due(2, 0), kStart + Nanos(100));  // all of them are here
}

TEST(Gather, WaitsForTheEndOfWhatOthersStillWrite) {
  Gather gather = experienced(kStart);
  gather.on_first(kStart - Millis(1));
  EXPECT_EQ(gather.due(1, 5), kStart + kWrite);
  EXPECT_EQ(gather.due(1, 0), kStart - Millis(1));
}

TEST(Gather, HoldsNobodyWhenEnoughWaitOrItIsOff) {
  Gather gather = experienced(kStart);
  gather.on_write(WriteSeq(2), kStart);
  gather.on_first(kStart);
  EXPECT_LE(gather.due(Gather::kEnough, 5), kStart);
  Gather off{Nanos(0)};
  off.on_write(WriteSeq(1), kStart);
  off.on_first(kStart);
  EXPECT_LE(off.due(1, 5), kStart);
}

}  // namespace
}  // namespace riftbus::replica
