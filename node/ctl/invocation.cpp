#include "node/ctl/invocation.h"

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>

#include "config/suggest.h"

namespace riftbus::ctl {

namespace {

namespace po = boost::program_options;

constexpr std::string_view kPositional = "\x01positional";
constexpr std::size_t kWordShownMax = 64;

Error usage_error(std::string what, std::string next) {
  return Error{1501, std::move(what), "", std::move(next)};
}

const Option* find_option(std::span<const Option> options, std::string_view name) {
  const auto found = std::find_if(options.begin(), options.end(),
                                  [&](const Option& option) { return option.name == name; });
  return found == options.end() ? nullptr : &*found;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// The global option that `word` spells, without a value of its own ("--node", "-o").
const Option* global_without_value(std::string_view word) {
  for (const auto& option : global_options()) {
    if (word == "--" + std::string(option.name)) return &option;
    if (option.letter != 0 && word == std::string("-") + option.letter) return &option;
  }
  return nullptr;
}

// How many words of the line, from `at`, one global option and its value take; 0: not an option.
std::size_t option_length(const std::vector<std::string>& line, std::size_t at) {
  if (line[at].size() < 2 || line[at].front() != '-') return 0;
  const Option* option = global_without_value(line[at]);
  const bool takes_next = option != nullptr && !option->value.empty() && !option->value_optional;
  if (option != nullptr && option->value_optional) {
    return at + 1 < line.size() && is_number(line[at + 1]) ? 2 : 1;
  }
  return takes_next && at + 1 < line.size() ? 2 : 1;
}

struct Split {
  const Command* command = nullptr;
  std::vector<std::string> words;   // that were taken as the command's name
  std::vector<std::string> before;  // options before the name
  std::vector<std::string> after;   // everything after the name
};

// Finds the command's words. A noun waits for its verb, past options; anything else ends the name.
Split split_line(const std::vector<std::string>& line) {
  Split split;
  std::size_t at = 0;
  while (at < line.size() && line[at] != "--") {
    if (const std::size_t length = option_length(line, at)) {
      const auto begin = line.begin() + static_cast<std::ptrdiff_t>(at);
      split.before.insert(split.before.end(), begin, begin + static_cast<std::ptrdiff_t>(length));
      at += length;
      continue;
    }
    split.words.push_back(line[at++]);
    const bool waits = split.words.size() == 1 && is_noun(split.words.front());
    if (!waits) break;
  }
  split.after.assign(line.begin() + static_cast<std::ptrdiff_t>(at), line.end());
  if (split.words.empty()) return split;
  std::string name = split.words.front();
  if (split.words.size() == 2) name += " " + split.words.back();
  split.command = find_command(name);
  return split;
}

void describe(std::span<const Option> options, po::options_description& out) {
  for (const auto& option : options) {
    std::string name(option.name);
    if (option.letter != 0) name += std::string(",") + option.letter;
    if (option.value.empty()) {
      out.add_options()(name.c_str(), "");
    } else {
      out.add_options()(name.c_str(), po::value<std::string>(), "");
    }
  }
}

// Program_options would take any next word as the value of `--watch`: only a number may be one.
std::vector<std::string> settle_optional_values(const std::vector<std::string>& line) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == "--") {
      out.insert(out.end(), line.begin() + static_cast<std::ptrdiff_t>(i), line.end());
      break;
    }
    const Option* option = global_without_value(line[i]);
    out.push_back(line[i]);
    if (option == nullptr || !option->value_optional) continue;
    const bool has_value = i + 1 < line.size() && is_number(line[i + 1]);
    out.back() = "--" + std::string(option->name) + "=" +
                 (has_value ? line[i + 1] : std::to_string(kWatchDefault.count() / 1000));
    if (has_value) ++i;
  }
  return out;
}

std::vector<std::string_view> option_names(const Command* command) {
  std::vector<std::string_view> names;
  for (const auto& option : global_options()) names.push_back(option.name);
  if (command != nullptr) {
    for (const auto& option : command->options) names.push_back(option.name);
  }
  return names;
}

Error explain_failure(const po::error& error, const Command* command) {
  const std::string help = command == nullptr
                               ? "see riftbus --help"
                               : "see riftbus " + std::string(command->name) + " --help";
  if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&error)) {
    std::string name = unknown->get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    Error result = unknown_word_error("option", name, option_names(command));
    if (result.next.empty()) result.next = help;
    return result;
  }
  return usage_error(error.what(), help);
}

// Name and value of every option, and the positional words.
struct Read {
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::string> arguments;
};

Result<Read> read_options(const std::vector<std::string>& line, const Command* command) {
  po::options_description description;
  describe(global_options(), description);
  if (command != nullptr) describe(command->options, description);
  description.add_options()(std::string(kPositional).c_str(), po::value<std::string>(), "");
  po::positional_options_description positional;
  positional.add(std::string(kPositional).c_str(), -1);
  const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
  Read read;
  try {
    const auto parsed = po::command_line_parser(settle_optional_values(line))
                            .options(description)
                            .positional(positional)
                            .style(style)
                            .run();
    for (const auto& option : parsed.options) {
      const std::string value = option.value.empty() ? "" : option.value.front();
      if (option.string_key == kPositional) {
        read.arguments.push_back(value);
      } else {
        read.options.emplace_back(option.string_key, value);
      }
    }
  } catch (const po::error& error) {
    return explain_failure(error, command);
  }
  return read;
}

