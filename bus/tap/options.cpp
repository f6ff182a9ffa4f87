#include "bus/tap/options.h"

#include <boost/program_options.hpp>
#include <sstream>

namespace riftbus::tap {

namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

Error usage_error(const std::string& what) {
  return {1559, what, "riftbus-tap", "see riftbus-tap --help"};
}

po::options_description describe() {
  po::options_description all("Options");
  auto add = all.add_options();
  add("help,h", "this text");
  add("version", "the version");
  add("node", po::value<Words>()->composing(),
      "node to tap: ID, HOST[:PORT] or ID@HOST[:PORT]; repeatable (the one on this machine)");
  add("on", po::value<Words>()->composing(),
      "id of a further node to tap, found through the first one; repeatable");
  add("all", "tap every member");
  add("count,c", po::value<std::uint64_t>(), "end after so many messages");
  add("filter,Y", po::value<std::string>(), "keep only these, see below");
  add("output,o", po::value<std::string>(), "text, json, or fields=kind,from,size,... (text)");
  add("summary,z", po::value<std::string>(),
      "instead of messages: rate,1s | top,kind (or another field) | latency");
  add("write,w", po::value<std::string>(), "record to this file as JSON lines");
  add("ring", po::value<std::string>(), "keep the newest FILESxSIZE of the record (10x64M)");
  add("read,r", po::value<std::string>(), "read a record instead of tapping");
  add("payloads", "fetch whole messages too; takes a key with the admin role");
  add("timeout", po::value<std::string>(), "for each connection and question: 5s, 500ms (5s)");
  add("retry", po::value<std::string>(),
      "how long to try again when a node goes away: 5m, 0 for not at all (60s)");
  add("key", po::value<std::string>(),
      "directory with your key, authority.pub and roster (RIFTBUS_KEY, ~/.config/riftbus/*)");
  add("cluster", po::value<std::string>(), "which of ~/.config/riftbus/* (RIFTBUS_CLUSTER)");
  add("config", po::value<std::string>(),
      "cluster file, for addresses (/etc/riftbus/cluster.yaml)");
  add("insecure", "without keys, on loopback only");
  return all;
}

// What every command of `riftbus` takes, and has no place in the help of a tap.
po::options_description describe_shared() {
  po::options_description shared;
  auto add = shared.add_options();
  add("color", po::value<std::string>(), "");
  add("yes,y", "");
  add("dry-run", "");
  add("watch", po::value<std::string>(), "");
  return shared;
}

Status check_shared(const po::variables_map& given) {
  if (given.count("watch") != 0) {
    return usage_error(
        "--watch makes no sense: a tap is live; for a table each 2 s use -z rate,2s");
  }
  if (given.count("dry-run") != 0) {
    return usage_error("--dry-run makes no sense: a tap changes nothing");
  }
  if (given.count("color") == 0) return Ok{};
  const auto& when = given["color"].as<std::string>();
  if (when == "auto" || when == "never") return Ok{};
  return usage_error(when == "always" ? "--color always: a tap prints no colours"
                                      : "--color takes auto, always or never");
}

constexpr const char* kIntroduction =
    "riftbus-tap: watch the messages of a running cluster\n\n"
    "Usage: riftbus tap [OPTION...]\n\n"
    "Needs a key with the tap or admin role. A tap never slows a node: what does not fit its "
    "queue\n"
    "is dropped, and the count is shown at once, at the end and in records. A node that goes away "
    "is\n"
    "tried again for a while. Ctrl-C ends it.\n\n";
constexpr const char* kExamples =
    "\nFilters: kind (or topic) from to peer node dir channel seq corr size summary, and words of\n"
    "summaries such as standing subject by evidence inc; operators = != =^ (begins) =~ (contains)\n"
    "< <= > >=; and or not ( ); * and ? in values; 1k 1M 1Ki.\n\n"
    "Examples:\n"
    "  riftbus tap -c 20\n"
    "  riftbus tap --all -Y 'kind=gossip and standing=suspect'\n"
    "  riftbus tap --on n3 -Y 'channel=call size>1k' -o json\n"
    "  riftbus tap -w /tmp/tap.jsonl --ring 10x64M\n"
    "  riftbus tap -r /tmp/tap.jsonl -z latency\n";

std::string text_of(const po::variables_map& given, const char* name) {
  return given.count(name) == 0 ? "" : given[name].as<std::string>();
}

// "5", "5s", "500ms"; as `rate` takes them.
Status read_span(const po::variables_map& given, const char* name, Millis& span) {
  if (given.count(name) == 0) return Ok{};
  const std::string text = text_of(given, name);
  auto spec = parse_summary("rate," + text);
  if (!spec.ok()) return usage_error("not a span of time: \"" + text + "\"");
  span = std::get<RateSpec>(*spec).interval;
  return Ok{};
}

Status read_texts(const po::variables_map& given, Options& options) {
  options.filter_text = text_of(given, "filter");
  auto filter = Filter::parse(options.filter_text);
  if (!filter.ok()) return filter.error();
  options.filter = std::move(*filter);
  if (given.count("output") != 0) {
    auto format = parse_format(text_of(given, "output"));
    if (!format.ok()) return format.error();
    options.format = std::move(*format);
  }
  if (given.count("summary") != 0) {
    auto summary = parse_summary(text_of(given, "summary"));
    if (!summary.ok()) return summary.error();
    options.summary = *summary;
  }
  if (given.count("ring") != 0) {
    auto ring = parse_ring(text_of(given, "ring"));
    if (!ring.ok()) return ring.error();
    options.ring = *ring;
  }
  if (auto status = read_span(given, "timeout", options.timeout); !status.ok()) return status;
  if (text_of(given, "retry") == "0") {
    options.retry = Millis{0};
    return Ok{};
  }
  return read_span(given, "retry", options.retry);
}

Status read_nodes(const po::variables_map& given, Options& options) {
  if (given.count("node") != 0) options.nodes = given["node"].as<Words>();
  options.all = given.count("all") != 0;
  if (given.count("on") == 0) return Ok{};
  for (const auto& word : given["on"].as<Words>()) {
    auto id = NodeId::parse(word);
    if (!id.ok()) return id.error();
    options.on.push_back(std::move(*id));
  }
  return Ok{};
}

Status check_together(const po::variables_map& given, const Options& options) {
  if (!options.read.empty()) {
    for (const char* live : {"node", "on", "all", "write", "payloads"}) {
      if (given.count(live) == 0) continue;
      return usage_error("-r reads a record: --" + std::string(live) + " makes no sense with it");
    }
  }
  if (given.count("ring") != 0 && options.write.empty()) {
    return usage_error("--ring is about a record: name it with -w");
  }
  if (given.count("count") != 0 && options.count == 0) {
    return usage_error("-c takes a number from 1");
  }
  return Ok{};
}

Result<po::variables_map> parse_words(const std::vector<std::string>& arguments) {
  using Style = po::command_line_style::style_t;
  const auto style = po::command_line_style::unix_style & ~Style::allow_guessing;
  po::variables_map given;
  try {
    const po::positional_options_description none;
    po::options_description known = describe();
    known.add(describe_shared());
    po::store(po::command_line_parser(arguments).options(known).positional(none).style(style).run(),
              given);
    po::notify(given);
  } catch (const po::error& error) {
    return usage_error(error.what());
  }
  return given;
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  auto words = parse_words(arguments);
  if (!words.ok()) return words.error();
  const po::variables_map& given = *words;
  Options options;
  options.wants_help = given.count("help") != 0;
  options.wants_version = given.count("version") != 0;
  if (given.count("count") != 0) options.count = given["count"].as<std::uint64_t>();
  options.write = text_of(given, "write");
  options.read = text_of(given, "read");
  options.payloads = given.count("payloads") != 0;
  options.home = {text_of(given, "key"), text_of(given, "cluster"), text_of(given, "config"),
                  given.count("insecure") != 0};
  for (const auto& status :
       {check_shared(given), read_texts(given, options), read_nodes(given, options)}) {
    if (!status.ok()) return status.error();
  }
  if (auto status = check_together(given, options); !status.ok()) return status.error();
  return options;
}

std::string describe_options() {
  std::ostringstream out;
  out << kIntroduction << describe() << kExamples;
  return out.str();
}

}  // namespace riftbus::tap
