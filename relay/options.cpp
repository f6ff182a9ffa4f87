#include "relay/options.h"

#include <array>
#include <string_view>

#include "config/flags.h"

namespace riftbus::relay {

namespace {

constexpr std::array<std::string_view, 5> kSections{"relay.", "node.id", "paths.", "log.",
                                                    "cluster"};

}  // namespace

Options take_options(const std::vector<std::string>& arguments) {
  Options options;
  for (const auto& argument : arguments) {
    if (argument == "--check-config") {
      options.check_config = true;
    } else if (argument == "--show-pin") {
      options.show_pin = true;
    } else if (argument == "--status") {
      options.status = true;
    } else {
      options.settings.push_back(argument);
    }
  }
  return options;
}

std::string describe_options(const std::string& program, const std::string& purpose) {
  return program + ": " + purpose + "\n  " + program +
         " --data-dir /var/lib/riftbus --relay-socket-dir /run/riftbus/relay\n"
         "\n"
         "  --check-config       report every mistake and end: 0, or 78\n"
         "  --show-pin           print the pin of the host key, for the nodes' tunnel.servers\n"
         "  --status             print what the running relay does: 0 if it runs, else 1\n"
         "  --version\n"
         "\n" +
         describe_flags(kSections);
}

}  // namespace riftbus::relay
