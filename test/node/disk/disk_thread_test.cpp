#include "node/disk/disk_thread.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <future>

namespace riftbus::node {
namespace {

constexpr int kDeadlineMs = 10'000;

bool wait_readable(int fd) {
  pollfd item{fd, POLLIN, 0};
  return poll(&item, 1, kDeadlineMs) == 1;
}

TEST(DiskThread, HandsOutcomesBackInOrder) {
  DiskThread disk;
  std::vector<int> seen;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(
        disk.post({[i]() -> Status {
                     if (i == 3) return Error{1403, "no space", "", ""};
                     return Ok{};
                   },
                   [&seen, i](const Status& outcome) { seen.push_back(outcome ? i : -i); }}));
  }
  while (seen.size() < 5) {
    ASSERT_TRUE(wait_readable(disk.wake_fd()));
    disk.run_done();
  }
  EXPECT_EQ(seen, (std::vector{0, 1, 2, -3, 4}));
}

TEST(DiskThread, RefusesWorkWhenAStuckDiskHasFilledTheQueue) {
  DiskThread disk;
  std::promise<void> unstuck;
  std::promise<void> began;
  auto stuck = unstuck.get_future().share();
  ASSERT_TRUE(disk.post({[stuck, &began]() -> Status {
                           began.set_value();
                           stuck.wait();
                           return Ok{};
                         },
                         [](const Status&) {}}));
  began.get_future().wait();
  const DiskThread::Job nothing{[]() -> Status { return Ok{}; }, [](const Status&) {}};
  for (std::size_t i = 0; i < kDiskQueueMax; ++i) ASSERT_TRUE(disk.post(nothing)) << i;
  EXPECT_FALSE(disk.post(nothing));
  unstuck.set_value();
}

TEST(DiskThread, FinishesWhatIsQueuedBeforeItEnds) {
  int ran = 0;
  {
    DiskThread disk;
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(disk.post({[&ran]() -> Status {
                               ++ran;
                               return Ok{};
                             },
                             [](const Status&) {}}));
    }
  }
  EXPECT_EQ(ran, 10);
}

}  // namespace
}  // namespace riftbus::node
