// Man pages in scdoc's format (scdoc(5)): headings with '#', options as indented definitions.
#include <algorithm>

#include "node/ctl/help.h"

namespace riftbus::ctl {

namespace {

std::string page_name(const Command& command) {
  std::string name = "riftbus-" + std::string(command.name);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

// scdoc takes these for markup.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '*' || c == '_' || c == '\\' || c == '#' || c == '[' || c == ']' || c == '<' ||
        c == '>' || c == '~' || c == '|') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

std::string definition(std::string_view term, std::string_view text) {
  return "*" + escape(term) + "*\n\t" + escape(text) + "\n\n";
}

std::string option_definition(const Option& option) {
  std::string text(option.help);
  if (!option.choices.empty()) text += ": " + std::string(option.choices);
  return definition(option_text(option), text + ".");
}

std::string exit_section() {
  std::string out = "# EXIT STATUS\n\n";
  for (const auto& exit : exit_table()) {
    out += definition(std::to_string(exit.status), std::string(exit.meaning) + ".");
  }
  return out;
}

std::string overview_page() {
  std::string out = "riftbus(1)\n\n# NAME\n\nriftbus - operate a Riftbus cluster\n\n";
  out += "# SYNOPSIS\n\n*riftbus* _COMMAND_ \\[OPTIONS\\] \\[ARGUMENTS\\]\n\n# COMMANDS\n\n";
  for (const auto& command : command_table()) {
    if (command.hidden) continue;
    out += definition(command.name,
                      std::string(command.summary) + ". See " + page_name(command) + "(1).");
  }
  out += "# OPTIONS\n\n";
  for (const auto& option : global_options()) out += option_definition(option);
  out += exit_section();
  out += "# FILES\n\n";
  out +=
      definition("~/.config/riftbus/CLUSTER/",
                 "your key (node.key), the roster, authority.pub, a cluster.yaml with the nodes' "
                 "addresses, and on one machine the authority's secret (authority.key).");
  out += "# ENVIRONMENT\n\n";
  out += definition("RIFTBUS_KEY", "as --key.");
  out += definition("RIFTBUS_NODE", "as --node.");
  out += definition("RIFTBUS_CLUSTER", "as --cluster.");
  out += definition("NO_COLOR", "if set and not empty: no colours.");
  return out;
}

std::string command_page(const Command& command) {
  const std::string name = page_name(command);
  std::string out = name + "(1)\n\n# NAME\n\n" + name + " - " + escape(command.summary) + "\n\n";
  out += "# SYNOPSIS\n\n" + escape(usage_line(command)) + "\n\n# DESCRIPTION\n\n";
  out += escape(command.details.empty() ? command.summary : command.details);
  out += command.details.empty() ? ".\n\n" : "\n\n";
  if (!command.passes_on) {
    out += "# OPTIONS\n\n";
    for (const auto& option : command.options) out += option_definition(option);
    for (const Option* option : shared_options(command)) out += option_definition(*option);
  }
  if (!command.examples.empty()) {
    out += "# EXAMPLES\n\n";
    for (const auto example : command.examples) out += escape(example) + "\n\n";
  }
  out += exit_section();
  return out + "# SEE ALSO\n\n*riftbus*(1)\n";
}

}  // namespace

std::vector<std::string> man_pages() {
  std::vector<std::string> pages{"riftbus"};
  for (const auto& command : command_table()) {
    if (!command.hidden) pages.push_back(page_name(command));
  }
  return pages;
}

std::string man_source(std::string_view page) {
  if (page == "riftbus") return overview_page();
  for (const auto& command : command_table()) {
    if (!command.hidden && page_name(command) == page) return command_page(command);
  }
  return "";
}

}  // namespace riftbus::ctl
