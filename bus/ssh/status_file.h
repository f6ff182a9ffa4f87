// A program's status as a JSON file that others read: replaced as a whole, so that a reader never
// sees half of one, and not synced, since it tells nothing that matters after a crash.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/result.h"

namespace riftbus::ssh {

// 1805.
[[nodiscard]] Status write_status(const std::string& path, const nlohmann::json& status);

}  // namespace riftbus::ssh
