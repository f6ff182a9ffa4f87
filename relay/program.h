// Program: what the programs of a relay have in common before and around their work: options,
// settings, the log, and how an error ends them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "config/result.h"

namespace riftbus::relay {

struct Program {
  using Act = std::function<Status(const NodeSettings& settings)>;
  std::string name;
  std::string purpose;  // in a sentence
  Act run;              // with the log set up
  // --check-config after the settings were found right, --show-pin, --status.
  Act check_config;
  Act show_pin;
  std::function<Result<bool>(const NodeSettings& settings)> show_status;  // it runs
};
// The exit status.
[[nodiscard]] int run_program(const Program& program, const std::vector<std::string>& arguments);

}  // namespace riftbus::relay
