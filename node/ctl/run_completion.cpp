// completion SHELL and the hidden __complete.
#include <ostream>
#include <set>

#include "node/ctl/commands.h"
#include "node/ctl/complete.h"
#include "node/ctl/context.h"

namespace riftbus::ctl {

namespace {

// The options on the unfinished line that say where node ids are to be found.
Globals globals_on(const std::vector<std::string>& words) {
  Globals globals;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto value_of = [&](std::string_view option) -> std::optional<std::string> {
      if (words[i] == option && i + 2 < words.size()) return words[i + 1];
      const std::string prefix = std::string(option) + "=";
      if (words[i].starts_with(prefix)) return words[i].substr(prefix.size());
      return std::nullopt;
    };
    if (auto key = value_of("--key")) globals.key = key;
    if (auto cluster = value_of("--cluster")) globals.cluster = cluster;
    if (auto config = value_of("--config")) globals.config = config;
  }
  return globals;
}

// Whatever goes wrong, nothing is offered: a shell is no place for complaints.
std::vector<std::string> known_ids(const Context& context) {
  const Globals globals = globals_on(context.invocation.arguments);
  std::set<std::string> ids;
  if (auto home = bus::load_home(home_options(globals), context.environment, false); home.ok()) {
    if (home->roster) {
      for (const auto& [id, entry] : home->roster->roster.entries) {
        if (entry.has(Role::node) || entry.has(Role::voter)) ids.insert(id.value());
      }
    }
    if (home->cluster) {
      for (const auto& [id, node] : home->cluster->nodes) ids.insert(id.value());
    }
  }
  return {ids.begin(), ids.end()};
}

}  // namespace

int run_completion(Context& context) {
  const std::string& shell = context.invocation.arguments.front();
  const std::string script = completion_script(shell);
  if (script.empty()) return report(context, unknown_word_error("shell", shell, known_shells()));
  context.out << script;
  return kExitOk;
}

int run_complete(Context& context) {
  for (const auto& word : complete_line(context.invocation.arguments, known_ids(context))) {
    context.out << word << "\n";
  }
  return kExitOk;
}

}  // namespace riftbus::ctl
