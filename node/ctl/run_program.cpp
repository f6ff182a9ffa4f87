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

namespace {

std::string format_name(Format format) {
  switch (format) {
    case Format::table:
      return "table";
    case Format::wide:
      return "wide";
    case Format::json:
      return "json";
    case Format::jsonl:
      return "jsonl";
    case Format::name:
      return "name";
  }
  return "table";
}

// The options that stood before the name, in their long forms: -w means something else to a tap,
// and what makes no sense there is for the tap to say.
std::vector<std::string> shared_options(const Globals& globals) {
  std::vector<std::string> words;
  const auto add = [&](const char* name, const std::optional<std::string>& value) {
    if (value) words.push_back("--" + std::string(name) + "=" + *value);
  };
  const auto milliseconds = [](Millis span) { return std::to_string(span.count()) + "ms"; };
  add("node", globals.node);
  add("key", globals.key);
  add("cluster", globals.cluster);
  add("config", globals.config);
  if (globals.timeout_given) add("timeout", milliseconds(globals.timeout));
  if (globals.watch) add("watch", milliseconds(*globals.watch));
  if (globals.format != Format::table) add("output", format_name(globals.format));
  if (globals.color != ColorWhen::automatic) {
    add("color", globals.color == ColorWhen::always ? "always" : "never");
  }
  if (globals.insecure) words.emplace_back("--insecure");
  if (globals.yes) words.emplace_back("--yes");
  if (globals.dry_run) words.emplace_back("--dry-run");
  return words;
}

}  // namespace

int run_tap(Context& context) {
  std::vector<std::string> arguments = shared_options(context.globals());
  const auto& own = context.invocation.arguments;
  arguments.insert(arguments.end(), own.begin(), own.end());
  return become(context, "tap", arguments);
}

}  // namespace riftbus::ctl
