// wait: until the cluster is as it was asked to be, or the time is up.
#include <algorithm>
#include <ostream>
#include <thread>

#include "bus/clock.h"
#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

namespace {

constexpr Millis kWaitDefault{60'000};
constexpr Millis kWaitPollEvery{200};
constexpr Millis kQuestionMax{2'000};
constexpr std::uint64_t kWaitNodesMax = 1'000'000;
constexpr std::uint16_t kNoSuchNode = 1504;

struct Wanted {
  std::optional<std::uint64_t> nodes_min;
  std::string id;  // empty: no member in particular
  std::string standing;
};

// What is still missing; empty: nothing.
struct Seen {
  bool reached = false;
  std::string state;
};

Result<Wanted> read_wanted(const Invocation& invocation) {
  Wanted wanted;
  if (const auto nodes = invocation.find("nodes-min")) {
    auto count = parse_count(*nodes, "--nodes-min", 1, kWaitNodesMax);
    if (!count.ok()) return count.error();
    wanted.nodes_min = *count;
  }
  if (!invocation.arguments.empty()) wanted.id = invocation.arguments.front();
  wanted.standing = invocation.find("standing").value_or("alive");
  if (wanted.id.empty() && invocation.has("standing")) {
    return Error{1501, "--standing of whom?", "", "write riftbus wait ID --standing dead"};
  }
  if (wanted.id.empty() && !wanted.nodes_min) {
    return Error{1501, "wait for what?", "", "give ID or --nodes-min N; see riftbus wait --help"};
  }
  return wanted;
}

Result<Seen> look_at_count(Session& session, std::uint64_t nodes_min) {
  auto status = session.ask("status");
  if (!status.ok()) return status.error();
  const auto alive = integer(*status, {"members", "alive"}).value_or(0);
  return Seen{alive >= static_cast<std::int64_t>(nodes_min), std::to_string(alive) + " alive"};
}

Result<Seen> look_at_member(Session& session, const Wanted& wanted) {
  auto node = session.ask("node.show", {{"id", wanted.id}});
  if (!node.ok()) {
    if (node.error().code == kNoSuchNode) return Seen{false, wanted.id + " was never seen"};
    return node.error();
  }
  const std::string standing = text(*node, {"member", "standing"});
  return Seen{standing == wanted.standing, wanted.id + " is " + standing};
}

Result<Seen> look(Context& context, const Wanted& wanted) {
  auto session = Session::open(context, std::min(context.globals().timeout, kQuestionMax));
  if (!session.ok()) return session.error();
  Seen all{true, ""};
  if (wanted.nodes_min) {
    auto seen = look_at_count(**session, *wanted.nodes_min);
    if (!seen.ok()) return seen;
    all = *seen;
  }
  if (!wanted.id.empty()) {
    auto seen = look_at_member(**session, wanted);
    if (!seen.ok()) return seen;
    all.reached = all.reached && seen->reached;
    all.state += (all.state.empty() ? "" : ", ") + seen->state;
  }
  return all;
}

}  // namespace

int run_wait(Context& context) {
  auto wanted = read_wanted(context.invocation);
  if (!wanted.ok()) return report(context, wanted.error());
  const Millis limit = context.globals().timeout_given ? context.globals().timeout : kWaitDefault;
  const TimePoint start = bus::boot_now();
  std::string state = "nothing was seen";
  while (true) {
    auto seen = look(context, *wanted);
    if (!seen.ok() && !may_pass(seen.error())) return report(context, seen.error());
    state = seen.ok() ? seen->state : seen.error().what;
    if (seen.ok() && seen->reached) {
      context.out << state << " after " << format_span(bus::boot_now() - start) << "\n";
      return kExitOk;
    }
    if (bus::boot_now() - start >= limit) break;
    std::this_thread::sleep_for(kWaitPollEvery);
  }
  return report(context, Error{1509, "not reached within " + format_span(limit) + ": " + state, "",
                               "see riftbus status, or wait longer with --timeout"});
}

}  // namespace riftbus::ctl
