// Mailbox: what one thread asks of the loop thread, in order, bounded, each with a deadline.
//
// The HTTP thread posts, the loop is woken through its poll and runs what it finds. What comes too
// late is told so and does nothing else: a loop that stood still must not afterwards do things
// whose askers were long told that nothing happened. A full box refuses: the asker hears "busy" at
// once instead of waiting behind a hundred others.
//
// post() is thread-safe; everything else belongs to the loop thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

#include "bus/wake_pipe.h"
#include "config/types.h"

namespace riftbus::http {

class Mailbox {
 public:
  using Work = std::function<void(bool is_late)>;

  explicit Mailbox(std::size_t letters_max) : letters_max_(letters_max) {}

  // False: full, nothing was taken.
  [[nodiscard]] bool post(TimePoint deadline, Work work);
  [[nodiscard]] int wake_fd() const { return wake_.descriptor(); }
  // Runs the oldest 16 at most, for others wait, too; more wake the loop again. How many were late.
  std::size_t run(TimePoint now);

 private:
  struct Letter {
    TimePoint deadline;
    Work work;
  };
  bus::WakePipe wake_;
  std::size_t letters_max_;
  std::mutex mutex_;
  std::deque<Letter> letters_;
};

}  // namespace riftbus::http
