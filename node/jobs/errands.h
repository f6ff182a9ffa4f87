// Errands: the core's orders to the runner, until threads have carried them out.
//
// A thread that starts jobs may be held up by a disk for long. So orders do not stand in one line:
//   - words (Extend, Stop) are for a thread of their own, which only speaks to jobs that run. Of
//     several only the latest deadline counts. While its job is being started they wait, because
//     nobody would hear them;
//   - of the rest, what clears away goes first, then starts in their order;
//   - a start that has not begun follows its lease's deadline, and a Stop takes it back.
//
// Guarantees: nothing is dropped; each job has at most one order of a kind here, so it is bounded
// by the jobs there are. Orders about jobs that never began are ignored.
//
// Pure; the loop's thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "node/jobs/events.h"

namespace riftbus::jobs {

struct Words {  // to the riftbus-job of a job
  Hold hold;
  std::optional<TimePoint> stop_at;
  std::optional<Cause> stop;
};

class Errands {
 public:
  using Errand = std::variant<Start, Discard>;

  // A job of a former life.
  void adopt(const Hold& hold) { orders_[hold]; }
  void take(Start start);
  void take(const Extend& extend);
  // Ended: it had not begun, and will not.
  [[nodiscard]] std::optional<Ended> take(const Stop& stop);
  void take(const Discard& discard);

  // All that can be said now. What was not heard for a reason of ours is put back.
  [[nodiscard]] std::vector<Words> next_words();
  void put_back(const Words& words);

  // Then done(), before the next one of the same job.
  [[nodiscard]] std::optional<Errand> next_errand();
  void done(const Errand& errand);

  [[nodiscard]] std::size_t size() const { return orders_.size(); }

 private:
  struct Orders {
    std::optional<Start> start;  // has not begun
    bool is_starting = false;
    std::optional<TimePoint> stop_at;
    std::optional<Cause> stop;
    bool discard = false;
    [[nodiscard]] bool can_hear() const { return !start && !is_starting && !discard; }
  };
  std::map<Hold, Orders> orders_;
  std::deque<Hold> starts_;    // may name some that were taken back
  std::deque<Hold> discards_;  // once for each
};

}  // namespace riftbus::jobs
