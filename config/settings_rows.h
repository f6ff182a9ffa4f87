// The tables behind setting_specs(), by who reads the values. Only config/settings.cpp needs this.
#pragma once

#include <span>

#include "config/settings.h"

namespace riftbus {

// Of the daemon, and of every program that shares its files.
[[nodiscard]] std::span<const SettingSpec> daemon_setting_rows();
// `leadership:`
[[nodiscard]] std::span<const SettingSpec> leadership_setting_rows();
// `http:`
[[nodiscard]] std::span<const SettingSpec> http_setting_rows();
// `tunnel:`, read by riftbus-tunnel.
[[nodiscard]] std::span<const SettingSpec> tunnel_setting_rows();
// `relay:`, read by riftbus-relay and its SSH half.
[[nodiscard]] std::span<const SettingSpec> relay_setting_rows();

}  // namespace riftbus
