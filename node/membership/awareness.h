// Awareness: how much we should doubt ourselves (Lifeguard's local health multiplier).
//
// A node that is starved of CPU or network sees everybody else fail. So each sign of trouble of
// our own (nobody answers our questions, we were accused and lived, we were paused) raises a score
// from 0 to 7, and every wait for others is multiplied by 1 + score. A question answered in time
// lowers it by one, and so does a spell without trouble: on a quiet network nobody asks anything.
//
// Pure values; not thread-safe. arXiv:1707.00788, section IV-A.
#pragma once

#include "config/types.h"

namespace riftbus::membership {

class Awareness {
 public:
  static constexpr int kScoreMax = 7;

  // `spell`: the time without trouble that lowers the score by one.
  explicit Awareness(Nanos spell) : spell_(spell) {}

  void worsen(int by, TimePoint now);
  void improve();
  // Lowers the score for the spells that have passed since the last trouble.
  void advance(TimePoint now);
  void shift(Nanos by);

  [[nodiscard]] int score() const { return score_; }
  [[nodiscard]] int factor() const { return score_ + 1; }
  // max(): the score is 0 and time changes nothing.
  [[nodiscard]] TimePoint next_deadline() const;

 private:
  Nanos spell_;
  int score_ = 0;
  TimePoint calm_since_{};
};

}  // namespace riftbus::membership
