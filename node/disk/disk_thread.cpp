#include "node/disk/disk_thread.h"

#include <utility>

namespace riftbus::node {

DiskThread::DiskThread() : thread_([this] { run(); }) {}

DiskThread::~DiskThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  waiting_.notify_one();
  thread_.join();
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
  wake_.clear();
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
    wake_.wake();
  }
}

}  // namespace riftbus::node
