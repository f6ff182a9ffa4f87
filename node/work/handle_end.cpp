#include "node/work/handlers.h"

namespace riftbus::work {

namespace {

constexpr std::uint8_t kPercentMax = 100;

void keep_progress(Item& item, std::uint8_t percent, const std::string& checkpoint) {
  if (percent > 0) item.grow().percent = std::min(percent, kPercentMax);
  if (!checkpoint.empty()) item.grow().checkpoint = checkpoint;
}

State state_of(const Ledger& ledger, WorkId id) {
  if (const Item* item = ledger.find(id)) return item->state;
  const Finished* record = ledger.history.find(id);
  return record == nullptr ? State::done : record->state;
}

std::uint16_t number_of(const Ledger& ledger, const NodeId& worker) {
  return static_cast<std::uint16_t>(ledger.nodes.find(worker.value()));
}

Ending ending_of(const Return& work) { return work.lost ? Ending::lost : Ending::released; }
auto always(Ending ending) {
  return [ending](const auto&) { return ending; };
}

// Judges each element by what it says of the ending; `act` is called with the items whose grant it
// truly is.
template <class Works, class EndingOf, class Act>
Verdicts judge_all(Ledger& ledger, std::uint16_t node, const Works& works, EndingOf ending,
                   Act act) {
  Verdicts verdicts;
  verdicts.works.reserve(works.size());
  for (const auto& work : works) {
    Judged judged = judge(ledger, node, work.hold, ending(work));
    if (judged.outcome == Outcome::ok) {
      act(*ledger.find(work.hold.id), work);
      judged.state = state_of(ledger, work.hold.id);
    }
    verdicts.works.push_back(judged);
  }
  return verdicts;
}

void keep_orphan(Ledger& ledger, std::uint16_t node, const Finish& work) {
  if (work.result.empty()) return;
  ledger.orphans.push_back({work.hold.id, work.hold.fence, node, ledger.now_ms, work.result});
  if (ledger.orphans.size() > kOrphansMax) ledger.orphans.pop_front();
}

Verdicts end_all(Ledger& ledger, const NodeId& worker, const std::vector<Failure>& works,
                 Ending ending) {
  return judge_all(
      ledger, number_of(ledger, worker), works, always(ending),
      [&](Item& item, const Failure& work) {
        keep_progress(item, 0, work.checkpoint);
        ledger.end_grant(item, ending, {work.exit_code, work.signal, work.tail}, 0, work.retryable);
      });
}

// Replaces a worker's instance: what the new one does not hold is over.
void end_leases(Ledger& ledger, std::uint16_t node, const std::vector<Hold>& holds, Ending ending) {
  const std::set<Hold> kept(holds.begin(), holds.end());
  const std::set<WorkId> leases = ledger.workers.find(node)->leases;
  for (const WorkId id : leases) {
    Item* item = ledger.find(id);
    // Ending one may have taken others along: a gang falls apart as a whole.
    if (item == nullptr || item->state != State::leased || item->worker != node) continue;
    if (kept.count({id, item->fence}) > 0) continue;
    ledger.end_grant(*item, ending, {}, 0, true);
  }
}

}  // namespace

Judged judge(const Ledger& ledger, std::uint16_t node, const Hold& hold, Ending ending) {
  const Item* item = ledger.find(hold.id);
  if (item == nullptr) {
    const Finished* record = ledger.history.find(hold.id);
    if (record == nullptr) return {hold.id, Outcome::unknown, State::done};
    const bool won = ending == Ending::completed && record->state == State::done &&
                     record->fence == hold.fence && record->node == node;
    const bool same = won || ledger.past_ends.knows(hold, node, ending);
    return {hold.id, same ? Outcome::repeated : Outcome::stale, record->state};
  }
  if (node != 0 && item->state == State::leased && item->fence == hold.fence &&
      item->worker == node) {
    return {hold.id, Outcome::ok, item->state};
  }
  const bool same = node != 0 && item->ended_fence == hold.fence && item->ended_worker == node &&
                    item->ended_how == ending;
  const bool known = same || ledger.past_ends.knows(hold, node, ending);
  return {hold.id, known ? Outcome::repeated : Outcome::stale, item->state};
}

Verdicts handle(Ledger& ledger, const Stamp&, const Complete& command) {
  const std::uint16_t node = number_of(ledger, command.worker);
  Verdicts verdicts =
      judge_all(ledger, node, command.works, always(Ending::completed),
                [&](Item& item, const Finish& work) { ledger.complete(item, work.result); });
  for (std::size_t i = 0; i < verdicts.works.size(); ++i) {
    if (verdicts.works[i].outcome == Outcome::stale) keep_orphan(ledger, node, command.works[i]);
  }
  return verdicts;
}

Verdicts handle(Ledger& ledger, const Stamp&, const Fail& command) {
  return end_all(ledger, command.worker, command.works, Ending::failed);
}

Verdicts handle(Ledger& ledger, const Stamp&, const Bury& command) {
  return end_all(ledger, command.worker, command.works, Ending::buried);
}

Verdicts handle(Ledger& ledger, const Stamp&, const Release& command) {
  return judge_all(ledger, number_of(ledger, command.worker), command.works, ending_of,
                   [&](Item& item, const Return& work) {
                     keep_progress(item, work.percent, work.checkpoint);
                     const auto delay_ms = std::min(work.delay_ms, kSpanMsMax);
                     ledger.end_grant(item, ending_of(work), {}, delay_ms, true);
                   });
}

Verdicts handle(Ledger& ledger, const Stamp&, const Note& command) {
  return judge_all(
      ledger, number_of(ledger, command.worker), command.works, always(Ending::none),
      [&](Item& item, const Return& work) { keep_progress(item, work.percent, work.checkpoint); });
}

Verdicts handle(Ledger& ledger, const Stamp& stamp, const Expire& command) {
  if (command.term != stamp.term) return {Outcome::stale, {}};
  Verdicts verdicts;
  for (const auto& work : command.works) {
    Item* item = ledger.find(work.hold.id);
    std::uint16_t holder = 0;
    if (item != nullptr) holder = item->state == State::leased ? item->worker : item->ended_worker;
    Judged judged = judge(ledger, holder, work.hold, Ending::lost);
    if (judged.outcome == Outcome::ok && command.lapse == Lapse::dead &&
        !ledger.terms(*item).terms.overlap_ok) {
      judged.outcome = Outcome::wrong_state;
    }
    if (judged.outcome == Outcome::ok) {
      keep_progress(*item, work.percent, work.checkpoint);
      const bool farewell = command.lapse == Lapse::left;
      ledger.end_grant(*item, farewell ? Ending::released : Ending::lost, {}, 0, true);
      judged.state = state_of(ledger, work.hold.id);
    }
    verdicts.works.push_back(judged);
  }
  return verdicts;
}

Verdicts handle(Ledger& ledger, const Stamp&, const Attach& command) {
  const auto node = static_cast<std::uint16_t>(ledger.nodes.intern(command.worker.value()));
  Worker* worker = node == 0 ? nullptr : ledger.workers.admit(node);
  if (worker == nullptr) return {Outcome::too_many, {}};
  if (command.leaving && worker->instance != Instance() && worker->instance != command.instance) {
    return {Outcome::superseded, {}};
  }
  const bool is_repeated = worker->instance == command.instance;
  if (!Workers::replace(*worker, command.instance, command.replaces)) {
    return {Outcome::superseded, {}, worker->instance};
  }
  worker->seen_ms = ledger.now_ms;
  worker->away = command.leaving;
  if (command.leaving) {
    end_leases(ledger, node, {}, Ending::released);
  } else if (!is_repeated) {
    // A copy that was long under way knows nothing of what was granted since: it ends nothing.
    end_leases(ledger, node, command.holds, Ending::lost);
  }
  Verdicts verdicts;
  for (const auto& hold : command.holds) {
    verdicts.works.push_back(judge(ledger, node, hold, Ending::none));
  }
  return verdicts;
}

}  // namespace riftbus::work
