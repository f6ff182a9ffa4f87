// riftbus-tap: shows the messages of a running cluster. `riftbus tap` executes it.
#include <iostream>

#include "bus/tap/run.h"

int main(int argc, char** argv) {
  namespace tap = riftbus::tap;
  const auto options = tap::parse_options({argv + 1, argv + argc});
  if (!options.ok()) return tap::report(options.error(), std::cerr);
  if (options->wants_help) {
    std::cout << tap::describe_options();
    return 0;
  }
  if (options->wants_version) {
    std::cout << "riftbus-tap " RIFTBUS_VERSION "\n";
    return 0;
  }
  const tap::StopSignals stop;
  if (!options->read.empty()) return tap::run_recorded(*options, std::cout, std::cerr);
  return tap::run_live(*options, riftbus::copy_environment(), stop, std::cout, std::cerr);
}
