// DiskThread: one thread on which everything that may wait for a disk runs, in order.
//
// The loop thread posts a job and goes on; the job's result comes back through take_done() after
// wake_fd() became readable. Jobs own what they touch: nothing else is shared. The queue is
// bounded (kDiskQueueMax): post() refuses when a stuck disk has filled it, and the caller decides.
// The destructor runs what is queued, then joins.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "bus/wake_pipe.h"
#include "config/result.h"

namespace riftbus::node {

inline constexpr std::size_t kDiskQueueMax = 1024;

class DiskThread {
 public:
  // `work` runs on the disk thread; `done` is handed back to the loop thread with its outcome.
  struct Job {
    std::function<Status()> work;
    std::function<void(const Status&)> done;
  };

  DiskThread();
  ~DiskThread();
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  // Loop thread only. False: the queue is full, nothing was taken.
  [[nodiscard]] bool post(Job job);
  // A pipe's end: readable when something is done. Poll it, never read it.
  [[nodiscard]] int wake_fd() const { return wake_.descriptor(); }
  // Loop thread only: runs the `done` of every finished job, in order.
  void run_done();

 private:
  void run();

  struct Finished {
    Status outcome;
    std::function<void(const Status&)> done;
  };

  bus::WakePipe wake_;
  std::mutex mutex_;
  std::condition_variable waiting_;
  std::deque<Job> queue_;
  std::vector<Finished> finished_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace riftbus::node
