// Reports: what `riftbus config check` and `riftbus config show --effective` print.
//
// Both come as text for people and as JSON with "schema": 1 for scripts; the command only prints.
// JSON keys never change their meaning within a schema number.
//
// check_config_text() is pure; check_config_files() reads the files.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/effective.h"
#include "config/yaml.h"

namespace riftbus {

struct ConfigReport {
  std::string text;     // lines, each with its line feed
  nlohmann::json json;  // {"schema": 1, ...}
  int exit_code = 0;    // 0: no errors (warnings are fine); 78: errors (sysexits' EX_CONFIG)
};

// One file as it was found.
struct CheckedFile {
  std::string path;
  std::optional<FileKind> kind;
  std::size_t nodes = 0;     // cluster files
  std::size_t voters = 0;    // cluster files
  std::size_t settings = 0;  // node files: settings understood
  std::size_t jobs = 0;      // cluster files: kinds of jobs
};

// Checks one text of the given kind, or of the kind its content shows.
[[nodiscard]] CheckedFile check_config_text(std::string_view text, const std::string& path,
                                            std::optional<FileKind> kind, Diagnostics& diagnostics);

// `riftbus config check [--format KIND] FILE...`. All problems of all files.
[[nodiscard]] ConfigReport check_config_files(const std::vector<std::string>& paths,
                                              std::optional<FileKind> kind);

// `riftbus config show --effective`, with the problems found on the way.
[[nodiscard]] ConfigReport show_config(const EffectiveConfig& effective,
                                       const Diagnostics& diagnostics);

}  // namespace riftbus
