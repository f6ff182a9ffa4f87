#include "node/work/ready.h"

#include "config/check.h"

namespace riftbus::work {

void ReadyLine::insert(const Item& item, std::uint32_t aging_ms) {
  Line& line = classes_[class_of(item)];
  const std::size_t before = line.size();
  line.insert(line.end(), rank_of(item, aging_ms));  // mostly the youngest
  RIFTBUS_CHECK(line.size() == before + 1);
  ++size_;
}

void ReadyLine::erase(const Item& item, std::uint32_t aging_ms) {
  const auto at = classes_.find(class_of(item));
  RIFTBUS_CHECK(at != classes_.end());
  RIFTBUS_CHECK(at->second.erase(rank_of(item, aging_ms)) == 1);
  if (at->second.empty()) classes_.erase(at);
  --size_;
}

}  // namespace riftbus::work
