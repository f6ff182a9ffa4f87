#include "node/ctl/output.h"

#include <iostream>
#include <sstream>
#include <thread>

#include "bus/clock.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kRoster{"entries", "id", render_roster};
constexpr const char* kHomeAndClear = "\x1b[H\x1b[2J";

void print_lines(Context& context, const Json& document, const Shape& shape) {
  if (shape.list == nullptr) {
    context.out << compact(document) << "\n";
    return;
  }
  for (const auto& item : get(document, {shape.list})) context.out << compact(item) << "\n";
}

// A word, a number, or what has one of them for its id.
std::string name_of(const Json& json, const char* key) {
  const Json& name = get(json, {key});
  if (name.is_object()) return name_of(name, "id");
  const auto number = integer(json, {key});
  return number ? std::to_string(*number) : text(json, {key});
}

void print_names(Context& context, const Json& document, const Shape& shape) {
  if (shape.list == nullptr) {
    context.out << name_of(document, shape.name) << "\n";
    return;
  }
  for (const auto& item : get(document, {shape.list})) {
    context.out << name_of(item, shape.name) << "\n";
  }
}

}  // namespace

std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Style style_of(const Context& context) {
  return {context.color, context.globals().format == Format::wide};
}

void print_document(Context& context, const Json& document, const Shape& shape) {
  switch (context.globals().format) {
    case Format::json:
      context.out << document.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
      break;
    case Format::jsonl:
      print_lines(context, document, shape);
      break;
    case Format::name:
      print_names(context, document, shape);
      break;
    case Format::table:
    case Format::wide:
      context.out << shape.render(document, style_of(context));
      break;
  }
  context.out.flush();
}

int print_roster(Context& context, const Roster& roster) {
  print_document(context, roster_document(roster, bus::wall_now_ms() / 1000), kRoster);
  return kExitOk;
}

int run_watched(Context& context, const std::function<int(Context&)>& once) {
  if (!context.globals().watch) return once(context);
  while (context.out.good()) {
    // Gathered first, so that the screen changes at once.
    std::ostringstream out;
    std::ostringstream err;
    Context quiet{context.invocation, context.environment, context.in,         out, err,
                  context.program,    context.color,       context.is_terminal};
    once(quiet);
    // On a screen the message takes the table's place; a pipe gets data and nothing else.
    if (context.is_terminal) {
      context.out << kHomeAndClear << out.str() << err.str() << std::flush;
    } else {
      context.err << err.str() << std::flush;
      context.out << out.str() << std::flush;
    }
    std::this_thread::sleep_for(*context.globals().watch);
  }
  return kExitOk;
}

}  // namespace riftbus::ctl
