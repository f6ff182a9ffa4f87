// Assignments: NAME=VALUE pairs from the environment, a node file or the command line, turned into
// settings.
//
// One setting has many names by now; this is where they meet. Names are tried in the table's
// order. A list given under several names is united (seeds from P2P_SEEDS and COORDINATOR_URL are
// all worth a knock); for anything else the first name wins and a disagreement is a warning.
//
// Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "config/diagnostic.h"
#include "config/settings.h"

namespace riftbus {

struct Assignment {
  std::string name;
  std::string value;
  SourcePlace where;
};

// Which of a setting's names count here.
using NamesOf = std::vector<std::string> (*)(const SettingSpec&);

// Settings found, in table order. Names that belong to no setting are left to the caller.
[[nodiscard]] std::vector<SettingInput> interpret_assignments(
    std::span<const Assignment> assignments, NamesOf names_of, Diagnostics& diagnostics);

}  // namespace riftbus
