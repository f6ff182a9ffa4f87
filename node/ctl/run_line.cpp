#include "node/ctl/run_line.h"

#include <algorithm>
#include <ostream>

#include "node/ctl/commands.h"
#include "node/ctl/context.h"
#include "node/ctl/help.h"
#include "node/ctl/json_view.h"
#include "node/ctl/output.h"
#include "node/ctl/program.h"

namespace riftbus::ctl {

namespace {

bool wants_color(const Globals& globals, const Environment& environment, bool is_terminal) {
  if (globals.color != ColorWhen::automatic) return globals.color == ColorWhen::always;
  const auto no_color = environment.find("NO_COLOR");
  const bool forbidden = no_color != environment.end() && !no_color->second.empty();
  return is_terminal && !forbidden;
}

// The words that could have stood where `unknown` failed: commands, or the verbs of its noun.
std::vector<std::string_view> known_words(const std::string& unknown) {
  const std::string noun = unknown.substr(0, unknown.find(' '));
  const bool wants_verb = is_noun(noun);
  std::vector<std::string_view> words;
  for (const auto& command : command_table()) {
    if (command.hidden) continue;
    const auto blank = command.name.find(' ');
    if (wants_verb && command.name.starts_with(noun + " ")) {
      words.push_back(command.name.substr(blank + 1));
    } else if (!wants_verb) {
      words.push_back(command.name.substr(0, blank));
    }
  }
  return words;
}

int run_without_command(Context& context) {
  const Invocation& invocation = context.invocation;
  if (invocation.wants_version) return run_version(context);
  std::ostream& stream = invocation.wants_help ? context.out : context.err;
  stream << (invocation.unknown.empty() ? overview_help() : noun_help(invocation.unknown));
  return invocation.wants_help ? kExitOk : kExitUsage;
}

int run_unknown(Context& context) {
  const Invocation& invocation = context.invocation;
  if (invocation.unknown.empty() || is_noun(invocation.unknown)) {
    return run_without_command(context);
  }
  const auto path = context.environment.find("PATH");
  const std::string program =
      find_program(invocation.unknown, path == context.environment.end() ? "" : path->second);
  if (!program.empty()) {
    return report(context, execute_program(program, invocation.unknown_arguments));
  }
  const auto blank = invocation.unknown.find(' ');
  const std::string word =
      blank == std::string::npos ? invocation.unknown : invocation.unknown.substr(blank + 1);
  Error error = unknown_word_error("command", word, known_words(invocation.unknown));
  if (error.next.empty()) error.next = "see riftbus --help";
  return report(context, error);
}

bool changes(const Invocation& invocation) {
  const Effect effect = invocation.command->effect;
  return effect == Effect::changes ||
         (effect == Effect::set_changes && !invocation.options.empty());
}

// What the cluster would make of it only the cluster knows, and it is not asked.
int rehearse(Context& context) {
  std::string words(context.invocation.command->name);
  for (const auto& argument : context.invocation.arguments) words += " " + printable(argument);
  for (const auto& [name, value] : context.invocation.options) {
    words += " --" + name + (value.empty() ? "" : " " + printable(value));
  }
  print_document(context, {{"schema", 1}, {"document", "dry_run"}, {"would", words}},
                 {nullptr, "would", [](const Json& document, Style) {
                    return "would do: " + text(document, {"would"}) +
                           "\nthe cluster was not asked, and nothing was changed\n";
                  }});
  return kExitOk;
}

}  // namespace

int run_line(const std::string& program, const std::vector<std::string>& line,
             const Environment& environment, Streams streams) {
  auto parsed = parse_line(line);
  if (!parsed.ok()) {
    streams.err << "riftbus: " << parsed.error().to_string() << "\n";
    return kExitUsage;
  }
  const Invocation& invocation = *parsed;
  Context context{invocation,
                  environment,
                  streams.in,
                  streams.out,
                  streams.err,
                  program,
                  wants_color(invocation.globals, environment, streams.is_terminal),
                  streams.is_terminal};
  if (invocation.command == nullptr) return run_unknown(context);
  if (invocation.wants_help) {
    context.out << command_help(*invocation.command);
    return kExitOk;
  }
  if (invocation.wants_version) return run_version(context);
  if (invocation.globals.dry_run && changes(invocation)) return rehearse(context);
  return invocation.command->run(context);
}

}  // namespace riftbus::ctl
