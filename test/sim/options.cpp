#include "test/sim/options.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace riftbus::sim {

namespace {

Options bad(const std::string& what) {
  Options options;
  options.problem = what;
  return options;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
}

bool read_seeds(std::string_view text, Options& options) {
  const auto dots = text.find("..");
  if (dots == std::string_view::npos) {
    return read_number(text, options.seed_first) && read_number(text, options.seed_last);
  }
  return read_number(text.substr(0, dots), options.seed_first) &&
         read_number(text.substr(dots + 2), options.seed_last) &&
         options.seed_first <= options.seed_last;
}

bool read_sizes(std::string_view text, Options& options) {
  options.sizes.clear();
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::size_t size = 0;
    if (!read_number(text.substr(0, comma), size) || size < 8 || size > 2000) return false;
    options.sizes.push_back(size);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return !options.sizes.empty();
}

bool read_value(const std::string& name, const std::string& value, Options& options) {
  if (name == "--scenario") {
    options.scenarios.push_back(value);
    return true;
  }
  if (name == "--seed" || name == "--seeds") return read_seeds(value, options);
  if (name == "--seeds-env") return read_number(value, options.seeds_env);
  if (name == "--nodes") return read_number(value, options.nodes.emplace());
  if (name == "--minutes") return read_number(value, options.minutes.emplace());
  if (name == "--jobs") return read_number(value, options.jobs) && options.jobs > 0;
  if (name == "--tail") return read_number(value, options.tail);
  if (name == "--sizes") return read_sizes(value, options);
  if (name == "--json") {
    options.json = value;
    return true;
  }
  return false;
}

}  // namespace

const char* usage() {
  return "riftbus-sim [run] --scenario NAME|fast|all [--seeds A..B] [--jobs N]\n"
         "            [--nodes N] [--minutes M] [--json FILE] [--tail LINES] [--trace] [--quiet]\n"
         "            [--until-failure] [--seeds-env D: RIFTBUS_SIM_SEEDS/D seeds]\n"
         "riftbus-sim report [--sizes 50,200,1000] [--json FILE]\n"
         "riftbus-sim script [--rewrite] FILE...\n"
         "riftbus-sim list\n"
         "A failure prints its seed; `riftbus-sim --scenario NAME --seed N` replays it exactly.\n";
}

Options parse_options(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (i == 0 && (word == "run" || word == "report" || word == "script" || word == "list")) {
      options.command = word;
    } else if (word == "--help" || word == "-h") {
      options.command = "help";
    } else if (word == "--trace") {
      options.trace = true;
    } else if (word == "--rewrite") {
      options.rewrite = true;
    } else if (word == "--until-failure") {
      options.until_failure = true;
    } else if (word == "--quiet") {
      options.quiet = true;
    } else if (word.starts_with("--")) {
      if (i + 1 == arguments.size()) return bad(word + " needs a value");
      if (!read_value(word, arguments[++i], options)) {
        return bad("cannot use " + word + " " + arguments[i]);
      }
    } else {
      options.files.push_back(word);
    }
  }
  return options;
}

}  // namespace riftbus::sim
