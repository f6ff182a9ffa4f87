#include "node/ctl/context.h"

#include <iostream>

namespace riftbus::ctl {

int report(Context& context, const Error& error) {
  context.err << "riftbus: " << error.to_string() << "\n";
  return exit_status_of(error);
}

void say(Context& context, const std::string& text) { context.err << "riftbus: " << text << "\n"; }

bus::HomeOptions home_options(const Globals& globals) {
  return {globals.key.value_or(""), globals.cluster.value_or(""), globals.config.value_or(""),
          globals.insecure};
}

Status confirm(Context& context, const std::string& question) {
  if (context.globals().yes) return Ok{};
  const Error refused{1515, "not confirmed: " + question, "", "answer y, or add --yes"};
  if (!context.is_terminal) return refused;
  context.err << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(context.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return Ok{};
  return refused;
}

}  // namespace riftbus::ctl
