#include "tunnel/options.h"

#include <array>
#include <string_view>
#include <utility>

#include "config/flags.h"

namespace riftbus::tunnel {

namespace {

constexpr std::array<std::string_view, 5> kSections{"tunnel.", "node.id", "paths.", "log.",
                                                    "cluster"};

}  // namespace

Options take_options(const std::vector<std::string>& arguments) {
  Options options;
  bool names_relay = false;
  for (const auto& argument : arguments) {
    if (std::exchange(names_relay, false)) {
      options.attach = argument;
    } else if (argument == "--attach") {
      names_relay = true;
    } else if (argument == "--check-config") {
      options.check_config = true;
    } else if (argument == "--show-key") {
      options.show_key = true;
    } else if (argument == "--status") {
      options.status = true;
    } else if (argument == "--once") {
      options.once = true;
    } else if (argument.starts_with("-R") || argument.starts_with("-L")) {
      options.settings.emplace_back(argument[1] == 'R' ? "--tunnel-reverse" : "--tunnel-local");
      if (argument.size() > 2) options.settings.push_back(argument.substr(2));
    } else {
      options.settings.push_back(argument);
    }
  }
  return options;
}

std::string describe_options() {
  return "riftbus-tunnel: keeps SSH forwards to a server alive\n"
         "  riftbus-tunnel --tunnel-servers mesh@192.0.2.24:22#SHA256:PIN -R 21017:127.0.0.1:7770\n"
         "\n"
         "  -R FORWARD           as ssh's: a listener at the server that leads here\n"
         "  -L FORWARD           as ssh's: a listener here that leads to the server's side\n"
         "                       [HOST:]PORT:HOST:PORT or /PATH, and @bulk for a session apart\n"
         "  --attach RELAY       what a node that nobody can dial carries to a relay of its "
         "cluster\n"
         "                       file, which must have the relay's address and pin; no -R or -L\n"
         "  --check-config       report every mistake and end: 0, or 78\n"
         "  --show-key           print the line for the server's authorized_keys\n"
         "  --status             print what the running tunnel does: 0 if all is up, else 1\n"
         "  --once               end at the first failure, with its exit status\n"
         "  --version\n"
         "\n" +
         describe_flags(kSections);
}

}  // namespace riftbus::tunnel
