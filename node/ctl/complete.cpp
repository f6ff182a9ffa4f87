#include "node/ctl/complete.h"

#include <algorithm>

#include "config/error_catalog.h"
#include "config/result.h"
#include "node/ctl/command.h"

namespace riftbus::ctl {

namespace {

using Words = std::vector<std::string>;

const Option* find_by_word(std::span<const Option> options, std::string_view word) {
  const auto found = std::find_if(options.begin(), options.end(), [&](const Option& option) {
    return word == "--" + std::string(option.name) ||
           (option.letter != 0 && word == std::string("-") + option.letter);
  });
  return found == options.end() ? nullptr : &*found;
}

// The option of `command`, or a global one, that `word` spells.
const Option* option_of(const Command* command, std::string_view word) {
  const Option* own = command ? find_by_word(command->options, word) : nullptr;
  return own ? own : find_by_word(global_options(), word);
}

bool takes_next_word(const Option* option) {
  return option != nullptr && !option->value.empty() && !option->value_optional;
}

void add_choices(std::string_view choices, Words& out) {
  while (!choices.empty()) {
    const auto bar = std::min(choices.find('|'), choices.size());
    out.emplace_back(choices.substr(0, bar));
    choices.remove_prefix(std::min(bar + 1, choices.size()));
  }
}

void add_place(Completes completes, const Words& ids, Words& out) {
  switch (completes) {
    case Completes::node_id:
      out.insert(out.end(), ids.begin(), ids.end());
      break;
    case Completes::file:
      out.emplace_back(":file");
      break;
    case Completes::directory:
      out.emplace_back(":directory");
      break;
    case Completes::error_code:
      for (const auto& entry : error_catalog()) {
        out.push_back(Error{entry.code, "", "", ""}.code_text());
      }
      break;
    case Completes::shell:
      for (const auto shell : known_shells()) out.emplace_back(shell);
      break;
    case Completes::nothing:
      break;
  }
}

void add_options(const Command* command, Words& out) {
  if (command != nullptr) {
    for (const auto& option : command->options) out.push_back("--" + std::string(option.name));
  }
  for (const auto& option : global_options()) out.push_back("--" + std::string(option.name));
}

// First words of commands, or the verbs of a noun.
void add_commands(std::string_view noun, Words& out) {
  for (const auto& command : command_table()) {
    if (command.hidden) continue;
    const auto blank = command.name.find(' ');
    if (noun.empty()) {
      out.emplace_back(command.name.substr(0, blank));
    } else if (command.name.starts_with(std::string(noun) + " ")) {
      out.emplace_back(command.name.substr(blank + 1));
    }
  }
}

// How far a line has come: its command, the noun that waits for a verb, the arguments given.
struct Position {
  const Command* command = nullptr;
  std::string noun;
  std::size_t arguments = 0;
  const Option* pending = nullptr;  // wants the word being typed as its value
};

void take_word(const std::string& word, Position& position) {
  if (position.command != nullptr) {
    ++position.arguments;
    return;
  }
  const std::string name = position.noun.empty() ? word : position.noun + " " + word;
  position.command = find_command(name);
  position.noun = name;
}

Position read_words(const Words& words) {
  Position position;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (position.pending != nullptr) {
      position.pending = nullptr;
      continue;
    }
    if (!words[i].empty() && words[i].front() == '-') {
      const Option* option = option_of(position.command, words[i]);
      if (takes_next_word(option)) position.pending = option;
      continue;
    }
    take_word(words[i], position);
  }
  return position;
}

void add_argument(const Position& position, const Words& ids, Words& out) {
  const auto arguments = position.command->arguments;
  if (arguments.empty()) return;
  const bool beyond = position.arguments >= arguments.size();
  if (beyond && !arguments.back().repeats) return;
  add_place((beyond ? arguments.back() : arguments[position.arguments]).completes, ids, out);
}

// "--output=js": the value is what is being typed.
bool add_attached_value(const std::string& word, const Command* command, const Words& ids,
                        Words& out) {
  const auto equals = word.find('=');
  if (!word.starts_with("--") || equals == std::string::npos) return false;
  const Option* option = option_of(command, word.substr(0, equals));
  if (option == nullptr) return true;
  Words values;
  add_choices(option->choices, values);
  add_place(option->completes, ids, values);
  for (const auto& value : values) {
    out.push_back(value.front() == ':' ? value : word.substr(0, equals + 1) + value);
  }
  return true;
}

}  // namespace

Words complete_line(const Words& words, const Words& ids) {
  if (words.empty()) return {};
  const std::string& typed = words.back();
  const Position position = read_words(words);
  Words all;
  if (position.pending != nullptr) {
    add_choices(position.pending->choices, all);
    add_place(position.pending->completes, ids, all);
  } else if (!add_attached_value(typed, position.command, ids, all)) {
    if (!typed.empty() && typed.front() == '-') {
      add_options(position.command, all);
    } else if (position.command == nullptr) {
      add_commands(position.noun, all);
    } else {
      add_argument(position, ids, all);
    }
  }
  Words fitting;
  for (const auto& word : all) {
    const bool fits = word.front() == ':' || word.starts_with(typed);
    const bool known = std::find(fitting.begin(), fitting.end(), word) != fitting.end();
    if (fits && !known) fitting.push_back(word);
  }
  return fitting;
}

}  // namespace riftbus::ctl
