#include <algorithm>
#include <limits>

#include "node/work/handlers.h"

namespace riftbus::work {

namespace {

// The entry's and the answer's size stay far below a message's: what does not fit waits for the
// next claim.
constexpr std::size_t kGrantBytesMax = 256 * 1024;
constexpr int kAffinityWindow = 16;  // of each class, how many first items may win by their data

// One claim's way through the ready line.
class Chooser {
 public:
  Chooser(const Ledger& ledger, std::uint16_t node, const Worker& worker)
      : ledger_(ledger), node_(node), worker_(worker) {
    const CompiledTerms* terms = nullptr;
    std::uint16_t number = 0;
    bool matches = false;
    for (const auto& [key, line] : ledger.ready.classes()) {
      if (key.terms != number) {  // classes with equal terms are neighbours: match once
        number = key.terms;
        terms = &ledger.terms_of.at(number);
        matches = terms->needs.match(worker.offer);
      }
      if (!matches || !may_take(key)) continue;
      candidates_.push_back({&key, &line, terms, best_of(line)});
    }
  }

  // The next item, or none. It must be granted before next() is called again.
  WorkId next() {
    const Candidate* best = nullptr;
    std::int64_t best_score = 0;
    for (const auto& candidate : candidates_) {
      if (candidate.best.id == WorkId() || !has_room(candidate)) continue;
      const std::int64_t score = candidate.best.score_ms + share_of(*candidate.key);
      if (best == nullptr || score < best_score ||
          (score == best_score && candidate.best.id < best->best.id)) {
        best = &candidate;
        best_score = score;
      }
    }
    taken_ =
        best == nullptr ? candidates_.size() : static_cast<std::size_t>(best - candidates_.data());
    return best == nullptr ? WorkId() : best->best.id;
  }
  // The item is still in its line: call this before it is granted.
  void leave(const Rank& rank) {
    Candidate& candidate = candidates_[taken_];
    candidate.best = best_of(*candidate.line, rank);
  }
  [[nodiscard]] Rank rank_of_taken(const Item& item) const {
    return rank_of(item, ledger_.settings.aging_ms);
  }

 private:
  struct Candidate {
    const ClassKey* key;
    const ReadyLine::Line* line;
    const CompiledTerms* terms;
    Rank best;  // its score with the bonus for data; id 0: the class is exhausted
  };

  [[nodiscard]] bool may_take(const ClassKey& key) const {
    if (!worker_.offer.runs_kind(ledger_.kinds.text(key.kind))) return false;
    if (!std::binary_search(key.excluded.begin(), key.excluded.end(), node_)) return true;
    return !fits_elsewhere(ledger_, key);
  }

  // The first item, or one close behind it whose data lie here. `leaving` is as good as gone.
  [[nodiscard]] Rank best_of(const ReadyLine::Line& line, const Rank& leaving = {}) const {
    Rank best;
    int looked = 0;
    for (const auto& rank : line) {
      if (rank == leaving) continue;
      Rank bonus = rank;
      bonus.score_ms -= data_bonus(rank.id);
      if (best.id == WorkId() || bonus < best) best = bonus;
      if (worker_.offer.data.empty() || ++looked >= kAffinityWindow) break;
    }
    return best;
  }

  [[nodiscard]] std::int64_t data_bonus(WorkId id) const {
    if (worker_.offer.data.empty()) return 0;
    const auto& data = ledger_.find(id)->more().data;
    const auto here = std::count_if(data.begin(), data.end(), [&](const std::string& name) {
      return worker_.offer.has_data(name);
    });
    return here * std::int64_t{ledger_.settings.affinity_ms};
  }

  [[nodiscard]] std::int64_t share_of(const ClassKey& key) const {
    const Group& group = ledger_.group_of.at(key.group);
    return std::int64_t{group.leased} * ledger_.settings.share_ms / group.weight;
  }

  [[nodiscard]] bool has_room(const Candidate& candidate) const {
    const Group& group = ledger_.group_of.at(candidate.key->group);
    if (group.limit != 0 && group.leased >= group.limit) return false;
    return Workers::has_room(worker_, candidate.terms->reserve);
  }

