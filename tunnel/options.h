// Options: what riftbus-tunnel understands besides the settings that every program shares.
//
//   -R FORWARD, -L FORWARD   as ssh's: --tunnel-reverse and --tunnel-local
//   --check-config           reads everything, reports every mistake, and ends (0, or 78)
//   --show-key               prints the line for the server's authorized_keys; makes the key
//   --status                 prints what the running tunnel does; 0 if all is up, else 1
//   --attach RELAY           what a nat_blocked node carries to a relay of its cluster file
//   --once                   ends at the first failure, with its exit status
//
// Pure: arguments in, options out.
#pragma once

#include <string>
#include <vector>

namespace riftbus::tunnel {

struct Options {
  bool check_config = false;
  bool show_key = false;
  bool status = false;
  bool once = false;
  std::string attach;                 // the relay's id; empty: as the settings say
  std::vector<std::string> settings;  // the arguments for config/flags.h
};
[[nodiscard]] Options take_options(const std::vector<std::string>& arguments);
[[nodiscard]] std::string describe_options();

}  // namespace riftbus::tunnel
