#include "node/work/history.h"

#include <algorithm>

#include "config/check.h"

namespace riftbus::work {

namespace {

constexpr std::uint64_t bit(std::uint64_t place) { return std::uint64_t{1} << place; }

}  // namespace

void History::add(const Finished& record, std::string result) {
  const std::uint64_t number = forgotten_ + records_.size();
  const std::uint64_t place = record.id.value() % kBlockIds;
  Block& block = blocks_[record.id.value() / kBlockIds];
  RIFTBUS_CHECK((block.present & bit(place)) == 0);
  block.present |= bit(place);
  block.numbers[place] = static_cast<std::uint32_t>(number);
  records_.push_back(record);
  if (!result.empty()) results_.push_back({number, std::move(result)});
}

bool History::add_result(std::uint64_t place, std::string result) {
  if (place >= records_.size()) return false;
  const std::uint64_t number = forgotten_ + place;
  if (!results_.empty() && results_.back().number >= number) return false;
  results_.push_back({number, std::move(result)});
  return true;
}

void History::trim(std::size_t records_max, std::size_t results_max) {
  std::size_t budget = kDueMax;
  for (; results_.size() > results_max && budget > 0; --budget) forget_oldest_result();
  for (; records_.size() > records_max && budget > 0; --budget) forget_oldest();
}

void History::forget_oldest() {
  watches_.tell([](RecordWatch& watch) { watch.before_finished_goes(); });
  const WorkId id = records_.front().id;
  const auto block = blocks_.find(id.value() / kBlockIds);
  block->second.present &= ~bit(id.value() % kBlockIds);
  if (block->second.present == 0) blocks_.erase(block);
  if (!results_.empty() && results_.front().number == forgotten_) forget_oldest_result();
  records_.pop_front();
  ++forgotten_;
}

void History::forget_oldest_result() {
  watches_.tell([](RecordWatch& watch) { watch.before_result_goes(); });
  results_.pop_front();
  ++results_forgotten_;
}

std::optional<std::size_t> History::place_of(WorkId id) const {
  const auto found = blocks_.find(id.value() / kBlockIds);
  if (found == blocks_.end()) return std::nullopt;
  const Block& block = found->second;
  const std::uint64_t place = id.value() % kBlockIds;
  if ((block.present & bit(place)) == 0) return std::nullopt;
  return static_cast<std::uint32_t>(block.numbers[place] - static_cast<std::uint32_t>(forgotten_));
}

const Finished* History::find(WorkId id) const {
  const auto place = place_of(id);
  return place ? &records_[*place] : nullptr;
}

const std::string* History::find_result(WorkId id) const {
  const auto place = place_of(id);
  if (!place) return nullptr;
  const std::uint64_t number = forgotten_ + *place;
  const auto at =
      std::lower_bound(results_.begin(), results_.end(), number,
                       [](const Kept& kept, std::uint64_t wanted) { return kept.number < wanted; });
  return at != results_.end() && at->number == number ? &at->result : nullptr;
}

}  // namespace riftbus::work
