#include "bus/http/mailbox.h"

#include <utility>

namespace riftbus::http {

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
  std::deque<Letter> letters;
  {
    const std::lock_guard lock(mutex_);
    letters.swap(letters_);
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