Status check_choice(const Option& option, const std::string& value) {
  if (option.choices.empty()) return Ok{};
  std::string_view rest = option.choices;
  while (!rest.empty()) {
    const auto bar = rest.find('|');
    if (rest.substr(0, bar) == value) return Ok{};
    rest = bar == std::string_view::npos ? "" : rest.substr(bar + 1);
  }
  std::string choices(option.choices);
  std::replace(choices.begin(), choices.end(), '|', ' ');
  return usage_error(
      "--" + std::string(option.name) + " cannot be \"" + value.substr(0, kWordShownMax) + "\"",
      "choose one of: " + choices);
}

Format parse_format(std::string_view text) {
  if (text == "wide") return Format::wide;
  if (text == "json") return Format::json;
  if (text == "jsonl") return Format::jsonl;
  if (text == "name") return Format::name;
  return Format::table;
}

ColorWhen parse_color(std::string_view text) {
  if (text == "always") return ColorWhen::always;
  return text == "never" ? ColorWhen::never : ColorWhen::automatic;
}

Status set_duration(const std::string& name, const std::string& value, Globals& globals) {
  auto span = parse_duration(value, "--" + name);
  if (!span.ok()) return span.error();
  if (name == "watch") {
    globals.watch = *span;
  } else {
    globals.timeout = *span;
    globals.timeout_given = true;
  }
  return Ok{};
}

Status set_global(const std::string& name, const std::string& value, Invocation& out) {
  Globals& globals = out.globals;
  if (name == "watch" || name == "timeout") return set_duration(name, value, globals);
  if (name == "node") globals.node = value;
  if (name == "key") globals.key = value;
  if (name == "cluster") globals.cluster = value;
  if (name == "config") globals.config = value;
  if (name == "insecure") globals.insecure = true;
  if (name == "output") globals.format = parse_format(value);
  if (name == "color") globals.color = parse_color(value);
  if (name == "yes") globals.yes = true;
  if (name == "dry-run") globals.dry_run = true;
  if (name == "help") out.wants_help = true;
  if (name == "version") out.wants_version = true;
  return Ok{};
}

Status take_options(const Read& read, Invocation& out) {
  for (const auto& [name, value] : read.options) {
    const Option* global = find_option(global_options(), name);
    const Option* own = out.command ? find_option(out.command->options, name) : nullptr;
    const Option* option = own ? own : global;
    if (auto checked = check_choice(*option, value); !checked.ok()) return checked;
    if (own != nullptr) {
      out.options[name] = value;
      out.repeated[name].push_back(value);
    } else if (auto set = set_global(name, value, out); !set.ok()) {
      return set;
    }
  }
  return Ok{};
}

Status check_arguments(const Invocation& invocation) {
  const Command& command = *invocation.command;
  const std::string help = "see riftbus " + std::string(command.name) + " --help";
  std::size_t required = 0;
  bool repeats = false;
  for (const auto& argument : command.arguments) {
    required += argument.required ? 1 : 0;
    repeats = repeats || argument.repeats;
  }
  if (invocation.arguments.size() < required) {
    return usage_error(std::string(command.name) + " needs " +
                           std::string(command.arguments[invocation.arguments.size()].name),
                       help);
  }
  if (!repeats && invocation.arguments.size() > command.arguments.size()) {
    return usage_error("unexpected \"" +
                           invocation.arguments[command.arguments.size()].substr(0, kWordShownMax) +
                           "\"",
                       help);
  }
  return Ok{};
}

// A word that no row has: perhaps a program of its own, judged by the caller.
Result<Invocation> unknown_command(const Split& split, Invocation out) {
  for (const auto& word : split.words) {
    out.unknown += (out.unknown.empty() ? "" : " ") + word;
  }
  out.unknown_arguments = split.after;
  return out;
}

}  // namespace

std::optional<std::string> Invocation::find(std::string_view option) const {
  const auto found = options.find(option);
  if (found == options.end()) return std::nullopt;
  return found->second;
}

Error unknown_word_error(std::string_view kind, std::string_view word,
                         const std::vector<std::string_view>& known) {
  return usage_error(
      "unknown " + std::string(kind) + " \"" + std::string(word.substr(0, kWordShownMax)) + "\"",
      did_you_mean(word, known, ""));
}

Result<Invocation> parse_line(const std::vector<std::string>& line) {
  const Split split = split_line(line);
  Invocation out;
  out.command = split.command;
  const bool passes_on = split.command != nullptr && split.command->passes_on;
  std::vector<std::string> options = split.before;
  if (split.command != nullptr && !passes_on) {
    options.insert(options.end(), split.after.begin(), split.after.end());
  }
  auto read = read_options(options, passes_on ? nullptr : split.command);
  if (!read.ok()) return read.error();
  if (auto taken = take_options(*read, out); !taken.ok()) return taken.error();
  if (split.command == nullptr) {
    const auto asked = std::find_if(split.after.begin(), split.after.end(), [](const auto& word) {
      return word == "--help" || word == "-h";
    });
    if (asked != split.after.end()) out.wants_help = true;
    return unknown_command(split, std::move(out));
  }
  out.arguments = passes_on ? split.after : read->arguments;
  if (passes_on || out.wants_help || out.wants_version) return out;
  if (auto checked = check_arguments(out); !checked.ok()) return checked.error();
  return out;
}

}  // namespace riftbus::ctl
