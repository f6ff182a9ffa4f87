// The node daemon's command line.
//
// Every row of the settings table has a flag; the former orchestrator's flags are synonyms, and
// those of its flags that mean nothing here are accepted with a note, so that existing unit files
// start. Flags are never abbreviated (Boost's guessing is off): an abbreviation that works today
// breaks when a flag is added.
//
// Pure: arguments in, settings out.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/cluster.h"
#include "config/diagnostic.h"

namespace riftbus {

struct ParsedFlags {
  std::vector<SettingInput> settings;
  std::string config;     // --config FILE: the cluster file
  std::string node_conf;  // --node-conf FILE
  bool wants_help = false;
  bool wants_version = false;
};

// `arguments` without argv[0].
[[nodiscard]] ParsedFlags parse_flags(const std::vector<std::string>& arguments,
                                      Diagnostics& diagnostics);

// What --help prints: every flag, its environment name, unit and default. With `sections`, only
// the settings whose key begins with one of them ("log.", "node.id").
[[nodiscard]] std::string describe_flags(std::span<const std::string_view> sections = {});

}  // namespace riftbus
