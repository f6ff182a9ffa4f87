#include "test/sim/schedule.h"

#include <algorithm>

namespace riftbus::sim {

bool Schedule::later(const Entry& a, const Entry& b) {
  return a.at != b.at ? a.at > b.at : a.order > b.order;
}

void Schedule::at(TimePoint when, Job job) {
  heap_.push_back(Entry{std::max(when, now_), ++order_, std::move(job)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

bool Schedule::run_until(TimePoint until) {
  stopped_ = false;
  while (!heap_.empty() && heap_.front().at <= until && !stopped_) {
    if (jobs_done_ >= jobs_max_) return false;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.at;
    ++jobs_done_;
    entry.job();
  }
  if (!stopped_) now_ = std::max(now_, until);
  return true;
}

std::uint64_t split_seed(std::uint64_t seed, std::uint64_t part, std::uint64_t index) {
  std::uint64_t mixed = seed;
  for (const std::uint64_t word : {part, index}) {
    mixed += 0x9e3779b97f4a7c15ULL * (word + 1);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    mixed ^= mixed >> 31;
  }
  return mixed;
}

}  // namespace riftbus::sim
