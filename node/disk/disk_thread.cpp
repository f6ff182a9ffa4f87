#include "node/disk/disk_thread.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "config/check.h"

namespace riftbus::node {

DiskThread::DiskThread() {
  int ends[2];
  RIFTBUS_CHECK(pipe(ends) == 0);
  for (const int end : ends) {
    fcntl(end, F_SETFL, O_NONBLOCK);
    fcntl(end, F_SETFD, FD_CLOEXEC);
  }
  wake_fd_ = ends[0];
  waker_fd_ = ends[1];
  thread_ = std::thread([this] { run(); });
}

DiskThread::~DiskThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  waiting_.notify_one();
  thread_.join();
  close(wake_fd_);
  close(waker_fd_);
}

bool DiskThread::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kDiskQueueMax) return false;
    queue_.push_back(std::move(job));
  }
  waiting_.notify_one();
  return true;
}

void DiskThread::run_done() {
  // Cleared before the list is taken: a job that finishes in between wakes the loop once more.
  std::array<char, 256> wakes{};
  while (read(wake_fd_, wakes.data(), wakes.size()) > 0) {
  }
  std::vector<Finished> finished;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
  }
  for (auto& one : finished) one.done(one.outcome);
}

void DiskThread::run() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      waiting_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    Status outcome = job.work();
    {
      const std::lock_guard lock(mutex_);
      finished_.push_back({std::move(outcome), std::move(job.done)});
    }
    // A full pipe is fine: the loop has not yet seen the earlier wakes.
    [[maybe_unused]] const auto woken = write(waker_fd_, "", 1);
  }
}

}  // namespace riftbus::node
