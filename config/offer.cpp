#include "config/offer.h"

#include <algorithm>

namespace riftbus::work {

namespace {

void sort_unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::binary_search(names.begin(), names.end(), name, std::less<>());
}

}  // namespace

void Offer::normalize() {
  for (auto& amount : amounts) {
    amount.milli = std::clamp<std::int64_t>(amount.milli, 0, kAmountMax);
  }
  std::sort(amounts.begin(), amounts.end());
  const auto same = [](const Amount& a, const Amount& b) { return a.name == b.name; };
  amounts.erase(std::unique(amounts.begin(), amounts.end(), same), amounts.end());
  sort_unique(tags);
  sort_unique(data);
  sort_unique(kinds);
}

const std::int64_t* Offer::find_amount(std::string_view name) const {
  const auto at =
      std::lower_bound(amounts.begin(), amounts.end(), name,
                       [](const Amount& a, std::string_view wanted) { return a.name < wanted; });
  return at != amounts.end() && at->name == name ? &at->milli : nullptr;
}

bool Offer::has_tag(std::string_view tag) const { return contains(tags, tag); }
bool Offer::has_data(std::string_view name) const { return contains(data, name); }
bool Offer::runs_kind(std::string_view kind) const {
  return kinds.empty() || contains(kinds, kind);
}

bool is_counted(std::string_view name) {
  return std::find(kCounted.begin(), kCounted.end(), name) != kCounted.end();
}

}  // namespace riftbus::work
