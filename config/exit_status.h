// Exit statuses: what the operator's programs end with, one table for all of them.
//
// They follow sysexits.h, so that scripts can tell "the cluster is degraded" (1) from "you
// mistyped" (64) and from "try again" (75). Which error gives which status is decided by its code
// alone.
#pragma once

#include "config/result.h"

namespace riftbus {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFalse = 1;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitData = 65;
inline constexpr int kExitUnavailable = 69;
inline constexpr int kExitBug = 70;
inline constexpr int kExitTemporary = 75;
inline constexpr int kExitRefused = 77;
inline constexpr int kExitConfig = 78;

[[nodiscard]] int exit_status_of(const Error& error);

}  // namespace riftbus
