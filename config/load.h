// Reading configuration files from disk, bounded.
//
// The one file of config/ that touches the disk. A path that is not a regular file (a pipe that
// never ends, a directory) is refused before it is read, and so is anything above 1 MiB.
// Blocking; not for the loop thread of a running daemon.
#pragma once

#include <string>

#include "config/result.h"

namespace riftbus {

// The whole file. 1002: missing, not a regular file, not readable; 1004: too large.
[[nodiscard]] Result<std::string> read_config_file(const std::string& path);
[[nodiscard]] bool file_exists(const std::string& path);

}  // namespace riftbus
