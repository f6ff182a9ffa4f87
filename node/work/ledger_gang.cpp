#include <utility>

#include "config/check.h"
#include "node/work/ledger.h"

namespace riftbus::work {

namespace {

// Its own time and dependencies allow it; the gang is another matter.
bool is_free(const Item& item) {
  const bool waiting = item.state == State::delayed || item.state == State::ready;
  return waiting && item.due_ms == 0 && item.more().after.empty() && item.cancelling == Cause::none;
}

}  // namespace

Gang* Ledger::gang_of(const Item& item) {
  const auto at = gangs.find(item.more().gang);
  return at == gangs.end() ? nullptr : &at->second;
}

void Ledger::set_gang_alarm(WorkId id, Gang& gang, LogMs until_ms) {
  if (gang.until_ms != 0) gang_alarms.erase({gang.until_ms, id});
  gang.until_ms = until_ms;
  if (until_ms != 0) gang_alarms.emplace(until_ms, id);
}

void Ledger::update_gang(WorkId id) {
  Gang& gang = gangs.at(id);
  if (gang.dissolving) return;
  std::size_t leased = 0;
  std::size_t free = 0;
  for (const WorkId member : gang.members) {
    const Item* item = std::as_const(*this).find(member);
    if (item == nullptr) return;  // the batch that makes the gang is still being entered
    if (item->state == State::leased) ++leased;
    if (is_free(*item)) ++free;
  }
  if (leased == gang.members.size()) {
    gang.started = true;
    return set_gang_alarm(id, gang, 0);
  }
  if (gang.started && leased > 0) {
    // One is back: alone, the others are of no use.
    for (const WorkId member : gang.members) {
      Item& item = *find(member);
      if (item.state == State::leased && !item.preempting) request_preempt(item);
    }
    return;
  }
  gang.started = false;
  if (leased > 0 && leased + free < gang.members.size()) return dissolve_gang(id, gang);
  if (leased == 0) {
    set_gang_alarm(id, gang, 0);
  } else if (gang.until_ms == 0) {
    set_gang_alarm(id, gang, now_ms + LogMs{gang.timeout_ms});
  }
  const bool open = leased + free == gang.members.size();
  const State wanted = open ? State::ready : State::delayed;
  for (const WorkId member : gang.members) {
    Item& item = *find(member);
    if (item.state == wanted || (item.state != State::ready && item.state != State::delayed)) {
      continue;
    }
    withdraw(item);
    item.state = wanted;
    place(item);
  }
}

// Not all came in time, or one of those who came went: nobody has begun, nobody loses anything.
// The gang tries again after half to one and a half of its patience, so that two gangs that hold
// each other's places do not meet again.
void Ledger::dissolve_gang(WorkId id, Gang& gang) {
  set_gang_alarm(id, gang, 0);
  const auto spread =
      mix(id.value() ^ static_cast<std::uint64_t>(now_ms)) % (std::uint64_t{gang.timeout_ms} + 1);
  const std::uint64_t delay_ms = gang.timeout_ms / 2 + spread + 1;
  const std::set<WorkId> members = gang.members;
  gang.dissolving = true;
  for (const WorkId member : members) {
    Item* item = find(member);
    if (item == nullptr || item->state != State::leased) continue;
    end_grant(*item, Ending::released, {}, delay_ms, true);
  }
  const auto left = gangs.find(id);
  if (left == gangs.end()) return;
  left->second.dissolving = false;
  update_gang(id);
}

void Ledger::leave_gang(WorkId id, WorkId member, bool done) {
  const auto at = gangs.find(id);
  RIFTBUS_CHECK(at != gangs.end());
  Gang& gang = at->second;
  gang.members.erase(member);
  if (gang.members.empty()) {
    set_gang_alarm(id, gang, 0);
    gangs.erase(at);
    return;
  }
  if (done) return update_gang(id);
  for (const WorkId other : gang.members) {  // never n of n again
    Item& item = *find(other);
    if (item.cancelling != Cause::none) continue;  // each that goes finds the same
    withdraw(item);
    item.cancelling = Cause::gang;
    // Out of the line at once: its alarm may be behind more than one entry's share, and a claim in
    // between must not find it.
    if (item.state == State::ready) item.state = State::delayed;
    place(item);
  }
}

}  // namespace riftbus::work
