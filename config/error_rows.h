// The rows of the error catalogue, in files small enough to read: error_catalog.h joins them.
#pragma once

#include <span>

#include "config/error_catalog.h"

namespace riftbus {

[[nodiscard]] std::span<const CatalogEntry> error_rows_below_1500();
[[nodiscard]] std::span<const CatalogEntry> error_rows_from_1500();

}  // namespace riftbus
