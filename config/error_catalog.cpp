#include "config/error_catalog.h"

#include <algorithm>
#include <vector>

#include "config/error_rows.h"

namespace riftbus {

// The rows stand in error_rows_*.cpp.
std::span<const CatalogEntry> error_catalog() {
  static const std::vector<CatalogEntry> kAll = [] {
    const auto low = error_rows_below_1500();
    const auto high = error_rows_from_1500();
    std::vector<CatalogEntry> rows(low.begin(), low.end());
    rows.insert(rows.end(), high.begin(), high.end());
    return rows;
  }();
  return kAll;
}

const CatalogEntry* find_error(std::uint16_t code) {
  const auto rows = error_catalog();
  const auto found = std::lower_bound(
      rows.begin(), rows.end(), code,
      [](const CatalogEntry& entry, std::uint16_t wanted) { return entry.code < wanted; });
  return found != rows.end() && found->code == code ? &*found : nullptr;
}

}  // namespace riftbus
