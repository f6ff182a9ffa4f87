// status, node list|show, link list|ping: one question, one document.
#include <algorithm>
#include <ostream>

#include "config/settings.h"
#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kStatus{nullptr, "node", render_status};
constexpr Shape kNodeList{"nodes", "id", render_node_list};
constexpr Shape kNodeShow{nullptr, "subject", render_node_show};
constexpr Shape kLinkList{"links", "peer", render_link_list};
constexpr Shape kPing{nullptr, "peer", render_ping};
constexpr std::uint64_t kPingsMax = 1000;

const std::vector<std::string_view>& standings() {
  static const std::vector<std::string_view> kWords{"alive", "suspect", "dead", "left",
                                                    "unreachable"};
  return kWords;
}

int show_status(Context& context) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto status = (*session)->ask("status");
  if (!status.ok()) return report(context, status.error());
  print_document(context, *status, kStatus);
  return text(*status, {"state"}) == "ok" ? kExitOk : kExitFalse;
}

Result<std::vector<std::string>> wanted_standings(const Context& context) {
  const auto given = context.invocation.find("status");
  if (!given) return std::vector<std::string>();
  auto words = split_list(*given);
  for (const auto& word : words) {
    const auto& known = standings();
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      return unknown_word_error("standing", word, known);
    }
  }
  return words;
}

void keep_standings(const std::vector<std::string>& wanted, Json& document) {
  if (wanted.empty()) return;
  Json kept = Json::array();
  for (const auto& node : get(document, {"nodes"})) {
    const std::string standing = text(node, {"standing"});
    if (std::find(wanted.begin(), wanted.end(), standing) != wanted.end()) kept.push_back(node);
  }
  document["nodes"] = std::move(kept);
}

int show_node_list(Context& context) {
  auto wanted = wanted_standings(context);
  if (!wanted.ok()) return report(context, wanted.error());
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto list = (*session)->ask_list("node.list", "nodes");
  if (!list.ok()) return report(context, list.error());
  keep_standings(*wanted, *list);
  print_document(context, *list, kNodeList);
  return kExitOk;
}

// What only the node itself knows. One that runs no work, or does not answer, leaves it out.
void add_jobs(Session& session, const std::string& id, Json& node) {
  const auto subject = NodeId::parse(id);
  if (!subject.ok() || text(node, {"member", "standing"}) != "alive") return;
  Result<Json> jobs = Json();
  if (*subject == session.entry()) {
    jobs = session.ask("job.list");
  } else {
    auto list = session.ask_list("node.list", "nodes");
    if (!list.ok()) return;
    jobs = session.ask_many({*subject}, *list, "job.list", {}).front().answer;
  }
  if (!jobs.ok()) return;
  node["jobs"] = {{"running", get(*jobs, {"jobs"}).size()},
                  {"slots", get(*jobs, {"slots"})},
                  {"draining", flag(*jobs, {"draining"})},
                  {"evicting", flag(*jobs, {"evicting"})}};
}

int show_node(Context& context) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto node = (*session)->ask("node.show", {{"id", context.invocation.arguments.front()}});
  if (!node.ok()) return report(context, node.error());
  add_jobs(**session, context.invocation.arguments.front(), *node);
  print_document(context, *node, kNodeShow);
  return kExitOk;
}

int show_link_list(Context& context) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto list = (*session)->ask_list("link.list", "links");
  if (!list.ok()) return report(context, list.error());
  print_document(context, *list, kLinkList);
  return kExitOk;
}

struct PingTotals {
  std::uint64_t answered = 0;
  double fastest_ms = 0;
  double slowest_ms = 0;
  double sum_ms = 0;

  void add(double ms) {
    fastest_ms = answered == 0 ? ms : std::min(fastest_ms, ms);
    slowest_ms = std::max(slowest_ms, ms);
    sum_ms += ms;
    ++answered;
  }
};

void print_totals(Context& context, const PingTotals& totals, std::uint64_t count) {
  const bool for_people =
      context.globals().format == Format::table || context.globals().format == Format::wide;
  if (!for_people) return;
  context.out << totals.answered << " of " << count << " answered";
  if (totals.answered > 0) {
    context.out << ", fastest " << rtt_text(totals.fastest_ms) << ", mean "
                << rtt_text(totals.sum_ms / static_cast<double>(totals.answered)) << ", slowest "
                << rtt_text(totals.slowest_ms);
  }
  context.out << "\n";
}

}  // namespace

int run_status(Context& context) { return run_watched(context, show_status); }
int run_node_list(Context& context) { return run_watched(context, show_node_list); }
int run_node_show(Context& context) { return run_watched(context, show_node); }
int run_link_list(Context& context) { return run_watched(context, show_link_list); }

int run_link_ping(Context& context) {
  auto count = parse_count(context.invocation.find("count").value_or("3"), "--count", 1, kPingsMax);
  if (!count.ok()) return report(context, count.error());
  // The node must give up before we do, so that its answer says why.
  const Millis timeout = std::min(context.globals().timeout, Millis(10'000));
  auto session = Session::open(context, timeout + Millis(1000));
  if (!session.ok()) return report(context, session.error());
  PingTotals totals;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto ping = (*session)->ask("link.ping", {{"id", context.invocation.arguments.front()},
                                              {"timeout_ms", std::to_string(timeout.count())}});
    if (!ping.ok()) return report(context, ping.error());
    print_document(context, *ping, kPing);
    if (const auto ms = real(*ping, {"rtt_ms"})) totals.add(*ms);
  }
  print_totals(context, totals, *count);
  return totals.answered > 0 ? kExitOk : kExitFalse;
}

}  // namespace riftbus::ctl
