// The file format, comparing and rewriting. The commands: script_player.cpp.
#include "test/sim/script.h"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace riftbus::sim {

Words split_words(const std::string& line) {
  std::istringstream stream(line);
  Words words;
  std::string word;
  while (stream >> word) words.push_back(word);
  return words;
}

std::optional<Nanos> read_span(const std::string& text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit(parsed.ptr, text.data() + text.size());
  if (parsed.ec != std::errc{}) return std::nullopt;
  if (unit == "ms") return Nanos(static_cast<std::int64_t>(value * 1e6));
  if (unit == "s") return Nanos(static_cast<std::int64_t>(value * 1e9));
  return std::nullopt;
}

Result<std::vector<ScriptBlock>> parse_script(const std::string& text, const std::string& file) {
  std::vector<ScriptBlock> blocks;
  ScriptBlock block;
  bool in_output = false;
  std::istringstream lines(text);
  std::string line;
  int number = 0;
  while (std::getline(lines, line)) {
    ++number;
    if (in_output && line.empty()) {
      blocks.push_back(std::move(block));
      block = ScriptBlock{};
      in_output = false;
    } else if (in_output) {
      block.expected += line + "\n";
    } else if (line == "----") {
      if (block.commands.empty()) {
        return Error{1001, "output without a command", file + ":" + std::to_string(number), ""};
      }
      in_output = true;
    } else if (line.empty() || line.front() == '#') {
      block.comments.push_back(line);
    } else {
      block.commands.push_back(line);
    }
  }
  if (!block.commands.empty() || !block.comments.empty()) blocks.push_back(std::move(block));
  return blocks;
}

std::string print_script(const std::vector<ScriptBlock>& blocks) {
  std::string text;
  for (const ScriptBlock& block : blocks) {
    for (const std::string& comment : block.comments) text += comment + "\n";
    for (const std::string& command : block.commands) text += command + "\n";
    if (!block.commands.empty()) text += "----\n" + block.expected + "\n";
  }
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

namespace {

void print_difference(const std::string& file, const ScriptBlock& block,
                      const std::string& output) {
  std::fprintf(stderr, "%s: after \"%s\":\n", file.c_str(), block.commands.back().c_str());
  std::istringstream expected(block.expected), actual(output);
  std::string want, have;
  for (int number = 1;; ++number) {
    const bool more_want = static_cast<bool>(std::getline(expected, want));
    const bool more_have = static_cast<bool>(std::getline(actual, have));
    if (!more_want && !more_have) return;
    if (more_want && more_have && want == have) continue;
    if (more_want) std::fprintf(stderr, "  -%s\n", want.c_str());
    if (more_have) std::fprintf(stderr, "  +%s\n", have.c_str());
  }
}

// False: the file differs from what the cluster says, or cannot be read.
bool run_script(const std::string& file, bool rewrite, PlayScript play) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  auto blocks = parse_script(text.str(), file);
  if (!in || !blocks) {
    std::fprintf(stderr, "%s: %s\n", file.c_str(),
                 blocks ? "cannot be read" : blocks.error().to_string().c_str());
    return false;
  }
  const std::vector<std::string> outputs = play(*blocks);
  bool same = true;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    ScriptBlock& block = (*blocks)[i];
    if (block.expected == outputs[i]) continue;
    same = false;
    if (!rewrite) print_difference(file, block, outputs[i]);
    block.expected = outputs[i];
  }
  if (rewrite && !same) std::ofstream(file) << print_script(*blocks);
  std::printf("%s: %s\n", file.c_str(), same ? "same" : rewrite ? "rewritten" : "DIFFERS");
  return same || rewrite;
}

}  // namespace

int run_scripts(const std::vector<std::string>& files, bool rewrite, PlayScript play) {
  bool all = !files.empty();
  for (const std::string& file : files) all = run_script(file, rewrite, play) && all;
  return all ? 0 : 1;
}

}  // namespace riftbus::sim
