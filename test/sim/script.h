// Scripts: scenarios that people read, with the output that they should give written beneath.
//
// A file is a row of blocks: command lines, a line "----", and the expected output up to the next
// empty line. test/scripts/README.md has the commands; each simulator plays its own. `rewrite`
// replaces the output by what the cluster says now; the difference is then for a person to judge.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/result.h"
#include "config/types.h"

namespace riftbus::sim {

struct ScriptBlock {
  std::vector<std::string> comments;  // and empty lines before the commands
  std::vector<std::string> commands;
  std::string expected;
};

[[nodiscard]] Result<std::vector<ScriptBlock>> parse_script(const std::string& text,
                                                            const std::string& file);
[[nodiscard]] std::string print_script(const std::vector<ScriptBlock>& blocks);
// The output of each block, in order. Of the membership simulator.
[[nodiscard]] std::vector<std::string> play_script(const std::vector<ScriptBlock>& blocks);

// The words of a command line, and a span among them: "5s", "200ms", "1.5s".
using Words = std::vector<std::string>;
[[nodiscard]] Words split_words(const std::string& line);
[[nodiscard]] std::optional<Nanos> read_span(const std::string& text);

using PlayScript = std::vector<std::string> (*)(const std::vector<ScriptBlock>&);

// For the command line: plays, compares, prints differences or rewrites. 0: all agree.
int run_scripts(const std::vector<std::string>& files, bool rewrite, PlayScript play = play_script);

}  // namespace riftbus::sim
