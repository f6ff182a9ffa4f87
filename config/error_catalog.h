// The error catalogue: every code that Riftbus can show, with its cause and the next step.
//
// An operator who reads "F-1203" in a log at night asks `riftbus explain F-1203`, and this table
// answers. It is data, so that a test can check it: codes are unique and ascending, and no text is
// empty. A code never changes its meaning once released; a retired one keeps its row.
//
// Ranges: 1000 identities and configuration, 1100 keys, roster and security, 1200 membership,
// 1300 bus, wire and transport, 1400 disk and cache, 1500 CLI and tap, 1600 daemon start-up,
// 1700 log of a voter, 1740 work queue, 1800 tunnel, 1830 relay.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace riftbus {

struct CatalogEntry {
  std::uint16_t code;
  std::string_view title;  // what happened, in a few words
  std::string_view cause;  // the usual reasons
  std::string_view next;   // what to do
};

// Ascending by code.
[[nodiscard]] std::span<const CatalogEntry> error_catalog();
// nullptr: no such code.
[[nodiscard]] const CatalogEntry* find_error(std::uint16_t code);

}  // namespace riftbus
