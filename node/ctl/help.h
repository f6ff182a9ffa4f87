// Help and man pages, written from the command table.
//
// Man pages are given as scdoc source; packaging runs scdoc. riftbus(1) is the overview, and each
// visible command has a page of its own, riftbus-node-list(1).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "node/ctl/command.h"

namespace riftbus::ctl {

// "riftbus node show [OPTIONS] ID"
[[nodiscard]] std::string usage_line(const Command& command);
// "-o, --output=FORMAT"
[[nodiscard]] std::string option_text(const Option& option);
// The options that `command` understands beside its own: not every one makes sense everywhere.
[[nodiscard]] std::vector<const Option*> shared_options(const Command& command);

[[nodiscard]] std::string overview_help();
[[nodiscard]] std::string command_help(const Command& command);
// All verbs of a noun: `riftbus node --help`.
[[nodiscard]] std::string noun_help(std::string_view noun);

// "riftbus", "riftbus-node-list", ...
[[nodiscard]] std::vector<std::string> man_pages();
// Empty: no such page.
[[nodiscard]] std::string man_source(std::string_view page);

}  // namespace riftbus::ctl
