// node run, tap: other programs, run in place of this one.
#include "node/ctl/commands.h"
#include "node/ctl/context.h"
#include "node/ctl/program.h"

namespace riftbus::ctl {

namespace {

std::string path_list(const Context& context) {
  const auto found = context.environment.find("PATH");
  return found == context.environment.end() ? "" : found->second;
}

int become(Context& context, const std::string& name, const std::vector<std::string>& arguments) {
  const std::string path = find_program(name, path_list(context));
  if (path.empty()) {
    return report(context, Error{1512, "riftbus-" + name + " is not installed", "",
                                 "install it beside riftbus or on PATH"});
  }
  return report(context, execute_program(path, arguments));
}

}  // namespace

int run_node_run(Context& context) { return become(context, "node", context.invocation.arguments); }

int run_tap(Context& context) {
  std::vector<std::string> arguments = context.invocation.globals_as_given;
  const auto& own = context.invocation.arguments;
  arguments.insert(arguments.end(), own.begin(), own.end());
  return become(context, "tap", arguments);
}

}  // namespace riftbus::ctl
