// Parking: claims for which there is nothing right now, and that are willing to wait.
//
// A claim waits here in the leader's memory, costs nothing, and is looked at again when the queue
// has changed. One per worker: a worker that asks again has given up its earlier question.
// `granted_nothing` marks one that was in the log already: a claim is answered once and for ever
// (node/work/workers.h), so all that it can get is its empty answer, later, as a hint to ask anew.
//
// may_be_granted() errs on the side of "yes": a claim that is proposed in vain costs an entry, one
// that is overlooked would cost its worker the whole wait.
//
// Pure; not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "node/replica/replica.h"

namespace riftbus::replica {

struct Parked {
  Submit submit;
  TimePoint until;
  std::optional<work::Claimed> granted_nothing;
};

class Parking {
 public:
  // Returns what has to make room for it: an earlier question of the same worker.
  std::optional<Parked> park(Parked parked);
  bool forget(Ticket ticket);
  // Those whose time is up.
  [[nodiscard]] std::vector<Parked> expire(TimePoint now);
  [[nodiscard]] std::vector<Parked> take_all();
  // The queue has changed: the next wake() begins with the longest waiting again.
  void look_again() { looked_ = 0; }
  // At most `limit` claims that something is there for, the longest waiting first. Looks at no
  // more than `looks` of them, and goes on from there the next time; `all`: it has seen them all.
  [[nodiscard]] std::vector<Parked> wake(const work::WorkQueue& queue, std::size_t limit,
                                         std::size_t looks, bool& all);
  [[nodiscard]] TimePoint next_deadline() const;
  [[nodiscard]] std::size_t size() const { return parked_.size(); }

 private:
  using Place = std::uint64_t;  // in order of arrival
  Parked take(std::map<Place, Parked>::iterator at);

  std::map<Place, Parked> parked_;
  std::map<NodeId, Place> by_worker_;
  std::set<std::pair<TimePoint, Place>> deadlines_;
  Place next_ = 1;
  Place looked_ = 0;  // everything up to here was looked at in this round
};

// `was_answered`: what the queue might want to hear from it, it has heard.
[[nodiscard]] bool may_be_granted(const work::WorkQueue& queue, const work::Claim& claim,
                                  bool was_answered);

}  // namespace riftbus::replica
