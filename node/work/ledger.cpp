#include "node/work/ledger.h"

#include <algorithm>
#include <limits>

#include "config/check.h"

namespace riftbus::work {

namespace {

constexpr LogMs kNever = std::numeric_limits<LogMs>::max();
constexpr LogMs kAtOnce = 0;
constexpr std::size_t kExcludedMax = 16;

// Exponential, capped, and spread by half around itself so that what failed together does not
// come back together. `unit` is in [0, 1024).
LogMs backoff_ms(const Terms& terms, WorkId id, unsigned failures) {
  std::uint64_t span = std::max<std::uint32_t>(1, terms.backoff_base_ms);
  for (unsigned n = 1; n < failures && span < terms.backoff_cap_ms; ++n) span *= 2;
  span = std::min<std::uint64_t>(span, terms.backoff_cap_ms);
  const std::uint64_t unit = mix(id.value() * 1024 + failures) % 1024;
  return static_cast<LogMs>(span * (512 + unit) / 1024);
}

void count_end(Tally& tally, const Finished& record) {
  if (record.state == State::cancelled) ++tally.cancelled;
  if (record.state != State::done) return;
  ++tally.completed;
  tally.waited_ms += record.waited_ms;
  tally.ran_ms += record.ran_ms;
}

std::uint32_t clamp_ms(LogMs span) {
  return static_cast<std::uint32_t>(
      std::clamp<LogMs>(span, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

std::uint64_t mix(std::uint64_t value) {  // splitmix64's finalizer
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

Ledger::Ledger() = default;

const Item* Ledger::find(WorkId id) const {
  const auto at = items.find(id);
  return at == items.end() ? nullptr : &at->second;
}

Item* Ledger::find(WorkId id) {
  const auto at = items.find(id);
  if (at == items.end()) return nullptr;
  watches.tell([&](RecordWatch& watch) { watch.before_item(at->second); });
  return &at->second;
}

Fence Ledger::make_fence(std::uint64_t index) const {
  return Fence((std::uint64_t{generation} << kFenceIndexBits) | index);
}

// ---- indexes ---------------------------------------------------------------------------------

LogMs Ledger::alarm_of(const Item& item) const {
  const bool waiting = item.state == State::delayed || item.state == State::ready;
  if (item.cancelling != Cause::none && waiting) return kAtOnce;
  LogMs first = kNever;
  if (item.state == State::delayed && item.due_ms != 0) first = item.due_ms;
  if (waiting && item.expires_ms != 0) first = std::min(first, item.expires_ms);
  if (item.deadline_ms != 0 && item.cancelling == Cause::none && item.state != State::dead) {
    first = std::min(first, item.deadline_ms);
  }
  return first;
}

void Ledger::place(Item& item) {
  ++counts[static_cast<std::size_t>(item.state)];
  if (const LogMs alarm = alarm_of(item); alarm != kNever) alarms.emplace(alarm, item.id);
  if (item.state == State::ready) ready.insert(item, settings.aging_ms);
  if (item.state == State::dead) dead.emplace(item.due_ms, item.id);
  if (item.state == State::leased) {
    ++group_of.at(item.group).leased;
    Worker* worker = workers.find(item.worker);
    RIFTBUS_CHECK(worker != nullptr);
    Workers::reserve(*worker, item.id, terms(item).reserve);
  }
}

void Ledger::withdraw(Item& item) {
  --counts[static_cast<std::size_t>(item.state)];
  if (const LogMs alarm = alarm_of(item); alarm != kNever) alarms.erase({alarm, item.id});
  if (item.state == State::ready) ready.erase(item, settings.aging_ms);
  if (item.state == State::dead) dead.erase({item.due_ms, item.id});
  if (item.state == State::leased) {
    --group_of.at(item.group).leased;
    Workers::unreserve(*workers.find(item.worker), item.id, terms(item).reserve);
  }
}

void Ledger::adopt_terms(std::uint16_t number, Terms terms, Needs needs) {
  CompiledTerms& compiled = terms_of[number];
  std::map<std::string, std::int64_t> reserve;
  for (const auto& amount : needs.counted()) reserve[amount.name] = amount.milli;
  for (const auto& amount : terms.reserve) reserve[amount.name] = amount.milli;
  for (const auto& [name, milli] : reserve) {
    if (milli > 0) compiled.reserve.push_back({name, milli});
  }
  compiled.terms = std::move(terms);
  compiled.needs = std::move(needs);
}

void Ledger::set_dedupe(const std::string& key, Remembered remembered) {
  watches.tell([&](RecordWatch& watch) { watch.before_key(key); });
  auto& known = dedupe[key];
  if (known.until_ms != 0) dedupe_alarms.erase({known.until_ms, key});
  known = remembered;
  if (known.until_ms != 0) dedupe_alarms.emplace(known.until_ms, key);
}

void Ledger::erase_dedupe(const std::string& key) {
  watches.tell([&](RecordWatch& watch) { watch.before_key(key); });
  dedupe.erase(key);
}

void Ledger::adopt(Item item) {
  const WorkId id = item.id;
  payload_bytes += item.payload.size();
  groups.refer(item.group);
  terms_names.refer(item.terms);
  for (const WorkId other : item.more().after) dependants[other].insert(id);
  place(items.emplace_hint(items.end(), id, std::move(item))->second);  // mostly a new one
}

void Ledger::release_names(const Item& item) {
  if (terms_names.release(item.terms)) terms_of.erase(item.terms);
  if (groups.release(item.group)) group_of.erase(item.group);
}

// ---- into the queue and out of it ------------------------------------------------------------

void Ledger::enter(Item item) {
  const WorkId gang = item.more().gang;
  ++kind_tally[item.kind].added;
  item.state = can_start(item) ? State::ready : State::delayed;
  adopt(std::move(item));
  if (gang != WorkId()) update_gang(gang);
}

bool Ledger::can_start(const Item& item) const {
  return item.due_ms == 0 && item.more().after.empty() && item.more().gang == WorkId();
}

void Ledger::settle(Item& item) {
  item.state = can_start(item) ? State::ready : State::delayed;
  place(item);
  if (item.more().gang != WorkId()) update_gang(item.more().gang);
}

void Ledger::requeue(Item& item, LogMs due_ms) {
  item.due_ms = due_ms > now_ms ? due_ms : 0;
  settle(item);
}

void Ledger::grant(Item& item, std::uint16_t node, Fence fence) {
  withdraw(item);
  item.state = State::leased;
  item.worker = node;
  item.fence = fence;
  item.leased_ms = now_ms;
  place(item);
  ++kind_tally[item.kind].granted;
  ++node_tally[node].granted;
  if (item.more().gang != WorkId()) update_gang(item.more().gang);
}

void Ledger::record_attempt(Item& item, Ending ending, const EndNote& note) {
  auto& attempts = item.grow().attempts;
  attempts.push_back({item.fence, item.worker, item.leased_ms, now_ms, ending, note.exit_code,
                      note.signal, note.tail});
  if (attempts.size() > kAttemptsKept) attempts.erase(attempts.begin());
}

void Ledger::remember_end(const Item& item) {
  if (item.ended_fence == Fence()) return;
  past_ends.add({{item.id, item.ended_fence}, item.ended_worker, item.ended_how});
}

void Ledger::end_grant(Item& item, Ending ending, const EndNote& note, std::uint64_t delay_ms,
                       bool retryable) {
  withdraw(item);
  record_attempt(item, ending, note);
  const std::uint16_t node = item.worker;
  remember_end(item);
  item.ended_fence = item.fence;
  item.ended_how = ending;
  item.ended_worker = node;
  item.fence = Fence();
  item.worker = 0;
  item.preempting = false;
  LogMs due_ms = delay_ms == 0 ? 0 : now_ms + static_cast<LogMs>(delay_ms);
  const Terms& rules = terms(item).terms;
  bool last = ending == Ending::buried;
  if (ending == Ending::failed) {
    ++kind_tally[item.kind].failed;
    ++node_tally[node].failed;
    auto& excluded = item.grow().excluded;
    const auto place_of = std::lower_bound(excluded.begin(), excluded.end(), node);
    if (place_of == excluded.end() || *place_of != node) excluded.insert(place_of, node);
    if (excluded.size() > kExcludedMax) excluded.assign(1, node);
    ++item.failures;
    last = !retryable || item.failures >= rules.attempts_max;
    due_ms = now_ms + backoff_ms(rules, item.id, item.failures);
  } else if (ending == Ending::lost) {
    ++kind_tally[item.kind].lost;
    ++node_tally[node].lost;
    last = ++item.losses >= rules.losses_max;
  } else if (ending == Ending::released) {
    ++kind_tally[item.kind].released;
    ++node_tally[node].released;
  }
  if (item.cancelling != Cause::none) return close(item, State::cancelled, {});
  if (last) return die(item);
  requeue(item, due_ms);
}

void Ledger::complete(Item& item, std::string result) {
  withdraw(item);
  close(item, State::done, std::move(result));
}

void Ledger::cancel(Item& item, Cause cause) {
  withdraw(item);
  if (item.cancelling == Cause::none) item.cancelling = cause;  // the first one stays
  close(item, State::cancelled, {});
}

void Ledger::request_cancel(Item& item, Cause cause) {
  withdraw(item);
  item.cancelling = cause;
  place(item);
}

void Ledger::request_preempt(Item& item) {
  withdraw(item);
  item.preempting = true;
  place(item);
}

void Ledger::die(Item& item) {
  ++kind_tally[item.kind].died;
  ++node_tally[item.ended_worker].died;
  item.state = State::dead;
  item.due_ms = now_ms;
  place(item);
  if (item.more().gang != WorkId()) update_gang(item.more().gang);
  if (dead.size() > settings.dead_max) {
    ++dead_evicted;
    purge(*find(dead.begin()->second));
  }
}

void Ledger::kick(Item& item) {
  withdraw(item);
  item.failures = item.losses = 0;
  item.grow().excluded.clear();
  item.since_ms = now_ms;
  requeue(item, 0);
}

void Ledger::purge(Item& item) {
  withdraw(item);
  close(item, State::dead, {});
}

void Ledger::close(Item& item, State state, std::string result) {
  Finished record;
  record.id = item.id;
  record.fence = state == State::done ? item.fence : Fence();
  record.finished_ms = now_ms;
  record.waited_ms = clamp_ms((item.leased_ms == 0 ? now_ms : item.leased_ms) - item.added_ms);
  record.ran_ms = item.leased_ms == 0 ? 0 : clamp_ms(now_ms - item.leased_ms);
  record.kind = item.kind;
  record.node = state == State::done ? item.worker : item.ended_worker;
  record.state = state;
  if (state == State::cancelled) record.cause = item.cancelling;
  record.failures = item.failures;
  record.losses = item.losses;
  count_end(kind_tally[record.kind], record);
  if (record.node != 0) count_end(node_tally[record.node], record);
  history.add(record, std::move(result));
  history.trim(settings.history_max, settings.results_max);
  payload_bytes -= item.payload.size();
  remember_end(item);
  forget_key(item);
  for (const WorkId other : item.more().after) {
    const auto waiting = dependants.find(other);
    waiting->second.erase(item.id);
    if (waiting->second.empty()) dependants.erase(waiting);
  }
  release_names(item);
  const WorkId id = item.id;
  const WorkId gang = item.more().gang;
  items.erase(id);  // `item` is gone
  resolve_dependants(id, state == State::done);
  if (gang != WorkId()) leave_gang(gang, id, state == State::done);
}

void Ledger::forget_key(const Item& item) {
  const std::string& key = item.more().dedupe;
  if (key.empty()) return;
  if (item.more().dedupe_window_ms > 0) {
    const auto window = static_cast<LogMs>(item.more().dedupe_window_ms);
    return set_dedupe(key, {item.id, now_ms + window});
  }
  erase_dedupe(key);
}

void Ledger::resolve_dependants(WorkId id, bool done) {
  const auto at = dependants.find(id);
  if (at == dependants.end()) return;
  const std::set<WorkId> waiting = std::move(at->second);
  dependants.erase(at);
  for (const WorkId other : waiting) {
    Item& item = *find(other);
    withdraw(item);
    auto& after = item.grow().after;
    after.erase(std::find(after.begin(), after.end(), id));
    // Cancelled by its alarm, a bounded number at a time: a long chain must not stall the loop.
    if (!done && item.cancelling == Cause::none) item.cancelling = Cause::dependency;
    if (item.state != State::delayed || item.cancelling != Cause::none) {
      place(item);
    } else {
      settle(item);
    }
  }
}

}  // namespace riftbus::work
