// explain, config check|show, version, help: what needs no cluster.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ostream>

#include "config/error_catalog.h"
#include "config/report.h"
#include "node/ctl/commands.h"
#include "node/ctl/help.h"
#include "node/ctl/output.h"

namespace riftbus::ctl {

namespace {

std::string code_text(std::uint16_t code) { return Error{code, "", "", ""}.code_text(); }

Json explain_json(const CatalogEntry& entry) {
  return {
      {"code", entry.code}, {"title", entry.title}, {"cause", entry.cause}, {"next", entry.next}};
}

// "F-1203", "f1203", "1203"
std::optional<std::uint16_t> parse_code(std::string_view text) {
  if (!text.empty() && (text.front() == 'F' || text.front() == 'f')) text.remove_prefix(1);
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  std::uint16_t code = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), code);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return code;
}

std::string render_errors(const Json& document, Style style) {
  TextTable table({"CODE", "TITLE"});
  for (const auto& row : get(document, {"errors"})) {
    const auto code = integer(row, {"code"}).value_or(0);
    table.add({code_text(static_cast<std::uint16_t>(code)), text(row, {"title"})});
  }
  return table.print(style.color);
}

std::string render_error(const Json& error, Style style) {
  const auto code = integer(error, {"code"}).value_or(0);
  return paint(code_text(static_cast<std::uint16_t>(code)), Tone::strong, style.color) + ": " +
         text(error, {"title"}) + "\ncause: " + text(error, {"cause"}) +
         "\nnext:  " + text(error, {"next"}) + "\n";
}

constexpr Shape kErrors{"errors", "title", render_errors};
constexpr Shape kError{nullptr, "title", render_error};

int explain_all(Context& context) {
  Json document{{"schema", 1}, {"document", "errors"}, {"errors", Json::array()}};
  for (const auto& entry : error_catalog()) document["errors"].push_back(explain_json(entry));
  print_document(context, document, kErrors);
  return kExitOk;
}

int print_report(Context& context, const ConfigReport& result) {
  const Format format = context.globals().format;
  if (format == Format::json) {
    context.out << result.json.dump(2) << "\n";
  } else if (format == Format::jsonl) {
    context.out << result.json.dump() << "\n";
  } else {
    context.out << result.text;
  }
  return result.exit_code;
}

std::vector<std::string> config_flags(const Context& context) {
  std::vector<std::string> flags;
  if (context.globals().config) flags.push_back("--config=" + *context.globals().config);
  for (const char* name : {"node-conf", "node-id"}) {
    if (const auto value = context.invocation.find(name)) {
      flags.push_back("--" + std::string(name) + "=" + *value);
    }
  }
  return flags;
}

}  // namespace

int run_explain(Context& context) {
  if (context.invocation.arguments.empty()) return explain_all(context);
  const std::string& word = context.invocation.arguments.front();
  const auto code = parse_code(word);
  const CatalogEntry* entry = code ? find_error(*code) : nullptr;
  if (entry == nullptr) {
    return report(context, Error{1513, "there is no error code \"" + printable(word) + "\"", "",
                                 "list them all with riftbus explain"});
  }
  Json document{{"schema", 1}, {"document", "error"}};
  document.update(explain_json(*entry));
  print_document(context, document, kError);
  return kExitOk;
}

int run_config_check(Context& context) {
  return print_report(context, check_config_files(context.invocation.arguments, std::nullopt));
}

int run_config_show(Context& context) {
  LoadedConfig loaded = load_node_config(config_flags(context), context.environment);
  if (!context.invocation.has("effective")) {
    std::erase_if(loaded.effective.values,
                  [](const EffectiveValue& value) { return value.source.file == "default"; });
  }
  return print_report(context, show_config(loaded.effective, loaded.diagnostics));
}

int run_version(Context& context) {
  if (context.globals().format == Format::json || context.globals().format == Format::jsonl) {
    context.out << compact({{"schema", 1}, {"document", "version"}, {"version", RIFTBUS_VERSION}})
                << "\n";
  } else {
    context.out << "riftbus " << RIFTBUS_VERSION << "\n";
  }
  return kExitOk;
}

int run_help(Context& context) {
  const std::string name = join(context.invocation.arguments, " ");
  if (name.empty()) {
    context.out << overview_help();
    return kExitOk;
  }
  if (const Command* command = find_command(name)) {
    context.out << command_help(*command);
    return kExitOk;
  }
  const auto nouns = command_nouns();
  if (std::find(nouns.begin(), nouns.end(), name) != nouns.end()) {
    context.out << noun_help(name);
    return kExitOk;
  }
  return report(context, unknown_word_error("command", name, nouns));
}

int run_man(Context& context) {
  if (context.invocation.arguments.empty()) {
    for (const auto& page : man_pages()) context.out << page << "\n";
    return kExitOk;
  }
  const std::string source = man_source(context.invocation.arguments.front());
  if (source.empty()) {
    return report(context, Error{1501, "there is no such man page", "", "see riftbus __man"});
  }
  context.out << source;
  return kExitOk;
}

}  // namespace riftbus::ctl
