#include "bus/dedup.h"

#include <algorithm>

namespace riftbus::bus {

bool SeenSeqs::admit(Seq seq) {
  const std::uint64_t value = seq.value();
  if (value <= forgotten_) return false;
  if (seen_.empty() || value > seen_.back()) {
    seen_.push_back(value);
  } else {
    const auto place = std::lower_bound(seen_.begin(), seen_.end(), value);
    if (*place == value) return false;
    seen_.insert(place, value);
  }
  if (seen_.size() > window_) {
    forgotten_ = seen_.front();
    seen_.pop_front();
  }
  return true;
}

bool SeenCalls::admit(Instance instance, Seq seq) {
  if (!lives_.empty() && lives_.front().instance == instance) {
    return lives_.front().seqs.admit(seq);
  }
  auto found = std::find_if(lives_.begin(), lives_.end(),
                            [&](const Life& life) { return life.instance == instance; });
  if (found == lives_.end()) {
    if (lives_.size() >= instances_) lives_.pop_back();
    lives_.push_back({instance, SeenSeqs(window_)});
    found = lives_.end() - 1;
  }
  std::rotate(lives_.begin(), found, found + 1);
  return lives_.front().seqs.admit(seq);
}

}  // namespace riftbus::bus
