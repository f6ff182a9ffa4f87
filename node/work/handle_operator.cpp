#include <algorithm>

#include "node/work/handlers.h"

namespace riftbus::work {

namespace {

template <class Act>
Verdicts visit_all(Ledger& ledger, const std::vector<WorkId>& ids, Act act) {
  Verdicts verdicts;
  for (const WorkId id : ids) {
    Judged judged{id, Outcome::unknown, State::done};
    if (Item* item = ledger.find(id)) {
      judged.outcome = act(*item);
    } else if (ledger.history.find(id) != nullptr) {
      judged.outcome = Outcome::wrong_state;
    }
    if (const Item* item = ledger.find(id)) {
      judged.state = item->state;
    } else if (const Finished* record = ledger.history.find(id)) {
      judged.state = record->state;
    }
    verdicts.works.push_back(judged);
  }
  return verdicts;
}

bool is_sound(const Settings& s) {
  return s.hard_max > 0 && s.soft_max <= s.hard_max && s.aging_ms > 0 &&
         s.aging_ms <= 1000U * 3600 * 24 && s.share_ms <= 1000U * 3600 * 24 &&
         s.affinity_ms <= 1000U * 3600 * 24 && s.dead_max > 0;
}

}  // namespace

Verdicts handle(Ledger&, const Stamp&, const Tick&) { return {}; }  // time has passed already

Verdicts handle(Ledger& ledger, const Stamp&, const Cancel& command) {
  return visit_all(ledger, command.ids, [&](Item& item) {
    if (item.state == State::leased) {
      if (item.cancelling != Cause::none) return Outcome::repeated;
      ledger.request_cancel(item, Cause::asked);
    } else {
      ledger.cancel(item, Cause::asked);
    }
    return Outcome::ok;
  });
}

Verdicts handle(Ledger& ledger, const Stamp&, const Preempt& command) {
  return visit_all(ledger, command.ids, [&](Item& item) {
    if (item.state != State::leased) return Outcome::wrong_state;
    if (item.preempting) return Outcome::repeated;
    ledger.request_preempt(item);
    return Outcome::ok;
  });
}

Verdicts handle(Ledger& ledger, const Stamp&, const Kick& command) {
  return visit_all(ledger, command.ids, [&](Item& item) {
    if (item.state != State::dead) return Outcome::wrong_state;
    ledger.kick(item);
    return Outcome::ok;
  });
}

Verdicts handle(Ledger& ledger, const Stamp&, const Purge& command) {
  return visit_all(ledger, command.ids, [&](Item& item) {
    if (item.state != State::dead) return Outcome::wrong_state;
    ledger.purge(item);
    return Outcome::ok;
  });
}

Verdicts handle(Ledger& ledger, const Stamp&, const SetGroup& command) {
  if (command.weight == 0) return {Outcome::bad_value, {}};
  const auto number = static_cast<std::uint16_t>(ledger.groups.intern(command.group));
  if (number == 0) return {Outcome::too_many, {}};
  ledger.set_group(number, command.limit, command.weight);
  return {};
}

Verdicts handle(Ledger& ledger, const Stamp&, const Configure& command) {
  if (!is_sound(command.settings)) return {Outcome::bad_value, {}};
  ledger.configure(command.settings);
  return {};
}

Verdicts handle(Ledger& ledger, const Stamp&, const Recover& command) {
  if (command.generation == ledger.generation) return {Outcome::repeated, {}};
  if (command.generation < ledger.generation) return {Outcome::stale, {}};
  ledger.generation = command.generation;
  return {};
}

}  // namespace riftbus::work
