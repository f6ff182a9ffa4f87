// Completion: what may stand at the end of a line, from the command table.
//
// The shells' scripts ask `riftbus __complete WORD...`, where the last word is the unfinished one.
// Each line of the answer is one word; a line that begins with ':' tells the shell to offer files
// (":file") or directories (":directory") itself. Node ids come from the operator's roster and
// cluster file: no node is asked while somebody types.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace riftbus::ctl {

// `ids`: the node ids to offer. Pure.
[[nodiscard]] std::vector<std::string> complete_line(const std::vector<std::string>& words,
                                                     const std::vector<std::string>& ids);
// Empty: no script for this shell.
[[nodiscard]] std::string completion_script(std::string_view shell);
[[nodiscard]] std::vector<std::string_view> known_shells();

}  // namespace riftbus::ctl
