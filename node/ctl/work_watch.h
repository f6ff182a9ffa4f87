// WorkWatch: waits until items have ended, and shows how far they are.
//
// On a terminal a bar that is drawn anew in place, cut to its width; elsewhere a line for each
// change, at most one a second, so that a log of it can be read. It asks the leader for counts, not
// for items: waiting for a hundred thousand costs one short answer a second.
//
// Blocks until all have ended, however long that takes; a leader that is away is waited for.
#pragma once

#include <string>
#include <vector>

#include "node/ctl/work_sender.h"

namespace riftbus::ctl {

struct WorkProgress {
  std::uint64_t total = 0;
  std::uint64_t done = 0;
  std::uint64_t running = 0;
  std::uint64_t waiting = 0;  // ready or delayed
  std::uint64_t dead = 0;     // until an operator looks at them, this is an end
  std::uint64_t cancelled = 0;
  std::uint64_t forgotten = 0;  // ended longer ago than the history reaches
  bool stale = false;           // no leader was reached: as one node knew it, perhaps long ago
  [[nodiscard]] bool has_ended() const { return running == 0 && waiting == 0 && !stale; }
  bool operator==(const WorkProgress&) const = default;
};

// ", about 3m left", after the pace so far; empty while that is too early to say or of no use.
[[nodiscard]] std::string time_left_text(const WorkProgress& progress, Millis elapsed);
// From one work.tally document, added to what is there.
void add_tally(const Json& document, WorkProgress& progress);
// "[#####...............]  25% 50 of 200 done, 40 running, 2 dead"
[[nodiscard]] std::string progress_bar(const WorkProgress& progress, std::size_t width);
// "50 of 200 done, 40 running, 110 waiting, 2 dead"; while nobody leads it says so.
[[nodiscard]] std::string progress_text(const WorkProgress& progress);

// 0: all are done; kExitFalse with Error 1563: some died or were cancelled.
int wait_for_works(Context& context, WorkSender& sender, const std::vector<std::uint64_t>& ids);

}  // namespace riftbus::ctl
