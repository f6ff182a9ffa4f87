// leader show|transfer|policy|recover, voter list|add|remove, why leader.
#include <ostream>

#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kLeader{nullptr, "leader", render_leader};
constexpr Shape kVoters{"voters", "id", render_voters};
constexpr Shape kWhyLeader{"voters", "id", render_why_leader};
constexpr std::uint16_t kAskLeader = 1729;  // of a node whose word does not do for an order
constexpr Shape kDone{nullptr, "subject", render_accepted};

int ask_or_follow(Context& context, const std::string& query, const Arguments& arguments,
                  const Shape& shape) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto document = (*session)->ask(query, arguments);
  if (!document.ok() && document.error().code == kAskLeader) {
    if (auto status = (*session)->follow_leader(); !status.ok()) {
      return report(context, status.error());
    }
    document = (*session)->ask(query, arguments);
  }
  if (!document.ok()) return report(context, document.error());
  print_document(context, *document, shape);
  const bool nobody = shape.render == render_leader && get(*document, {"leader"}).is_null();
  return nobody ? kExitFalse : kExitOk;
}

Arguments id_of(const Context& context) {
  if (context.invocation.arguments.empty()) return {};
  return {{"id", context.invocation.arguments.front()}};
}

}  // namespace

int run_leader_show(Context& context) {
  return run_watched(context,
                     [](Context& one) { return ask_or_follow(one, "leader.show", {}, kLeader); });
}
int run_leader_transfer(Context& context) {
  return ask_or_follow(context, "leader.transfer", id_of(context), kDone);
}
int run_leader_policy(Context& context) {
  Arguments arguments;
  if (const auto policy = context.invocation.find("set")) arguments["policy"] = *policy;
  return ask_or_follow(context, "leader.policy", arguments, kLeader);
}
int run_leader_recover(Context& context) {
  return ask_or_follow(context, "leader.recover", {}, kDone);
}
int run_voter_list(Context& context) {
  return run_watched(context,
                     [](Context& one) { return ask_or_follow(one, "voter.list", {}, kVoters); });
}
int run_voter_add(Context& context) {
  return ask_or_follow(context, "voter.add", id_of(context), kDone);
}
int run_voter_remove(Context& context) {
  return ask_or_follow(context, "voter.remove", id_of(context), kDone);
}
int run_why_leader(Context& context) {
  return run_watched(context,
                     [](Context& one) { return ask_or_follow(one, "why.leader", {}, kWhyLeader); });
}

}  // namespace riftbus::ctl
