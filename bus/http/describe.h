// The routes, written down: for programs as an OpenAPI 3.0 document, for people as a table.
//
// Both come from the route table alone. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bus/http/router.h"

namespace riftbus::http {

// /openapi.json. `version`: of the program.
[[nodiscard]] std::string openapi_document(std::span<const Route> routes, std::string_view version);

// A Markdown table, one row per route: what a README shows.
[[nodiscard]] std::string reference_table(std::span<const Route> routes);

}  // namespace riftbus::http
