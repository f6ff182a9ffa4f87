#include "node/work/query.h"

#include <algorithm>

#include "node/work/handlers.h"

namespace riftbus::work {

namespace {

WorkView view_item(const Ledger& ledger, const Item& item, LogMs log_ms) {
  const LogMs now_ms = std::max(ledger.now_ms, log_ms);
  WorkView view;
  view.id = item.id;
  view.state = item.state;
  view.kind = ledger.kinds.text(item.kind);
  view.group = ledger.groups.text(item.group);
  view.node = ledger.nodes.text(item.worker != 0 ? item.worker : item.ended_worker);
  view.fence = item.fence;
  view.priority = item.priority;
  view.failures = item.failures;
  view.losses = item.losses;
  view.percent = item.more().percent;
  view.cancelling = item.state == State::leased && item.cancelling != Cause::none;
  view.cause = item.cancelling;
  view.preempting = item.preempting;
  view.age_ms = now_ms - item.added_ms;
  view.ran_ms = item.state == State::leased ? now_ms - item.leased_ms : 0;
  view.payload_bytes = item.payload.size();
  return view;
}

WorkView view_finished(const Ledger& ledger, const Finished& record, LogMs log_ms) {
  WorkView view;
  view.id = record.id;
  view.state = record.state;
  view.kind = ledger.kinds.text(record.kind);
  view.node = ledger.nodes.text(record.node);
  view.fence = record.fence;
  view.cause = record.cause;
  view.failures = record.failures;
  view.losses = record.losses;
  view.age_ms = std::max(ledger.now_ms, log_ms) - record.finished_ms;
  view.ran_ms = record.ran_ms;
  return view;
}

bool is_wanted(std::string_view wanted, std::string_view text) {
  return wanted.empty() || wanted == text;
}

// Before a view is built: a filter that matches little looks at very many.
bool passes(const WorkFilter& filter, const Ledger& ledger, const Item& item) {
  return (!filter.state || *filter.state == item.state) &&
         is_wanted(filter.kind, ledger.kinds.text(item.kind)) &&
         is_wanted(filter.group, ledger.groups.text(item.group)) &&
         is_wanted(filter.node,
                   ledger.nodes.text(item.worker != 0 ? item.worker : item.ended_worker));
}

// Its group is not remembered.
bool passes(const WorkFilter& filter, const Ledger& ledger, const Finished& record) {
  return (!filter.state || *filter.state == record.state) && filter.group.empty() &&
         is_wanted(filter.kind, ledger.kinds.text(record.kind)) &&
         is_wanted(filter.node, ledger.nodes.text(record.node));
}

std::string text_of(const Amount& amount) {
  std::string text = "reserve " + amount.name + ">=" + std::to_string(amount.milli / 1000);
  if (amount.milli % 1000 != 0) {
    text += "." + std::to_string(1000 + amount.milli % 1000).substr(1);
  }
  return text;
}

// The clauses of a class of work against one worker; true: it fits when idle.
bool count_clauses(const CompiledTerms& terms, const Offer& offer, Why& why) {
  bool fits = true;
  const std::size_t written = terms.needs.clause_count();
  for (std::size_t i = 0; i < why.clauses.size(); ++i) {
    bool holds = false;
    if (i < written) {
      holds = terms.needs.match_clause(i, offer);
    } else {
      const Amount& amount = terms.reserve[i - written];
      const std::int64_t* total = offer.find_amount(amount.name);
      holds = total != nullptr && *total >= amount.milli;
    }
    if (!holds) ++why.clauses[i].failed;
    fits = fits && holds;
  }
  return fits;
}

void count_workers(const Ledger& ledger, const Item& item, const NodeNames& drained, Why& why) {
  const CompiledTerms& terms = ledger.terms(item);
  for (std::size_t i = 0; i < terms.needs.clause_count(); ++i) {
    why.clauses.push_back({terms.needs.clause_text(i), 0});
  }
  for (const auto& amount : terms.reserve) why.clauses.push_back({text_of(amount), 0});
  const auto& excluded = item.more().excluded;
  for (const auto& [node, worker] : ledger.workers.all()) {
    // A drained one asks for nothing, so that nothing is heard of it.
    const bool is_drained = drained.contains(ledger.nodes.text(node));
    if (worker.away || (!is_drained && !is_fresh(ledger, worker))) continue;
    ++why.workers;
    const bool fits = count_clauses(terms, worker.offer, why);
    if (!worker.offer.runs_kind(ledger.kinds.text(item.kind))) {
      ++why.other_kinds;
    } else if (std::binary_search(excluded.begin(), excluded.end(), node)) {
      ++why.excluded;
    } else if (fits && is_drained) {
      ++why.drained;
    } else if (fits) {
      ++(Workers::has_room(worker, terms.reserve) ? why.free : why.busy);
    }
  }
}

std::size_t count_ahead(const Ledger& ledger, const Item& item) {
  const Rank rank = rank_of(item, ledger.settings.aging_ms);
  std::size_t ahead = 0;
  for (const auto& [key, line] : ledger.ready.classes()) {
    ahead += static_cast<std::size_t>(std::distance(line.begin(), line.lower_bound(rank)));
  }
  return ahead;
}

}  // namespace

std::optional<WorkView> find_work(const WorkQueue& queue, WorkId id, LogMs log_ms) {
  const Ledger& ledger = queue.ledger();
  if (const Item* item = ledger.find(id)) {
    WorkView view = view_item(ledger, *item, log_ms);
    view.payload = item->payload;
    view.checkpoint_bytes = item->more().checkpoint.size();
    for (const auto& a : item->more().attempts) {
      view.attempts.push_back({std::string(ledger.nodes.text(a.node)), a.ending, a.begun_ms,
                               a.ended_ms, a.exit_code, a.signal, a.tail});
    }
    return view;
  }
  const Finished* record = ledger.history.find(id);
  if (record == nullptr) return std::nullopt;
  WorkView view = view_finished(ledger, *record, log_ms);
  if (const std::string* result = ledger.history.find_result(id)) view.result = *result;
  return view;
}

std::vector<WorkView> list_work(const WorkQueue& queue, const WorkFilter& filter, WorkId after,
                                std::size_t limit, LogMs log_ms) {
  const Ledger& ledger = queue.ledger();
  std::vector<WorkView> views;
  for (auto at = ledger.items.upper_bound(after); at != ledger.items.end(); ++at) {
    if (views.size() >= limit) break;
    if (passes(filter, ledger, at->second)) views.push_back(view_item(ledger, at->second, log_ms));
  }
  return views;
}

std::vector<WorkView> list_history(const WorkQueue& queue, const WorkFilter& filter,
                                   std::size_t limit, LogMs log_ms) {
  const Ledger& ledger = queue.ledger();
  std::vector<WorkView> views;
  const auto& records = ledger.history.records();
  for (auto at = records.rbegin(); at != records.rend() && views.size() < limit; ++at) {
    if (passes(filter, ledger, *at)) views.push_back(view_finished(ledger, *at, log_ms));
  }
  return views;
}

Why explain_work(const WorkQueue& queue, WorkId id, const NodeNames& drained, LogMs log_ms) {
  const Ledger& ledger = queue.ledger();
  Why why;
  const Item* item = ledger.find(id);
  if (item == nullptr) {
    const Finished* record = ledger.history.find(id);
    why.known = record != nullptr;
    if (record == nullptr) return why;
    why.state = record->state;
    why.cause = record->cause;
    return why;
  }
  why.known = true;
  why.state = item->state;
  why.cause = item->cancelling;
  const LogMs now_ms = std::max(ledger.now_ms, log_ms);
  if (item->state == State::delayed) why.wait_ms = std::max<LogMs>(0, item->due_ms - now_ms);
  if (item->state == State::leased) {
    why.node = ledger.nodes.text(item->worker);
    why.ran_ms = now_ms - item->leased_ms;
    why.lease_ms = ledger.terms(*item).terms.lease_ms;
  }
  for (const WorkId other : item->more().after) why.after[other] = ledger.find(other)->state;
  const auto gang = ledger.gangs.find(item->more().gang);
  if (gang != ledger.gangs.end()) {
    for (const WorkId member : gang->second.members) {
      const State state = ledger.find(member)->state;
      if (state == State::delayed || state == State::dead) why.gang[member] = state;
    }
  }
  const Group& group = ledger.group_of.at(item->group);
  why.group_leased = group.leased;
  why.group_limit = group.limit;
  if (item->state != State::leased) {
    why.ahead = item->state == State::ready ? count_ahead(ledger, *item) : 0;
    count_workers(ledger, *item, drained, why);
  }
  return why;
}

}  // namespace riftbus::work
