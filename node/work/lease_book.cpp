#include "node/work/lease_book.h"

#include <algorithm>
#include <optional>

#include "node/work/handlers.h"

namespace riftbus::work {

namespace {

constexpr std::size_t kExpireMax = 128;  // leases in one command

Nanos length_of(const Ledger& ledger, const Item& item) {
  return Millis(ledger.terms(item).terms.lease_ms);
}

Order order_for(const Ledger& ledger, const Item& item) {
  if (item.cancelling != Cause::none) return Order::cancel;
  if (item.preempting) return Order::preempt;
  const auto gang = ledger.gangs.find(item.more().gang);
  const bool waits = gang != ledger.gangs.end() && !gang->second.started;
  return waits ? Order::wait : Order::go_on;
}

}  // namespace

void LeaseBook::begin(const WorkQueue& queue, std::uint64_t term, TimePoint now) {
  end();
  open_ = true;
  term_ = term;
  for (const auto& [node, worker] : queue.ledger().workers.all()) {
    for (const WorkId id : worker.leases) {
      const Item& item = *queue.ledger().find(id);
      start(item, length_of(queue.ledger(), item), now);
    }
  }
}

void LeaseBook::end() {
  open_ = false;
  leases_.clear();
  due_.clear();
}

LeaseBook::Lease& LeaseBook::start(const Item& item, Nanos length, TimePoint now) {
  drop(item.id);
  Lease& lease = leases_[item.id];
  lease.fence = item.fence;
  lease.until = now + length;
  lease.logged = item.more().checkpoint;
  due_.emplace(lease.until, item.id);
  return lease;
}

void LeaseBook::drop(WorkId id) {
  const auto at = leases_.find(id);
  if (at == leases_.end()) return;
  due_.erase({at->second.until, id});
  leases_.erase(at);
}

void LeaseBook::applied(const WorkQueue& queue, const Reply& reply, TimePoint now) {
  if (!open_) return;
  if (const auto* claimed = std::get_if<Claimed>(&reply)) begin_granted(queue, *claimed, now);
  const auto* verdicts = std::get_if<Verdicts>(&reply);
  if (verdicts == nullptr) return;
  for (const auto& judged : verdicts->works) {
    const auto known = leases_.find(judged.id);
    if (known == leases_.end()) continue;
    const Item* item = queue.ledger().find(judged.id);
    if (item == nullptr || item->fence != known->second.fence) drop(judged.id);
  }
}

void LeaseBook::begin_granted(const WorkQueue& queue, const Claimed& claimed, TimePoint now) {
  for (const auto& grant : claimed.grants) {
    const Item* item = queue.ledger().find(grant.id);
    if (item == nullptr || item->state != State::leased) continue;
    const auto known = leases_.find(grant.id);
    // A repeated answer is not a renewal: its claim was first sent long ago.
    if (known != leases_.end() && known->second.fence == item->fence) continue;
    start(*item, length_of(queue.ledger(), *item), now);
  }
}

std::vector<RenewedAnswer> LeaseBook::renew(const WorkQueue& queue, const Renewal& renewal,
                                            TimePoint now) {
  std::vector<RenewedAnswer> answers;
  if (!open_) return answers;
  const Ledger& ledger = queue.ledger();
  const auto node = static_cast<std::uint16_t>(ledger.nodes.find(renewal.worker.value()));
  for (const auto& work : renewal.works) {
    RenewedAnswer answer{judge(ledger, node, work.hold, Ending::none), Order::go_on};
    const auto known = leases_.find(work.hold.id);
    const bool ending =
        known != leases_.end() && known->second.ending && known->second.fence == work.hold.fence;
    if (ending) answer.judged.outcome = Outcome::stale;
    if (answer.judged.outcome == Outcome::ok) {
      const Item& item = *ledger.find(work.hold.id);
      std::optional<Lease> kept;
      if (known != leases_.end() && known->second.fence == item.fence) kept = known->second;
      Lease& lease = start(item, length_of(ledger, item), now);
      lease.percent = std::max(kept ? kept->percent : std::uint8_t{0}, work.percent);
      lease.checkpoint = work.checkpoint;
      if (kept && work.checkpoint.empty()) {
        lease.checkpoint = std::move(kept->checkpoint);
        lease.logged = std::move(kept->logged);
      }
      answer.order = order_for(ledger, item);
    }
    answers.push_back(answer);
  }
  return answers;
}

Return LeaseBook::propose_end(const Item& item, Lease& lease) {
  due_.erase({lease.until, item.id});
  lease.ending = true;
  const Hold hold{item.id, lease.fence};
  const bool is_old = item.more().checkpoint != lease.logged;
  if (is_old) return {hold, 0, std::max(lease.percent, item.more().percent), ""};
  return {hold, 0, lease.percent, lease.checkpoint};
}

// Checkpoints make Expire commands large, and one that the log refused would never be said again:
// none is longer than kCommandBytesAim.
std::vector<Expire> LeaseBook::pack(std::vector<Return> works, Lapse lapse) const {
  std::vector<Expire> commands;
  std::size_t bytes = 0;
  for (Return& work : works) {
    const std::size_t more = work.checkpoint.size() + kElementOverheadBytes;
    const bool fits = !commands.empty() && commands.back().works.size() < kExpireMax &&
                      bytes + more <= kCommandBytesAim;
    if (!fits) {
      commands.push_back({term_, lapse, {}});
      bytes = kElementOverheadBytes;  // its own head
    }
    bytes += more;
    commands.back().works.push_back(std::move(work));
  }
  return commands;
}

std::vector<Expire> LeaseBook::expire(const WorkQueue& queue, TimePoint now) {
  std::vector<Return> works;
  while (!due_.empty() && due_.begin()->first <= now) {
    const WorkId id = due_.begin()->second;
    const Item* item = queue.ledger().find(id);
    Lease& lease = leases_.at(id);
    if (item != nullptr && item->state == State::leased && item->fence == lease.fence) {
      works.push_back(propose_end(*item, lease));
    } else {
      drop(id);  // it ended otherwise in the meantime
    }
  }
  // Those that were proposed and have ended are forgotten with the next round.
  for (auto at = leases_.begin(); !works.empty() && at != leases_.end();) {
    const Item* item = queue.ledger().find(at->first);
    const bool over = item == nullptr || item->fence != at->second.fence;
    if (over) due_.erase({at->second.until, at->first});
    at = over ? leases_.erase(at) : std::next(at);
  }
  return pack(std::move(works), Lapse::silence);
}

std::vector<Expire> LeaseBook::expire_worker(const WorkQueue& queue, const NodeId& worker,
                                             Lapse lapse) {
  const Ledger& ledger = queue.ledger();
  const auto node = static_cast<std::uint16_t>(ledger.nodes.find(worker.value()));
  const Worker* known = ledger.workers.find(node);
  if (!open_ || known == nullptr) return {};
  std::vector<Return> works;
  for (const WorkId id : known->leases) {
    const Item& item = *ledger.find(id);
    if (lapse == Lapse::dead && !ledger.terms(item).terms.overlap_ok) continue;
    const auto lease = leases_.find(id);
    if (lease == leases_.end() || lease->second.ending) continue;
    works.push_back(propose_end(item, lease->second));
  }
  return pack(std::move(works), lapse);
}

TimePoint LeaseBook::next_deadline() const {
  return due_.empty() ? TimePoint::max() : due_.begin()->first;
}

}  // namespace riftbus::work
