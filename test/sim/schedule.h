// Schedule: virtual time. One heap of things to do, ordered by (time, order of asking).
//
// Nothing in a simulation happens outside it, so the order is total and a seed replays a run to
// the bit. Time jumps from one entry to the next: an idle hour costs nothing.
//
// Not thread-safe; no run touches another's schedule, so runs may go on side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "config/types.h"

namespace riftbus::sim {

class Schedule {
 public:
  using Job = std::function<void()>;

  [[nodiscard]] TimePoint now() const { return now_; }
  // A time in the past means "as soon as possible": after everything already due now.
  void at(TimePoint when, Job job);
  void after(Nanos span, Job job) { at(now_ + span, std::move(job)); }

  // Does everything due up to and including `until`, then stands at `until`.
  // False: `jobs_max` was reached first, which means that something spins.
  bool run_until(TimePoint until);
  // The rest of the current run_until() is skipped.
  void stop() { stopped_ = true; }

  void set_jobs_max(std::uint64_t jobs) { jobs_max_ = jobs; }
  [[nodiscard]] std::uint64_t jobs_done() const { return jobs_done_; }
  [[nodiscard]] std::size_t waiting() const { return heap_.size(); }

 private:
  struct Entry {
    TimePoint at;
    std::uint64_t order = 0;
    Job job;
  };
  static bool later(const Entry& a, const Entry& b);

  std::vector<Entry> heap_;
  TimePoint now_{};
  std::uint64_t order_ = 0;
  std::uint64_t jobs_done_ = 0;
  std::uint64_t jobs_max_ = UINT64_MAX;
  bool stopped_ = false;
};

// A seed for one part of a run: parts draw from streams of their own, so that one more draw in
// one place does not change what happens everywhere else.
[[nodiscard]] std::uint64_t split_seed(std::uint64_t seed, std::uint64_t part, std::uint64_t index);

}  // namespace riftbus::sim
