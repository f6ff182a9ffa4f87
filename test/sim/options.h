// What riftbus-sim was asked for on its command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace riftbus::sim {

struct Options {
  std::string command = "run";         // run, report, script, list
  std::vector<std::string> scenarios;  // names, "fast" or "all"
  std::uint64_t seed_first = 1;
  std::uint64_t seed_last = 1;
  std::uint64_t seeds_env = 0;  // RIFTBUS_SIM_SEEDS, divided by this, replaces seed_last; 0: no
  std::optional<std::size_t> nodes;
  std::optional<double> minutes;
  unsigned jobs = 1;
  std::string json;       // file
  std::size_t tail = 40;  // trace lines under a failure
  bool trace = false;     // print the whole trace
  bool rewrite = false;   // golden scripts
  bool quiet = false;
  bool until_failure = false;  // the first one ends the run
  std::vector<std::size_t> sizes = {50, 200, 1000};
  std::vector<std::string> files;
  std::string problem;  // why the command line cannot be used; empty: it can
};

[[nodiscard]] Options parse_options(const std::vector<std::string>& arguments);
[[nodiscard]] const char* usage();

}  // namespace riftbus::sim
