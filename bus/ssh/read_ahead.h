// ReadAhead: lets libssh read 64 KiB at once.
//
// libssh 0.10 asks poll() and reads 4 KiB, for every 4 KiB: sixteen pairs of calls for what one
// recv() brings, a fifth of what a fast tunnel costs, and no setting of it is larger. So poll()
// and recv() are defined here, before libc's, and libssh finds ours. They are libc's own, except
// in the scope of a ReadAhead, for its descriptor: there recv() reads as much as fits in here,
// hands it on bit by bit, and poll() says "readable" while something is left.
//
//   ReadAhead ahead(descriptor);
//   do { ssh_event_dopoll(...); } while (ahead.holds());   // nothing is left behind
//
// What is left behind when the scope ends is lost, and with it the session. The bytes lie in a
// store of the thread, so a thousand sessions need no more than one.
//
// Only a recv() without flags is served, which is how libssh reads; our own always have flags. A
// linker with two-level names (macOS) does not let us in: then nothing is ever held.
//
// Contract: one at a time per thread; it does not own the descriptor.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace riftbus::ssh {

class ReadAhead {
 public:
  static constexpr std::size_t kBytes = 64 * 1024;

  explicit ReadAhead(int descriptor);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  [[nodiscard]] bool holds() const { return at_ < end_; }

  // The one in whose scope this thread is and whose descriptor this is, or nullptr.
  [[nodiscard]] static ReadAhead* of(int descriptor);
  // As recv(), for what `of()` gave.
  [[nodiscard]] ssize_t take(void* data, std::size_t size);

 private:
  const int descriptor_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

}  // namespace riftbus::ssh
