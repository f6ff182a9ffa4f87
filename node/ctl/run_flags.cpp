// flag list, flag set: what each node may be told apart from its configuration.
#include <algorithm>

#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

namespace {

std::string render_flags(const Json& document, Style style) {
  TextTable table({"NODE", "MEMBERSHIP", "CONFIGURED", "POLICY", "VOTES"});
  for (const auto& node : get(document, {"nodes"})) {
    table.add({text(node, {"node"}), text(node, {"membership"}),
               text(node, {"membership_configured"}), text(node, {"policy"}),
               flag(node, {"votes"}) ? "yes" : "no"});
  }
  std::string out = table.empty() ? "" : table.print(style.color);
  for (const auto& node : get(document, {"silent"})) {
    out += text(node, {"node"}) + " did not: " + text(node, {"what"}) + "\n";
  }
  return out;
}

constexpr Shape kFlags{"nodes", "node", render_flags};

// Who has left has nothing to say, who is dead is worth a line.
Result<std::vector<Said>> ask_all(Session& session, const Arguments& arguments) {
  auto list = session.ask_list("node.list", "nodes");
  if (!list.ok()) return list.error();
  std::vector<NodeId> others;
  for (const auto& node : get(*list, {"nodes"})) {
    auto id = NodeId::parse(text(node, {"id"}));
    if (!id.ok() || *id == session.entry() || text(node, {"standing"}) == "left") continue;
    others.push_back(std::move(*id));
  }
  auto said = session.ask_many(others, *list, "node.flags", arguments);
  said.insert(said.begin(), {session.entry(), session.ask("node.flags", arguments)});
  return said;
}

Result<std::vector<Said>> ask_one(Session& session, const std::string& name,
                                  const Arguments& arguments) {
  auto id = NodeId::parse(name);
  if (!id.ok()) return id.error();
  if (*id == session.entry()) return std::vector<Said>{{*id, session.ask("node.flags", arguments)}};
  auto list = session.ask_list("node.list", "nodes");
  if (!list.ok()) return list.error();
  return session.ask_many({*id}, *list, "node.flags", arguments);
}

int ask_flags(Context& context, const Arguments& arguments) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  const auto& names = context.invocation.arguments;
  auto said =
      names.empty() ? ask_all(**session, arguments) : ask_one(**session, names.front(), arguments);
  if (!said.ok()) return report(context, said.error());
  Json document{{"schema", 1},
                {"document", "flag.list"},
                {"asked", (*session)->entry().value()},
                {"nodes", Json::array()},
                {"silent", Json::array()}};
  for (const auto& each : *said) {
    if (each.answer.ok()) {
      document["nodes"].push_back(*each.answer);
      continue;
    }
    const Error& error = each.answer.error();
    document["silent"].push_back(
        {{"node", each.node.value()}, {"code", error.code}, {"what", error.what}});
  }
  print_document(context, document, kFlags);
  return get(document, {"silent"}).empty() ? kExitOk : kExitFalse;
}

}  // namespace

int run_flag_list(Context& context) { return ask_flags(context, {}); }

int run_flag_set(Context& context) {
  Arguments arguments;
  for (const char* name : {"membership", "policy"}) {
    if (const auto value = context.invocation.find(name)) arguments[name] = *value;
  }
  if (arguments.empty()) {
    return report(context,
                  Error{1501, "nothing is to be set", "", "give --membership or --policy"});
  }
  return ask_flags(context, arguments);
}

}  // namespace riftbus::ctl
