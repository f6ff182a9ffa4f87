#include "bus/dedup.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "config/random.h"

namespace riftbus::bus {
namespace {

TEST(SeenSeqs, AdmitsEachNumberOnce) {
  SeenSeqs seen(8);
  EXPECT_TRUE(seen.admit(Seq(1)));
  EXPECT_TRUE(seen.admit(Seq(5)));
  EXPECT_FALSE(seen.admit(Seq(5)));
  EXPECT_FALSE(seen.admit(Seq(1)));
}

TEST(SeenSeqs, AdmitsLateNumbersThatArriveOutOfOrder) {
  SeenSeqs seen(8);
  for (const std::uint64_t seq : {10u, 7u, 9u, 8u, 3u}) EXPECT_TRUE(seen.admit(Seq(seq))) << seq;
  for (const std::uint64_t seq : {10u, 7u, 9u, 8u, 3u}) EXPECT_FALSE(seen.admit(Seq(seq))) << seq;
}

TEST(SeenSeqs, ZeroIsNoNumber) { EXPECT_FALSE(SeenSeqs(8).admit(Seq(0))); }

TEST(SeenSeqs, GapsInTheSendersStreamDoNotUseUpTheWindow) {
  SeenSeqs seen(4);
  EXPECT_TRUE(seen.admit(Seq(10)));
  EXPECT_TRUE(seen.admit(Seq(1'000'000)));
  EXPECT_TRUE(seen.admit(Seq(500)));
  EXPECT_FALSE(seen.admit(Seq(10)));
}

TEST(SeenSeqs, WhatItForgotCountsAsSeen) {
  SeenSeqs seen(3);
  for (std::uint64_t seq = 1; seq <= 5; ++seq) EXPECT_TRUE(seen.admit(Seq(seq)));
  EXPECT_FALSE(seen.admit(Seq(1)));
  EXPECT_FALSE(seen.admit(Seq(2)));
  EXPECT_FALSE(seen.admit(Seq(3)));
}

TEST(SeenSeqs, NeverAdmitsTwiceWhateverTheOrder) {
  Random random(42);
  SeenSeqs seen(64);
  std::set<std::uint64_t> admitted;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t seq = static_cast<std::uint64_t>(i / 10) + random.below(200) + 1;
    if (seen.admit(Seq(seq))) {
      EXPECT_TRUE(admitted.insert(seq).second) << seq;
    }
  }
  EXPECT_GT(admitted.size(), 1500u);
}

TEST(SeenCalls, ANewLifeHasItsOwnNumbers) {
  SeenCalls seen(8, 4);
  EXPECT_TRUE(seen.admit(Instance(1), Seq(1)));
  EXPECT_TRUE(seen.admit(Instance(2), Seq(1)));
  EXPECT_FALSE(seen.admit(Instance(1), Seq(1)));
  EXPECT_FALSE(seen.admit(Instance(2), Seq(1)));
}

TEST(SeenCalls, ForgetsTheLongestUnusedLife) {
  SeenCalls seen(8, 2);
  EXPECT_TRUE(seen.admit(Instance(1), Seq(1)));
  EXPECT_TRUE(seen.admit(Instance(2), Seq(1)));
  EXPECT_TRUE(seen.admit(Instance(1), Seq(2)));
  EXPECT_TRUE(seen.admit(Instance(3), Seq(1)));   // 2 goes
  EXPECT_FALSE(seen.admit(Instance(1), Seq(1)));  // 1 stayed
  EXPECT_TRUE(seen.admit(Instance(2), Seq(1)));
}

}  // namespace
}  // namespace riftbus::bus
