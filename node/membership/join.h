// Join: being taken in, taking others in, and finding lost parts of the cluster again.
//
// A newcomer asks its seeds, two at a time, with growing, jittered pauses, until one answers, and
// then pages through all that this one knows. One of the two is always among the first kFirstSeeds,
// who are the same for all, so that those who start together meet; the other is drawn from the
// whole list, for the first ones may be down. The answerer tells everybody of the newcomer. Whoever
// is asked does the same whether the asker is new or was away: so a Join is also how the halves of
// a healed partition meet. For that, the whole cluster together tries about kHealPerMinute times a
// minute to join a member it holds dead, or a seed it does not hear of; more often while many
// are dead at once, for that looks like a partition. A joiner that knows more than the answerer
// (it was no newcomer) sends back what the pages lacked.
//
// Pure; not thread-safe.
#pragma once

#include <vector>

#include "node/membership/core.h"

namespace riftbus::membership {

class Join {
 public:
  static constexpr std::size_t kFirstSeeds = 6;
  static constexpr Nanos kRetryMin = Millis(150);
  static constexpr Nanos kRetryMax = Seconds(10);
  static constexpr std::size_t kPageMembers = 64;
  static constexpr int kHealPerMinute = 6;
  static constexpr int kHealHurryMax = 10;  // times kHealPerMinute, with that many dead

  explicit Join(Core& core) : core_(core) {}

  // Our first incarnation is stored: ask.
  void start(TimePoint now, Actions& out);
  // The answer to somebody's Join, whose record was merged already. `seen`: the highest incarnation
  // known for the asker before that.
  [[nodiscard]] wire::JoinAnswer answer(const wire::Join& join, Incarnation seen) const;
  // An answer's claims were merged: ask for the next page, and send back what it lacked.
  void on_answer(const Calls::Question& question, const wire::JoinAnswer& answer, TimePoint now,
                 Actions& out);
  void advance(TimePoint now, Actions& out);
  void shift(Nanos by);
  [[nodiscard]] TimePoint next_deadline() const;

 private:
  void seek(TimePoint now, Actions& out);
  void heal(TimePoint now, Actions& out);
  void ask(const NodeId& to, const NodeId& after, TimePoint now, Actions& out);
  void return_missing(const NodeId& to, const NodeId& after, const wire::JoinAnswer& answer,
                      Actions& out) const;
  [[nodiscard]] NodeId draw_lost() const;
  [[nodiscard]] Nanos heal_pause();

  Core& core_;
  std::vector<NodeId> seeds_;   // without ourselves; in the order in which they are asked
  std::size_t first_turn_ = 0;  // among the first ones
  std::size_t next_seed_ = 0;
  bool seeking_ = false;
  NodeId host_;  // whose pages we read
  Nanos retry_ = kRetryMin;
  TimePoint seek_due_ = TimePoint::max();
  TimePoint heal_due_ = TimePoint::max();
  std::size_t dead_seen_ = 0;
};

}  // namespace riftbus::membership
