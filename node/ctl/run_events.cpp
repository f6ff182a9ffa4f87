// event list|tail: the journal of one node, read by cursor.
#include <ostream>
#include <thread>

#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

namespace {

constexpr Millis kEventPollEvery{500};
constexpr std::uint64_t kEventLinesMax = 1000;

std::string render_events(const Json& document, Style style) {
  std::string out;
  for (const auto& event : get(document, {"events"})) out += render_event(event, style) + "\n";
  return out;
}
constexpr Shape kEvents{"events", "subject", render_events};

Result<Arguments> first_arguments(const Context& context) {
  const std::string lines = context.invocation.find("lines").value_or("20");
  auto count = parse_count(lines, "--lines", 1, kEventLinesMax);
  if (!count.ok()) return count.error();
  return Arguments{{"limit", lines}};
}

int show_events(Context& context) {
  auto arguments = first_arguments(context);
  if (!arguments.ok()) return report(context, arguments.error());
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto events = (*session)->ask("event.list", *arguments);
  if (!events.ok()) return report(context, events.error());
  print_document(context, *events, kEvents);
  return kExitOk;
}

// A follower prints events one by one, whatever the format: an array would never end.
void print_events(Context& context, const Json& page) {
  if (flag(page, {"restarted"})) say(context, text(page, {"node"}) + " was restarted");
  const auto lost = integer(page, {"lost"}).value_or(0);
  if (lost > 0) say(context, std::to_string(lost) + " events passed by unread");
  for (const auto& event : get(page, {"events"})) {
    switch (context.globals().format) {
      case Format::json:
      case Format::jsonl:
        context.out << compact(event) << "\n";
        break;
      case Format::name:
        context.out << text(event, {"subject"}) << "\n";
        break;
      case Format::table:
      case Format::wide:
        context.out << render_event(event, style_of(context)) << "\n";
        break;
    }
  }
  context.out.flush();
}

// Follows one connection until it breaks; `arguments` then say where to go on.
Error follow(Context& context, Session& session, Arguments& arguments) {
  while (context.out.good()) {
    auto page = session.ask("event.list", arguments);
    if (!page.ok()) return page.error();
    print_events(context, *page);
    arguments = {{"since", text(*page, {"cursor"})}, {"limit", std::to_string(kEventLinesMax)}};
    if (!flag(*page, {"more"})) std::this_thread::sleep_for(kEventPollEvery);
  }
  return Error{1516, "the output was closed", "", ""};
}

}  // namespace

int run_event_list(Context& context) { return run_watched(context, show_events); }

int run_event_tail(Context& context) {
  auto arguments = first_arguments(context);
  if (!arguments.ok()) return report(context, arguments.error());
  bool followed = false;
  while (true) {
    auto session = Session::open(context);
    Error error;
    if (session.ok()) {
      error = follow(context, **session, *arguments);
      followed = true;
    } else {
      error = session.error();
    }
    // Who follows a node wants to see it come back.
    if (!followed || !may_pass(error) || !context.out.good()) return report(context, error);
    say(context, error.to_string() + "; trying again");
    std::this_thread::sleep_for(kWatchDefault);
  }
}

}  // namespace riftbus::ctl
