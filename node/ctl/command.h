// The command table: everything that `riftbus` can be told, as data.
//
// One table is the source of the parser, of --help, of shell completion and of the man pages, so
// that none of them can promise what another does not know; a test compares them. Nouns come
// before verbs ("node list"), as in the questions people ask; a name that is not in the table is
// looked for as a program of its own, riftbus-NAME, the way git does.
//
// Data without behaviour, except that each row names the function that runs it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace riftbus::ctl {

struct Context;  // node/ctl/context.h

// What a shell may offer in a place.
enum class Completes : std::uint8_t { nothing, node_id, file, directory, error_code, shell };

struct Option {
  std::string_view name;     // "--NAME"
  char letter;               // "-L"; 0: none
  std::string_view value;    // what stands for its value in help ("SEC"); empty: a flag
  bool value_optional;       // --watch or --watch=SEC
  std::string_view choices;  // "table|wide|json"; empty: anything
  Completes completes;
  std::string_view help;  // one sentence without a final stop
};

struct Argument {
  std::string_view name;  // "ID", "FILE"
  bool required;
  bool repeats;
  Completes completes;
};

// What a command does to the world, and so what --dry-run makes of it. changes: it is not run, and
// that is said. set_changes: likewise with an option of its own; it shows otherwise. rehearses: it
// says itself what it would change.
enum class Effect : std::uint8_t { reads, changes, set_changes, rehearses };

struct Command {
  std::string_view name;  // "node list"; unique
  std::string_view summary;
  std::string_view details;  // paragraphs, parted by blank lines; may be empty
  std::span<const Argument> arguments;
  std::span<const Option> options;
  std::span<const std::string_view> examples;  // "riftbus node list --status dead"
  int (*run)(Context& context);
  bool asks_cluster;  // takes --node, --timeout and the other options about reaching a node
  bool hidden;        // of no interest to people
  bool passes_on;     // everything after the name goes untouched to another program
  Effect effect = Effect::reads;
};

[[nodiscard]] std::span<const Command> command_table();
// Its part about leadership and voters (leader_commands.cpp).
[[nodiscard]] std::span<const Command> leader_commands();
// About relays, tunnels and paths (relay_commands.cpp).
[[nodiscard]] std::span<const Command> relay_commands();
// About work (work_commands.cpp).
[[nodiscard]] std::span<const Command> work_commands();
// Options that stand anywhere on the line.
[[nodiscard]] std::span<const Option> global_options();
// nullptr: no such command.
[[nodiscard]] const Command* find_command(std::string_view name);
// "node", "why": first words of commands that have two; ordered as in the table.
[[nodiscard]] std::vector<std::string_view> command_nouns();
[[nodiscard]] bool is_noun(std::string_view word);

// Each exit status with its meaning, for help and man pages.
struct ExitRow {
  int status;
  std::string_view meaning;
};
[[nodiscard]] std::span<const ExitRow> exit_table();

}  // namespace riftbus::ctl
