// Program: other programs of the family, run in place of this one, as git runs git-NAME.
//
// riftbus-NAME is looked for beside this program first, so that a build tree or an unpacked archive
// works without installation, and then on PATH.
#pragma once

#include <string>
#include <vector>

#include "config/result.h"

namespace riftbus::ctl {

// The path of riftbus-NAME, or empty.
[[nodiscard]] std::string find_program(const std::string& name, const std::string& path_list);
// Becomes that program; returns only the Error (1512) that prevented it.
[[nodiscard]] Error execute_program(const std::string& path,
                                    const std::vector<std::string>& arguments);

}  // namespace riftbus::ctl
