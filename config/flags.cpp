#include "config/flags.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <exception>

#include "config/assignments.h"
#include "config/settings.h"
#include "config/suggest.h"

namespace riftbus {

namespace {

namespace po = boost::program_options;

// Of the flags without effect, those that stand alone.
bool is_legacy_switch(std::string_view name) {
  return name == "require-auth" || name == "kill-duplicates" || name == "supervised";
}

bool is_legacy_flag(std::string_view name) {
  return find_legacy_name(name) != nullptr && name.front() >= 'a' && name.front() <= 'z';
}

std::vector<std::string> flag_names(const SettingSpec& spec) {
  auto names = spec.legacy_flags();
  names.insert(names.begin(), spec.flag());
  return names;
}

void add_flag(po::options_description& options, const std::string& name, bool takes_value) {
  if (takes_value) {
    options.add_options()(name.c_str(), po::value<std::string>());
  } else {
    options.add_options()(name.c_str(), po::value<std::string>()->implicit_value("true"));
  }
}

po::options_description make_options() {
  po::options_description options;
  options.add_options()("help,h", "")("version", "");
  add_flag(options, "config", true);
  add_flag(options, "node-conf", true);
  for (const auto& spec : setting_specs()) {
    for (const auto& name : flag_names(spec)) {
      add_flag(options, name, spec.form != SettingForm::boolean);
    }
  }
  for (const auto& legacy : legacy_names()) {
    if (!is_legacy_flag(legacy.name)) continue;
    add_flag(options, std::string(legacy.name), !is_legacy_switch(legacy.name));
  }
  return options;
}

std::string hint_for(const std::string& name) {
  std::vector<std::string> known{"config", "node-conf", "help", "version"};
  for (const auto& spec : setting_specs()) {
    for (auto& each : flag_names(spec)) known.push_back(std::move(each));
  }
  const std::vector<std::string_view> views(known.begin(), known.end());
  const auto near = suggest_word(name, views);
  return near ? "did you mean --" + std::string(*near) + "?" : "see --help";
}

class FlagReader {
 public:
  explicit FlagReader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void read(const po::option& option) {
    if (option.unregistered) {
      report_unknown(option);
    } else if (option.position_key >= 0) {
      report_stray(option);
    } else {
      read_known(option.string_key, option.value.empty() ? "true" : option.value.front());
    }
  }

  ParsedFlags finish() {
    parsed_.settings = interpret_assignments(assignments_, flag_names, diagnostics_);
    return std::move(parsed_);
  }

 private:
  void report_unknown(const po::option& option) {
    std::string name =
        option.original_tokens.empty() ? option.string_key : option.original_tokens.front();
    name = name.substr(0, name.find('='));
    name.erase(0, std::min(name.find_first_not_of('-'), name.size()));
    after_unknown_ = true;
    diagnostics_.error(1018, {"flag --" + name, 0, 0}, "unknown flag --" + name, hint_for(name));
  }

  // The word after an unknown flag was probably its value: one mistake, one message.
  void report_stray(const po::option& option) {
    const std::string word = option.value.empty() ? "" : option.value.front();
    if (!after_unknown_) {
      diagnostics_.error(1018, {"command line", 0, 0}, "stray word \"" + word.substr(0, 80) + "\"",
                         "every value needs its flag; see --help");
    }
    after_unknown_ = false;
  }

  void read_known(const std::string& name, const std::string& value) {
    after_unknown_ = false;
    const SourcePlace where{"flag --" + name, 0, 0};
    if (name == "help") {
      parsed_.wants_help = true;
    } else if (name == "version") {
      parsed_.wants_version = true;
    } else if (name == "config") {
      parsed_.config = value;
    } else if (name == "node-conf") {
      parsed_.node_conf = value;
    } else if (is_legacy_flag(name)) {
      diagnostics_.note(1020, where, "--" + name + " has no effect",
                        std::string(find_legacy_name(name)->reason));
    } else {
      add(name, value, where);
    }
  }

  // A flag given twice: lists grow, anything else must not disagree with itself.
  void add(const std::string& name, const std::string& value, const SourcePlace& where) {
    const auto before = std::find_if(assignments_.begin(), assignments_.end(),
                                     [&](const auto& each) { return each.name == name; });
    if (before == assignments_.end()) {
      assignments_.push_back({name, value, where});
    } else if (takes_list(name)) {
      before->value += "," + value;
    } else if (before->value != value) {
      diagnostics_.error(1019, where,
                         "given twice, with \"" + before->value.substr(0, 80) + "\" and \"" +
                             value.substr(0, 80) + "\"",
                         "keep one");
    }
  }

  static bool takes_list(const std::string& name) {
    for (const auto& spec : setting_specs()) {
      const auto names = flag_names(spec);
      if (std::find(names.begin(), names.end(), name) != names.end()) {
        return spec.form == SettingForm::list;
      }
    }
    return false;
  }

  Diagnostics& diagnostics_;
  ParsedFlags parsed_;
  std::vector<Assignment> assignments_;
  bool after_unknown_ = false;
};

}  // namespace

ParsedFlags parse_flags(const std::vector<std::string>& arguments, Diagnostics& diagnostics) {
  const auto options = make_options();
  const auto style =
      po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  FlagReader reader(diagnostics);
  try {
    const auto parsed =
        po::command_line_parser(arguments).options(options).style(style).allow_unregistered().run();
    for (const auto& option : parsed.options) reader.read(option);
  } catch (const std::exception& problem) {
    diagnostics.error(1018, {"command line", 0, 0}, problem.what(), "see --help");
  }
  return reader.finish();
}

std::string describe_flags(std::span<const std::string_view> sections) {
  std::string text =
      "  --config FILE        cluster file (cluster.yaml or distributed_hosts.yaml)\n"
      "                       RIFTBUS_CONFIG; else /etc/riftbus/cluster.yaml if there\n"
      "  --node-conf FILE     this node's KEY=VALUE file\n"
      "                       RIFTBUS_NODE_CONF; else /etc/riftbus/node.conf or\n"
      "                       /etc/ringrift/node.conf if there\n";
  const NodeSettings defaults;
  for (const auto& spec : setting_specs()) {
    const auto belongs = [&](std::string_view section) { return spec.key.starts_with(section); };
    if (!sections.empty() && std::ranges::none_of(sections, belongs)) continue;
    std::string line = "  --" + spec.flag();
    if (spec.form != SettingForm::boolean) line += spec.form == SettingForm::list ? " A,B" : " X";
    line.resize(std::max<std::size_t>(line.size() + 1, 23), ' ');
    text += line + std::string(spec.meaning);
    const auto value = spec.read(defaults);
    if (!value.empty()) text += " [" + value.front() + "]";
    if (!spec.unit.empty()) text += " " + std::string(spec.unit);
    text += "\n" + std::string(23, ' ') + spec.environment_name() + "\n";
  }
  return text;
}

}  // namespace riftbus
