#include <algorithm>
#include <limits>

#include "node/work/ledger.h"

namespace riftbus::work {

LogMs Ledger::next_due_ms() const {
  LogMs first = std::numeric_limits<LogMs>::max();
  if (!alarms.empty()) first = std::min(first, alarms.begin()->first);
  if (!gang_alarms.empty()) first = std::min(first, gang_alarms.begin()->first);
  if (!dedupe_alarms.empty()) first = std::min(first, dedupe_alarms.begin()->first);
  return first;
}

void Ledger::fire_due() {
  std::size_t budget = kDueMax;
  for (; budget > 0 && !alarms.empty() && alarms.begin()->first <= now_ms; --budget) {
    fire(*find(alarms.begin()->second));
  }
  for (; budget > 0 && !gang_alarms.empty() && gang_alarms.begin()->first <= now_ms; --budget) {
    const WorkId id = gang_alarms.begin()->second;
    dissolve_gang(id, gangs.at(id));
  }
  for (; budget > 0 && !dedupe_alarms.empty() && dedupe_alarms.begin()->first <= now_ms; --budget) {
    erase_dedupe(dedupe_alarms.begin()->second);
    dedupe_alarms.erase(dedupe_alarms.begin());
  }
}

// One alarm of one item; whatever else is due for it has its own turn.
void Ledger::fire(Item& item) {
  const bool waiting = item.state == State::delayed || item.state == State::ready;
  const bool expired = waiting && item.expires_ms != 0 && item.expires_ms <= now_ms;
  const bool late = item.deadline_ms != 0 && item.deadline_ms <= now_ms;
  Cause cause = item.cancelling;
  if (cause == Cause::none && expired) cause = Cause::expired;
  if (cause == Cause::none && late) cause = Cause::deadline;
  if (cause != Cause::none) {
    return item.state == State::leased ? request_cancel(item, cause) : cancel(item, cause);
  }
  withdraw(item);
  item.due_ms = 0;
  settle(item);
}

// A group that somebody configured stays known, also while it is empty.
void Ledger::set_group(std::uint16_t number, std::uint32_t limit, std::uint32_t weight) {
  Group& group = group_of[number];
  const bool was_kept = group.kept;
  group.limit = limit;
  group.weight = weight;
  group.kept = limit != 0 || weight != 1;
  const bool is_kept = group.kept;  // `group` may be erased below
  if (is_kept && !was_kept) groups.refer(number);
  if (!is_kept && was_kept && groups.release(number)) group_of.erase(number);
  if (!is_kept && groups.references(number) == 0) {
    groups.forget_unused(number);
    group_of.erase(number);
  }
}

void Ledger::configure(const Settings& wanted) {
  std::vector<WorkId> sorted;
  if (wanted.aging_ms != settings.aging_ms) {
    for (const auto& [key, line] : ready.classes()) {
      for (const auto& rank : line) sorted.push_back(rank.id);
    }
  }
  // Not find(): nothing changes of which a snapshot speaks.
  for (const WorkId id : sorted) withdraw(items.at(id));
  settings = wanted;
  for (const WorkId id : sorted) place(items.at(id));
  history.trim(settings.history_max, settings.results_max);
}

}  // namespace riftbus::work
