#include "bus/http/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <vector>

namespace riftbus::http {
namespace {

constexpr TimePoint at(int seconds) { return TimePoint(Seconds(seconds)); }

TEST(Mailbox, RunsLettersInOrder) {
  Mailbox box(3);
  std::vector<int> seen;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(box.post(at(9), [&seen, i](bool) { seen.push_back(i); }));
  }
  EXPECT_EQ(box.run(at(1)), 0U);
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 2}));
}

TEST(Mailbox, TellsWhatComesTooLate) {
  Mailbox box(2);
  std::vector<bool> late;
  EXPECT_TRUE(box.post(at(5), [&late](bool is_late) { late.push_back(is_late); }));
  EXPECT_TRUE(box.post(at(6), [&late](bool is_late) { late.push_back(is_late); }));
  EXPECT_EQ(box.run(at(5)), 1U);
  EXPECT_EQ(late, (std::vector<bool>{true, false}));
}

TEST(Mailbox, RefusesWhenItIsFullAndTakesAgainWhenEmptied) {
  Mailbox box(1);
  EXPECT_TRUE(box.post(at(5), [](bool) {}));
  EXPECT_FALSE(box.post(at(5), [](bool) {}));
  box.run(at(1));
  EXPECT_TRUE(box.post(at(5), [](bool) {}));
}

TEST(Mailbox, ManyLettersTakeSeveralTurns) {
  Mailbox box(100);
  int count = 0;
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(box.post(at(5), [&count](bool) { ++count; }));
  box.run(at(1));
  EXPECT_EQ(count, 16);
  pollfd waiting{box.wake_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 1);
  box.run(at(1));
  box.run(at(1));
  EXPECT_EQ(count, 40);
  EXPECT_EQ(::poll(&waiting, 1, 0), 0);
}

TEST(Mailbox, WhatIsPostedByALetterWaitsForTheNextRun) {
  Mailbox box(2);
  int count = 0;
  EXPECT_TRUE(box.post(at(5), [&](bool) {
    ++count;
    EXPECT_TRUE(box.post(at(5), [&count](bool) { ++count; }));
  }));
  box.run(at(1));
  EXPECT_EQ(count, 1);
  box.run(at(1));
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace riftbus::http
