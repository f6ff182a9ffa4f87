// relay list|show|drain|resume, tunnel list|restart.
#include <algorithm>

#include "node/ctl/commands.h"
#include "node/ctl/output.h"
#include "node/ctl/session.h"

namespace riftbus::ctl {

namespace {

constexpr Shape kRelays{"relays", "id", render_relays};
constexpr Shape kRelay{"sessions", "node", render_relay};
constexpr Shape kTunnels{"tunnels", "relay", render_tunnels};

// The node itself answers: the one that was reached, or another one at the addresses it knows.
Result<Json> ask_member(Session& session, const NodeId& node, const std::string& query,
                        const Arguments& arguments) {
  if (node == session.entry()) return session.ask(query, arguments);
  auto list = session.ask_list("node.list", "nodes");
  if (!list.ok()) return list.error();
  return session.ask_many({node}, *list, query, arguments).front().answer;
}

int show_relays(Context& context) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto list = (*session)->ask("relay.list");
  if (!list.ok()) return report(context, list.error());
  print_document(context, *list, kRelays);
  return get(*list, {"relays"}).empty() ? kExitFalse : kExitOk;
}

int show_relay(Context& context) {
  const Arguments arguments{{"id", context.invocation.arguments.front()}};
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto shown = (*session)->ask("relay.show", arguments);
  if (!shown.ok()) return report(context, shown.error());
  const auto id = NodeId::parse(text(*shown, {"relay", "id"}));
  const bool has_node = id.ok() && text(*shown, {"relay", "member"}) == "alive";
  if (has_node && *id != (*session)->entry()) {
    auto own = ask_member(**session, *id, "relay.show", arguments);
    if (own.ok()) (*shown)["sessions"] = get(*own, {"sessions"});
  }
  print_document(context, *shown, kRelay);
  return kExitOk;
}

int drain_relay(Context& context, const std::string& mode) {
  auto id = NodeId::parse(context.invocation.arguments.front());
  if (!id.ok()) return report(context, id.error());
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto answer = ask_member(**session, *id, "relay.drain", {{"mode", mode}});
  if (!answer.ok()) return report(context, answer.error());
  print_document(context, *answer, kRelay);
  return kExitOk;
}

// Whom relays lead to, as their records say.
std::vector<NodeId> relayed_members(const Json& list) {
  std::vector<NodeId> ids;
  for (const auto& node : get(list, {"nodes"})) {
    const auto& addresses = get(node, {"addresses"});
    const bool is_relayed = std::any_of(addresses.begin(), addresses.end(), [](const Json& one) {
      return text(one, {"kind"}) == "relay";
    });
    const std::string standing = text(node, {"standing"});
    auto id = NodeId::parse(text(node, {"id"}));
    if (is_relayed && id.ok() && standing != "dead" && standing != "left") {
      ids.push_back(std::move(*id));
    }
  }
  return ids;
}

void add_tunnels(const NodeId& node, const Json& answer, Json& document) {
  for (const auto& tunnel : get(answer, {"tunnels"})) {
    Json row{{"node", node.value()}};
    row.update(tunnel);
    document["tunnels"].push_back(std::move(row));
  }
  const std::string trouble = text(answer, {"trouble"});
  if (!trouble.empty()) document["troubles"].push_back({{"node", node.value()}, {"what", trouble}});
}

void add_said(const Said& said, Json& document) {
  if (said.answer.ok()) return add_tunnels(said.node, *said.answer, document);
  const Error& error = said.answer.error();
  document["silent"].push_back(
      {{"node", said.node.value()}, {"code", error.code}, {"what", error.what}});
}

Result<std::vector<Said>> ask_for_tunnels(Context& context, Session& session) {
  auto list = session.ask_list("node.list", "nodes");
  if (!list.ok()) return list.error();
  const auto& arguments = context.invocation.arguments;
  if (arguments.empty()) {
    return session.ask_many(relayed_members(*list), *list, "tunnel.list", {});
  }
  auto id = NodeId::parse(arguments.front());
  if (!id.ok()) return id.error();
  if (*id == session.entry()) return std::vector<Said>{{*id, session.ask("tunnel.list")}};
  return session.ask_many({*id}, *list, "tunnel.list", {});
}

int show_tunnels(Context& context) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  auto said = ask_for_tunnels(context, **session);
  if (!said.ok()) return report(context, said.error());
  Json document{{"schema", 1},
                {"document", "tunnel.list"},
                {"asked", (*session)->entry().value()},
                {"tunnels", Json::array()},
                {"troubles", Json::array()},
                {"silent", Json::array()}};
  for (const auto& each : *said) add_said(each, document);
  const bool is_one = !context.invocation.arguments.empty();
  if (is_one && !said->front().answer.ok()) return report(context, said->front().answer.error());
  print_document(context, document, kTunnels);
  return kExitOk;
}

int restart_tunnels(Context& context) {
  auto session = Session::open(context);
  if (!session.ok()) return report(context, session.error());
  Arguments arguments;
  if (const auto relay = context.invocation.find("relay")) arguments["relay"] = *relay;
  const auto& words = context.invocation.arguments;
  auto node = words.empty() ? Result<NodeId>((*session)->entry()) : NodeId::parse(words.front());
  if (!node.ok()) return report(context, node.error());
  auto answer = ask_member(**session, *node, "tunnel.restart", arguments);
  if (!answer.ok()) return report(context, answer.error());
  Json document{{"schema", 1},
                {"document", "tunnel.restart"},
                {"node", node->value()},
                {"restarted", get(*answer, {"restarted"})}};
  document["tunnels"] = Json::array();
  add_tunnels(*node, *answer, document);
  print_document(context, document, kTunnels);
  return kExitOk;
}

}  // namespace

int run_relay_list(Context& context) { return run_watched(context, show_relays); }
int run_relay_show(Context& context) { return run_watched(context, show_relay); }
int run_relay_drain(Context& context) { return drain_relay(context, "drain"); }
int run_relay_resume(Context& context) { return drain_relay(context, "resume"); }
int run_tunnel_list(Context& context) { return run_watched(context, show_tunnels); }
int run_tunnel_restart(Context& context) { return restart_tunnels(context); }

}  // namespace riftbus::ctl
