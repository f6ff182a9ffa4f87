// The errors of a log store, in one voice: what is wrong, in which file and record, what to do.
//
// Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/result.h"

namespace riftbus::disk {

inline constexpr std::uint16_t kStoreNotOpened = 1700;
inline constexpr std::uint16_t kStoreInUse = 1701;
inline constexpr std::uint16_t kStoreOfAnother = 1702;
inline constexpr std::uint16_t kStoreOfLaterVersion = 1703;
inline constexpr std::uint16_t kRecordDamaged = 1704;
inline constexpr std::uint16_t kLogHasGap = 1705;
inline constexpr std::uint16_t kLogLostItsEnd = 1706;
inline constexpr std::uint16_t kStoreIncomplete = 1707;
inline constexpr std::uint16_t kWriteFailed = 1708;
inline constexpr std::uint16_t kDiskFull = 1709;
inline constexpr std::uint16_t kDatabaseDamaged = 1711;

// Of what was found damaged or missing: the voter must be replaced.
[[nodiscard]] Error lost_log(std::uint16_t code, std::string what, std::string where);
[[nodiscard]] Error foreign_log(std::string where);
[[nodiscard]] Error log_in_use(std::string where);
// `reason`: an errno.
[[nodiscard]] Error system_failure(std::uint16_t code, std::string_view what, std::string where,
                                   int reason);
// `code` and `extended`: of SQLite.
[[nodiscard]] Error database_failure(int code, int extended, std::string_view message,
                                     std::string where);

}  // namespace riftbus::disk
