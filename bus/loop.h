// Loop: waits for descriptors and says who is ready. One thread, epoll, level-triggered.
//
// A watcher may be removed, and its descriptor closed, while others of the same round are still to
// be served: each registration has a number of its own, and one that is gone is passed over, even
// if the kernel has given its descriptor to somebody else by then.
//
// Contract: one thread. A Watcher outlives its registration. Linux only: see the class for what a
// port needs to replace.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "config/types.h"

namespace riftbus::bus {

struct Readiness {
  bool readable = false;
  bool writable = false;
  bool broken = false;  // error or hang-up, whether or not anything was asked for
};

// Of a call on a descriptor that never blocks, when it has failed: errno says that there is nothing
// yet, or that a signal came. The loop tells when to try again.
[[nodiscard]] bool must_wait();

class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_ready(Readiness what) = 0;
};

class Loop {
 public:
  static constexpr int kEventsMax = 256;  // served in one round

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Again with other wishes: replaces them. Neither: only broken is told.
  void watch(int descriptor, Watcher& watcher, bool reads, bool writes);
  void forget(int descriptor);
  // Readable while somebody is ready: one loop may wait in another.
  [[nodiscard]] int descriptor() const { return epoll_; }
  // Serves one round of what is ready; waits for it until `until` at most.
  void run_once(TimePoint until, TimePoint now);

 private:
  struct Entry {
    Watcher* watcher = nullptr;
    std::uint64_t number = 0;
    std::uint32_t wishes = 0;
  };
  int epoll_;
  std::uint64_t next_number_ = 1;
  std::unordered_map<int, Entry> entries_;
};

}  // namespace riftbus::bus
