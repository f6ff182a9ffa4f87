// Options: what riftbus-relay and its SSH half understand besides the settings that every program
// shares.
//
//   --check-config   reads everything, reports every mistake, and ends (0, or 78)
//   --show-pin       prints the pin of the host key, for the nodes; makes the key
//   --status         prints what the running relay does; 0 if it runs, else 1
//
// Pure: arguments in, options out.
#pragma once

#include <string>
#include <vector>

namespace riftbus::relay {

struct Options {
  bool check_config = false;
  bool show_pin = false;
  bool status = false;
  std::vector<std::string> settings;  // the arguments for config/flags.h
};
[[nodiscard]] Options take_options(const std::vector<std::string>& arguments);
// With the program's name and what it does, in a sentence.
[[nodiscard]] std::string describe_options(const std::string& program, const std::string& purpose);

}  // namespace riftbus::relay
