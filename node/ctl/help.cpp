#include "node/ctl/help.h"

#include <algorithm>

namespace riftbus::ctl {

namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kIndent = 2;
constexpr std::size_t kTextColumn = 24;

// Words of `text` in lines that end before kWidth; the first line begins at `column`.
std::string wrap(std::string_view text, std::size_t column, std::size_t indent) {
  std::string out;
  while (!text.empty()) {
    const auto blank = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, blank);
    if (column + word.size() + 1 > kWidth && column > indent) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!out.empty()) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return out;
}

std::string row(std::string_view left, std::string_view right) {
  std::string out(kIndent, ' ');
  out += left;
  if (out.size() + 2 > kTextColumn) {
    out += "\n" + std::string(kTextColumn, ' ');
  } else {
    out += std::string(kTextColumn - out.size(), ' ');
  }
  return out + wrap(right, kTextColumn, kTextColumn) + "\n";
}

std::string option_row(const Option& option) {
  std::string text(option.help);
  if (!option.choices.empty()) {
    std::string choices(option.choices);
    std::replace(choices.begin(), choices.end(), '|', ' ');
    text += ": " + choices;
  }
  const std::string left = (option.letter == 0 ? "    " : "") + option_text(option);
  return row(left, text);
}

std::string paragraphs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find("\n\n"), text.size());
    out += wrap(text.substr(0, end), 0, 0) + "\n\n";
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return out;
}

}  // namespace

std::string option_text(const Option& option) {
  std::string text;
  if (option.letter != 0) text += std::string("-") + option.letter + ", ";
  text += "--" + std::string(option.name);
  if (option.value.empty()) return text;
  const std::string value(option.value);
  return text + (option.value_optional ? "[=" + value + "]" : " " + value);
}

std::vector<const Option*> shared_options(const Command& command) {
  std::vector<const Option*> shared;
  for (const auto& option : global_options()) {
    const bool reaches = option.name == "node" || option.name == "insecure" ||
                         option.name == "timeout" || option.name == "watch";
    if (reaches && !command.asks_cluster) continue;
    shared.push_back(&option);
  }
  return shared;
}

std::string usage_line(const Command& command) {
  std::string line = "riftbus " + std::string(command.name);
  if (!command.passes_on) line += " [OPTIONS]";
  for (const auto& argument : command.arguments) {
    std::string name(argument.name);
    if (argument.repeats) name += "...";
    line += argument.required ? " " + name : " [" + name + "]";
  }
  return line;
}

std::string overview_help() {
  std::string out = "usage: riftbus COMMAND [OPTIONS] [ARGUMENTS]\n\n";
  out += paragraphs("Operates a Riftbus cluster by asking its nodes.");
  out += "Commands:\n";
  for (const auto& command : command_table()) {
    if (!command.hidden) out += row(command.name, command.summary);
  }
  out += "\nOptions:\n";
  for (const auto& option : global_options()) out += option_row(option);
  out += "\nExit status:\n";
  for (const auto& exit : exit_table()) out += row(std::to_string(exit.status), exit.meaning);
  out += "\nriftbus COMMAND --help tells more about a command.\n";
  return out;
}

std::string command_help(const Command& command) {
  std::string out = "usage: " + usage_line(command) + "\n\n";
  out += paragraphs(std::string(command.summary) + ".");
  out += paragraphs(command.details);
  if (!command.options.empty()) {
    out += "Options:\n";
    for (const auto& option : command.options) out += option_row(option);
    out += "\n";
  }
  if (!command.passes_on) {
    out += "Common options:\n";
    for (const Option* option : shared_options(command)) out += option_row(*option);
  }
  if (!command.examples.empty()) {
    out += "\nExamples:\n";
    for (const auto example : command.examples) {
      out += std::string(kIndent, ' ') + std::string(example) + "\n";
    }
  }
  return out;
}

std::string noun_help(std::string_view noun) {
  std::string out = "usage: riftbus " + std::string(noun) + " COMMAND [OPTIONS]\n\nCommands:\n";
  for (const auto& command : command_table()) {
    if (command.hidden || !command.name.starts_with(std::string(noun) + " ")) continue;
    out += row(command.name, command.summary);
  }
  return out;
}

}  // namespace riftbus::ctl
