#include "node/replica/parking.h"

#include <algorithm>

#include "node/work/handlers.h"

namespace riftbus::replica {

namespace {

const work::Claim& claim_of(const Parked& parked) {
  return std::get<work::Claim>(parked.submit.command);
}

// The queue must hear of this claim, whatever it can give: the worker is new, was silent for so
// long that it soon counts no more, offers something else, or asks about an earlier answer.
bool is_news(const work::Ledger& ledger, const work::Worker& worker, const work::Claim& claim,
             const work::Offer& offer) {
  if (worker.instance != claim.instance || worker.away || worker.offer != offer) return true;
  if (ledger.now_ms - worker.seen_ms > work::LogMs{ledger.settings.worker_fresh_ms} / 2)
    return true;
  return !worker.answers.empty() && claim.request <= worker.answers.back().request;
}

bool fits(const work::Ledger& ledger, const work::ClassKey& key, std::uint16_t node,
          const work::Worker& worker) {
  if (!worker.offer.runs_kind(ledger.kinds.text(key.kind))) return false;
  const auto& terms = ledger.terms_of.at(key.terms);
  if (!terms.needs.match(worker.offer)) return false;
  if (!work::Workers::has_room(worker, terms.reserve)) return false;
  const auto& group = ledger.group_of.at(key.group);
  if (group.limit != 0 && group.leased >= group.limit) return false;
  return !std::binary_search(key.excluded.begin(), key.excluded.end(), node) ||
         !work::fits_elsewhere(ledger, key);
}

}  // namespace

bool may_be_granted(const work::WorkQueue& queue, const work::Claim& claim, bool was_answered) {
  const work::Ledger& ledger = queue.ledger();
  const auto node = static_cast<std::uint16_t>(ledger.nodes.find(claim.worker.value()));
  const work::Worker* worker = ledger.workers.find(node);
  if (worker == nullptr) return true;
  if (!was_answered) {
    work::Offer offer = claim.offer;
    offer.normalize();
    if (is_news(ledger, *worker, claim, offer)) return true;
  }
  return std::any_of(ledger.ready.classes().begin(), ledger.ready.classes().end(),
                     [&](const auto& line) { return fits(ledger, line.first, node, *worker); });
}

std::optional<Parked> Parking::park(Parked parked) {
  std::optional<Parked> gone;
  const NodeId& worker = claim_of(parked).worker;
  if (const auto known = by_worker_.find(worker); known != by_worker_.end()) {
    gone = take(parked_.find(known->second));
  }
  const Place place = next_++;
  by_worker_[worker] = place;
  deadlines_.emplace(parked.until, place);
  parked_.emplace(place, std::move(parked));
  return gone;
}

Parked Parking::take(std::map<Place, Parked>::iterator at) {
  Parked parked = std::move(at->second);
  by_worker_.erase(claim_of(parked).worker);
  deadlines_.erase({parked.until, at->first});
  parked_.erase(at);
  return parked;
}

bool Parking::forget(Ticket ticket) {
  const auto at = std::find_if(parked_.begin(), parked_.end(),
                               [&](const auto& one) { return one.second.submit.ticket == ticket; });
  if (at == parked_.end()) return false;
  take(at);
  return true;
}

std::vector<Parked> Parking::expire(TimePoint now) {
  std::vector<Parked> over;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    over.push_back(take(parked_.find(deadlines_.begin()->second)));
  }
  return over;
}

std::vector<Parked> Parking::take_all() {
  std::vector<Parked> all;
  while (!parked_.empty()) all.push_back(take(parked_.begin()));
  return all;
}

std::vector<Parked> Parking::wake(const work::WorkQueue& queue, std::size_t limit,
                                  std::size_t looks, bool& all) {
  std::vector<Parked> woken;
  auto at = parked_.upper_bound(looked_);
  for (; at != parked_.end() && looks > 0 && woken.size() < limit; --looks) {
    const auto one = at++;
    looked_ = one->first;
    if (may_be_granted(queue, claim_of(one->second), one->second.granted_nothing.has_value()))
      woken.push_back(take(one));
  }
  all = at == parked_.end();
  return woken;
}

TimePoint Parking::next_deadline() const {
  return deadlines_.empty() ? TimePoint::max() : deadlines_.begin()->first;
}

}  // namespace riftbus::replica
