// work list|show|cancel|retry|history|stats, why work, node drain|resume.
#include <algorithm>
#include <ostream>

#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"
#include "node/ctl/work_input.h"
#include "node/ctl/work_sender.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kList{"works", "id", render_work_list};
constexpr Shape kShow{nullptr, "work", render_work_show};
constexpr Shape kWhyWork{nullptr, "work", render_work_why};
constexpr Shape kStats{"kinds", "kind", render_work_stats};
constexpr Shape kVerdicts{"works", "id", render_work_verdicts};
constexpr Shape kJobs{"jobs", "id", render_jobs};
constexpr std::uint64_t kWorkLinesMax = 1'000'000;

// `must_hold`: a flag of the answer without which the exit status says no.
int ask_and_print(Context& context, const std::string& query, const Arguments& arguments,
                  const Shape& shape, const char* must_hold = nullptr) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto document = (*session)->ask(query, arguments);
  if (!document.ok()) return report(context, document.error());
  print_document(context, *document, shape);
  return must_hold == nullptr || flag(*document, {must_hold}) ? kExitOk : kExitFalse;
}

int show_one(Context& context, const std::string& query, const Shape& shape,
             const char* must_hold = nullptr) {
  auto id = read_id(context.invocation.arguments);
  if (!id.ok()) return report(context, id.error());
  return ask_and_print(context, query, {{"id", std::to_string(*id)}}, shape, must_hold);
}

Arguments filter_arguments(const Context& context) {
  Arguments arguments;
  for (const auto& [option, argument] : {std::pair{"state", "state"}, std::pair{"kind", "kind"},
                                         std::pair{"group", "group"}, std::pair{"on", "node"}}) {
    if (const auto value = context.invocation.find(option)) arguments[argument] = *value;
  }
  if (arguments["state"] == "running") arguments["state"] = "leased";  // as the queue calls it
  if (arguments["state"].empty()) arguments.erase("state");
  return arguments;
}

// Pages follow each other until enough is there.
int show_list(Context& context, const std::string& query) {
  auto lines =
      parse_count(context.invocation.find("lines").value_or("200"), "--lines", 1, kWorkLinesMax);
  if (!lines.ok()) return report(context, lines.error());
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  Arguments arguments = filter_arguments(context);
  Json whole;
  std::uint64_t left = *lines;
  do {
    arguments["limit"] = std::to_string(std::min<std::uint64_t>(left, 1000));
    auto page = (*session)->ask(query, arguments);
    if (!page.ok()) return report(context, page.error());
    const std::size_t count = get(*page, {"works"}).size();
    arguments["after"] = text(*page, {"after"});
    left -= std::min<std::uint64_t>(left, count);
    if (whole.is_null()) {
      whole = std::move(*page);
    } else {
      for (const Json& one : get(*page, {"works"})) whole["works"].push_back(one);
    }
    if (count == 0) break;
  } while (left > 0 && !arguments["after"].empty());
  whole.erase("after");
  print_document(context, whole, kList);
  return kExitOk;
}

// Gives the command for each part of the ids; prints what came of each.
template <class Command>
int change_works(Context& context, const char* name, const std::string& question) {
  auto ranges = read_ids(context.invocation.arguments);
  if (!ranges.ok()) return report(context, ranges.error());
  const auto ids = list_ids(*ranges);
  if (ids.size() > 1) {
    const Status sure = confirm(context, question + " " + std::to_string(ids.size()) + " items?");
    if (!sure.ok()) return report(context, sure.error());
  }
  WorkSender sender(context, context.globals().timeout);
  Json document{{"schema", 1}, {"document", name}, {"works", Json::array()}};
  bool is_well = true;
  for (std::size_t at = 0; at < ids.size(); at += work::kBatchMax) {
    Command command;
    const std::size_t end = std::min(ids.size(), at + work::kBatchMax);
    for (std::size_t i = at; i < end; ++i) command.ids.push_back(ids[i]);
    auto reply = sender.send(command);
    if (!reply.ok()) return report(context, in_doubt(reply.error()));
    const auto* verdicts = std::get_if<work::Verdicts>(&*reply);
    if (verdicts == nullptr || verdicts->outcome != work::Outcome::ok) {
      const auto outcome = verdicts ? verdicts->outcome : work::Outcome::bad_value;
      return report(context,
                    Error{kQueueRefused,
                          std::string("the queue refused: ") + work::to_string(outcome), "", ""});
    }
    for (const auto& one : verdicts->works) {
      is_well =
          is_well && (one.outcome == work::Outcome::ok || one.outcome == work::Outcome::repeated);
      const bool has_state = one.outcome != work::Outcome::unknown;
      document["works"].push_back(
          {{"id", one.id.value()},
           {"outcome", work::to_string(one.outcome)},
           {"state", has_state ? Json(work::to_string(one.state)) : Json()}});
    }
  }
  print_document(context, document, kVerdicts);
  return is_well ? kExitOk : kExitFalse;
}

// Asks one node by name, through the entry node's knowledge of where it is.
Result<Json> ask_node(Session& session, const NodeId& node, const std::string& query,
                      const Arguments& arguments) {
  if (node == session.entry()) return session.ask(query, arguments);
  auto list = session.ask_list("node.list", "nodes");
  if (!list.ok()) return list.error();
  return session.ask_many({node}, *list, query, arguments).front().answer;
}

// Only the node itself decides what it takes.
int tell_node(Context& context, const std::string& mode) {
  auto node = NodeId::parse(context.invocation.arguments.front());
  if (!node.ok()) return report(context, node.error());
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto answer = ask_node(**session, *node, "job.drain", {{"mode", mode}});
  if (!answer.ok()) return report(context, answer.error());
  print_document(context, *answer, kJobs);
  return kExitOk;
}

}  // namespace

int run_work_list(Context& context) {
  return run_watched(context, [](Context& one) { return show_list(one, "work.list"); });
}
int run_work_history(Context& context) {
  return run_watched(context, [](Context& one) { return show_list(one, "work.history"); });
}
int run_work_show(Context& context) {
  return run_watched(context, [](Context& one) { return show_one(one, "work.show", kShow); });
}
int run_why_work(Context& context) {
  return run_watched(context,
                     [](Context& one) { return show_one(one, "why.work", kWhyWork, "known"); });
}
int run_work_stats(Context& context) {
  return run_watched(context,
                     [](Context& one) { return ask_and_print(one, "work.stats", {}, kStats); });
}
int run_work_cancel(Context& context) {
  return change_works<work::Cancel>(context, "work.cancel", "cancel");
}
int run_work_retry(Context& context) {
  return change_works<work::Kick>(context, "work.retry", "retry");
}
int run_node_drain(Context& context) {
  return tell_node(context, context.invocation.has("evict") ? "evict" : "drain");
}
int run_node_resume(Context& context) { return tell_node(context, "resume"); }

}  // namespace riftbus::ctl
