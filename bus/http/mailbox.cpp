#include "bus/http/mailbox.h"

#include <utility>
#include <vector>

namespace riftbus::http {

namespace {

// Each may cost the loop a millisecond or more, and beats must not wait for a hundred of them.
constexpr std::size_t kLettersPerRun = 16;

}  // namespace

bool Mailbox::post(TimePoint deadline, Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (letters_.size() >= letters_max_) return false;
    letters_.push_back({deadline, std::move(work)});
  }
  wake_.wake();
  return true;
}

std::size_t Mailbox::run(TimePoint now) {
  wake_.clear();
  std::vector<Letter> letters;
  {
    const std::lock_guard lock(mutex_);
    while (!letters_.empty() && letters.size() < kLettersPerRun) {
      letters.push_back(std::move(letters_.front()));
      letters_.pop_front();
    }
    if (!letters_.empty()) wake_.wake();
  }
  std::size_t late = 0;
  for (auto& letter : letters) {
    const bool is_late = letter.deadline <= now;
    late += is_late ? 1 : 0;
    letter.work(is_late);
  }
  return late;
}

}  // namespace riftbus::http
