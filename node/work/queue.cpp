#include "node/work/queue.h"

#include <algorithm>

#include "config/check.h"
#include "node/work/handlers.h"

namespace riftbus::work {

WorkQueue::WorkQueue() : ledger_(std::make_unique<Ledger>()) {}
WorkQueue::WorkQueue(std::unique_ptr<Ledger> ledger) : ledger_(std::move(ledger)) {}
WorkQueue::~WorkQueue() = default;
WorkQueue::WorkQueue(WorkQueue&&) noexcept = default;
WorkQueue& WorkQueue::operator=(WorkQueue&&) noexcept = default;

Reply WorkQueue::apply(const Stamp& stamp, Command&& command) {
  Ledger& ledger = *ledger_;
  RIFTBUS_CHECK(stamp.index > ledger.applied_index);
  RIFTBUS_CHECK(stamp.index >> kFenceIndexBits == 0);
  ledger.applied_index = stamp.index;
  ledger.now_ms = std::max(ledger.now_ms, stamp.now_ms);
  ledger.fire_due();
  return std::visit([&](auto& body) -> Reply { return handle(ledger, stamp, body); }, command);
}

LogMs WorkQueue::next_due_ms() const { return ledger_->next_due_ms(); }
std::uint64_t WorkQueue::applied_index() const { return ledger_->applied_index; }

}  // namespace riftbus::work