  const Ledger& ledger_;
  std::uint16_t node_;
  const Worker& worker_;
  std::vector<Candidate> candidates_;
  std::size_t taken_ = 0;
};

Grant describe_grant(const Ledger& ledger, const Item& item) {
  Grant grant;
  grant.id = item.id;
  grant.kind = ledger.kinds.text(item.kind);
  grant.payload = item.payload;
  grant.terms = ledger.terms(item).terms;
  grant.attempt = static_cast<std::uint16_t>(item.failures + item.losses + 1);
  grant.percent = item.more().percent;
  grant.checkpoint = item.more().checkpoint;
  grant.gang = item.more().gang;
  if (grant.gang != WorkId()) {
    const Gang& gang = ledger.gangs.at(grant.gang);
    grant.gang_size = gang.size;
    grant.hold = !gang.started;
  }
  return grant;
}

Claimed repeat_answer(const Ledger& ledger, std::uint16_t node, const Answer& answer) {
  Claimed claimed{Outcome::ok, answer.fence, {}};
  for (const WorkId id : answer.ids) {
    const Item* item = ledger.find(id);
    if (item != nullptr && item->state == State::leased && item->fence == answer.fence &&
        item->worker == node) {
      claimed.grants.push_back(describe_grant(ledger, *item));
    } else {
      Grant gone;
      gone.id = id;
      gone.held = false;
      claimed.grants.push_back(gone);
    }
  }
  return claimed;
}

}  // namespace

bool is_fresh(const Ledger& ledger, const Worker& worker) {
  if (worker.away) return false;
  return !worker.leases.empty() ||
         ledger.now_ms - worker.seen_ms <= LogMs{ledger.settings.worker_fresh_ms};
}

bool fits_idle(const CompiledTerms& terms, std::string_view kind, const Offer& offer) {
  if (!offer.runs_kind(kind) || !terms.needs.match(offer)) return false;
  return std::all_of(terms.reserve.begin(), terms.reserve.end(), [&](const Amount& amount) {
    const std::int64_t* total = offer.find_amount(amount.name);
    return total != nullptr && *total >= amount.milli;
  });
}

bool fits_elsewhere(const Ledger& ledger, const ClassKey& key) {
  const CompiledTerms& terms = ledger.terms_of.at(key.terms);
  const auto kind = ledger.kinds.text(key.kind);
  for (const auto& [node, worker] : ledger.workers.all()) {
    if (std::binary_search(key.excluded.begin(), key.excluded.end(), node)) continue;
    if (is_fresh(ledger, worker) && fits_idle(terms, kind, worker.offer)) return true;
  }
  return false;
}

Claimed handle(Ledger& ledger, const Stamp& stamp, const Claim& command) {
  const auto node = static_cast<std::uint16_t>(ledger.nodes.intern(command.worker.value()));
  Worker* worker = node == 0 ? nullptr : ledger.workers.admit(node);
  if (worker == nullptr) return {Outcome::too_many, {}, {}};
  if (worker->instance == Instance()) worker->instance = command.instance;
  if (worker->instance != command.instance) return {Outcome::superseded, {}, {}};
  if (const Answer* known = Workers::find_answer(*worker, command.request)) {
    return repeat_answer(ledger, node, *known);
  }
  if (!worker->answers.empty() && command.request < worker->answers.back().request) {
    return {Outcome::old_request, {}, {}};
  }
  worker->seen_ms = ledger.now_ms;
  worker->away = false;
  worker->offer = command.offer;
  worker->offer.normalize();

  Claimed claimed{Outcome::ok, ledger.make_fence(stamp.index), {}};
  Answer answer{command.request, claimed.fence, {}};
  Chooser choice(ledger, node, *worker);
  std::size_t bytes = 0;
  while (answer.ids.size() < std::min<std::size_t>(command.max, kClaimMax)) {
    const WorkId id = choice.next();
    if (id == WorkId()) break;
    Item& item = *ledger.find(id);
    bytes += item.payload.size() + item.more().checkpoint.size();
    if (bytes > kGrantBytesMax && !answer.ids.empty()) break;
    choice.leave(choice.rank_of_taken(item));
    ledger.grant(item, node, claimed.fence);
    answer.ids.push_back(id);
  }
  for (const WorkId id : answer.ids) {
    claimed.grants.push_back(describe_grant(ledger, *ledger.find(id)));
  }
  Workers::remember(*worker, std::move(answer));
  return claimed;
}

}  // namespace riftbus::work
