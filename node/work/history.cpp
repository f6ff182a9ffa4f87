#include "node/work/history.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::work {

namespace {

std::uint64_t block_of(WorkId id) { return id.value() >> History::kBlockBits; }

template <class Records>
auto find_place(Records& records, WorkId id) {
  return std::lower_bound(records.begin(), records.end(), id,
                          [](const Finished& record, WorkId wanted) { return record.id < wanted; });
}

}  // namespace

void History::add(const Finished& record, std::string result) {
  auto& block = blocks_[block_of(record.id)];
  const auto place = find_place(block, record.id);
  RIFTBUS_CHECK(place == block.end() || place->id != record.id);
  block.insert(place, record);
  order_.push_back(record.id);
  if (result.empty()) return;
  results_.emplace(record.id, std::move(result));
  results_order_.push_back(record.id);
}

void History::trim(std::size_t records_max, std::size_t results_max) {
  std::size_t budget = kDueMax;
  for (; results_.size() > results_max && budget > 0; --budget) {
    forget_result(results_order_.front());
  }
  for (; order_.size() > records_max && budget > 0; --budget) forget_oldest();
}

void History::forget_oldest() {
  watches_.tell([](RecordWatch& watch) { watch.before_finished_goes(); });
  const WorkId id = order_.front();
  order_.pop_front();
  ++forgotten_;
  const auto block = blocks_.find(block_of(id));
  block->second.erase(find_place(block->second, id));
  if (block->second.empty()) blocks_.erase(block);
  // Results stand in the same order, so the oldest record's result is the oldest result.
  if (!results_order_.empty() && results_order_.front() == id) forget_result(id);
}

// Of the oldest that has one.
void History::forget_result(WorkId id) {
  const auto at = results_.find(id);
  watches_.tell([&](RecordWatch& watch) { watch.before_result_goes(id, at->second); });
  results_.erase(at);
  results_order_.pop_front();
}

const Finished* History::find(WorkId id) const {
  const auto block = blocks_.find(block_of(id));
  if (block == blocks_.end()) return nullptr;
  const auto place = find_place(block->second, id);
  return place != block->second.end() && place->id == id ? &*place : nullptr;
}

const std::string* History::find_result(WorkId id) const {
  const auto at = results_.find(id);
  return at == results_.end() ? nullptr : &at->second;
}

}  // namespace riftbus::work
