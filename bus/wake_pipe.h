// WakePipe: how a thread tells a poll loop that there is something to fetch.
//
// A pipe and not an eventfd: it exists everywhere. wake() may be called by any thread and by a
// signal handler; many wakes before a clear() count as one. Clear first, then take what there is:
// whatever is put there in between wakes once more.
#pragma once

namespace riftbus::bus {

class WakePipe {
 public:
  WakePipe();
  ~WakePipe();
  WakePipe(const WakePipe&) = delete;
  WakePipe& operator=(const WakePipe&) = delete;

  // Readable after a wake().
  [[nodiscard]] int descriptor() const { return ends_[0]; }
  void wake() const;
  void clear() const;

 private:
  int ends_[2];
};

}  // namespace riftbus::bus
