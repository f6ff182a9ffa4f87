#include "node/api/api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "config/check.h"
#include "node/api/api_json.h"
#include "node/api/api_relays.h"

namespace riftbus::node {

namespace {

constexpr std::size_t kArgumentShownMax = 64;
constexpr std::size_t kEventLimitDefault = 200;
constexpr std::size_t kEventLimitMax = 1000;

wire::Refusal refuse(std::uint16_t code, std::string what, std::string next) {
  return {code, std::move(what), std::move(next)};
}

std::string quote(std::string_view text) {
  return "\"" + std::string(text.substr(0, kArgumentShownMax)) + "\"";
}

// A number within [low, high]; nothing if the text is anything else.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t low,
                                          std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

Reaction document(const Json& json) { return wire::Answer{dump(json)}; }

Reaction no_such_node(const std::string& text) {
  return refuse(1504, "this node knows no member " + quote(text),
                "see `riftbus node list`; ids are case-sensitive");
}

// The member that the argument "id" names, or the refusal to send.
std::optional<Reaction> check_id(const wire::Query& query, NodeId& id) {
  const std::string* text = find_argument(query, "id");
  if (text == nullptr) {
    return refuse(1503, query.name + " needs the argument id", "name a node");
  }
  auto parsed = NodeId::parse(*text);
  if (!parsed.ok()) return refuse(1503, parsed.error().what, parsed.error().next);
  id = std::move(parsed).value();
  return std::nullopt;
}

Reaction answer_cluster_status(const wire::Query&, const NodeView& view) {
  return document(status_document(view));
}

Reaction answer_node_list(const wire::Query& query, const NodeView& view) {
  return document(node_list_document(query, view));
}

Reaction answer_node_show(const wire::Query& query, const NodeView& view) {
  NodeId id;
  if (auto refusal = check_id(query, id)) return *refusal;
  if (view.membership->find(id) == nullptr) return no_such_node(id.value());
  return document(node_show_document(id, view));
}

// Also about ids that only the roster knows: "never seen" is an answer to "why".
Reaction answer_why_node(const wire::Query& query, const NodeView& view) {
  NodeId id;
  if (auto refusal = check_id(query, id)) return *refusal;
  const bool in_roster = view.roster != nullptr &&
                         (view.roster->find(id) != nullptr || view.roster->revoked.contains(id));
  if (view.membership->find(id) == nullptr && !in_roster) return no_such_node(id.value());
  return document(why_node_document(id, view));
}

Reaction answer_event_list(const wire::Query& query, const NodeView& view) {
  std::size_t limit = kEventLimitDefault;
  if (const std::string* text = find_argument(query, "limit")) {
    const auto number = parse_number(*text, 1, kEventLimitMax);
    if (!number) {
      return refuse(1503, "limit is " + quote(*text), "give a number from 1 to 1000");
    }
    limit = static_cast<std::size_t>(*number);
  }
  return document(event_list_document(query, limit, view));
}

Reaction answer_link_list(const wire::Query& query, const NodeView& view) {
  return document(link_list_document(query, view));
}

Reaction answer_link_ping(const wire::Query& query, const NodeView& view) {
  PingOrder order;
  if (auto refusal = check_id(query, order.peer)) return *refusal;
  if (order.peer == view.self) {
    return refuse(1503, "a node cannot ping itself",
                  "name another node, or ask another with --node");
  }
  if (view.membership->find(order.peer) == nullptr) return no_such_node(order.peer.value());
  order.timeout = Millis(2000);
  if (const std::string* text = find_argument(query, "timeout_ms")) {
    const auto number = parse_number(*text, 1, static_cast<std::uint64_t>(kPingTimeoutMax.count()));
    if (!number) {
      return refuse(1503, "timeout_ms is " + quote(*text), "give a number from 1 to 10000");
    }
    order.timeout = Millis(static_cast<std::int64_t>(*number));
  }
  return order;
}

// As of the member itself: also about one that was never heard.
Reaction answer_why_path(const wire::Query& query, const NodeView& view) {
  NodeId id;
  if (auto refusal = check_id(query, id)) return *refusal;
  const bool in_roster = view.roster != nullptr && view.roster->find(id) != nullptr;
  if (view.membership->find(id) == nullptr && !in_roster) return no_such_node(id.value());
  return document(why_path_document(id, view));
}

Reaction answer_relay_list(const wire::Query&, const NodeView& view) {
  return document(relay_list_document(view));
}

Reaction answer_relay_show(const wire::Query& query, const NodeView& view) {
  const std::string* text = find_argument(query, "id");
  if (text == nullptr) {
    return refuse(1503, query.name + " needs the argument id", "name a relay or its address");
  }
  const auto found = relay_show_document(*text, view);
  if (!found) {
    return refuse(1825, "no relay " + quote(*text) + " is known here", "see riftbus relay list");
  }
  return document(*found);
}

Reaction answer_tunnel_list(const wire::Query&, const NodeView& view) {
  return document(tunnel_list_document(view));
}

// Only to relays: a node connects to nothing else because somebody says so.
Reaction answer_link_hop(const wire::Query& query, const NodeView& view) {
  const std::string* text = find_argument(query, "relay");
  if (text == nullptr) {
    return refuse(1503, query.name + " needs the argument relay", "name a relay or its address");
  }
  const auto front = relay_front(*text, view);
  if (!front) {
    return refuse(1825, "no relay " + quote(*text) + " is known here", "see riftbus relay list");
  }
  return HopOrder{relay_of(*front, view).get<std::string>(), *front};
}

struct QueryRow {
  std::string_view name;
  Reaction (*answer)(const wire::Query&, const NodeView&);
};

constexpr auto kQueries = std::to_array<QueryRow>({
    {"event.list", answer_event_list},
    {"link.hop", answer_link_hop},
    {"link.list", answer_link_list},
    {"link.ping", answer_link_ping},
    {"node.list", answer_node_list},
    {"node.show", answer_node_show},
    {"relay.list", answer_relay_list},
    {"relay.show", answer_relay_show},
    {"status", answer_cluster_status},
    {"tunnel.list", answer_tunnel_list},
    {"why.node", answer_why_node},
    {"why.path", answer_why_path},
});

// A member learns all of this by gossip anyway, so its key may ask too; a relay need not know.
bool may_read(const std::set<Role>& roles) {
  return roles.contains(Role::admin) || roles.contains(Role::tap) || roles.contains(Role::node) ||
         roles.contains(Role::voter);
}

}  // namespace

bool NodeView::is_alive(const NodeId& id) const {
  const auto* member = membership->find(id);
  return member != nullptr && member->standing == wire::Standing::alive;
}

const std::string* find_argument(const wire::Query& query, const std::string& name) {
  const auto found = query.arguments.find(name);
  return found == query.arguments.end() ? nullptr : &found->second;
}

std::vector<LinkView> group_links(std::vector<bus::LinkReport> reports) {
  std::map<NodeId, LinkView> by_peer;
  for (auto& report : reports) {
    LinkView& link = by_peer[report.peer];
    link.peer = report.peer;
    auto& slot = report.channel == wire::Channel::call ? link.calls : link.beats;
    slot = std::move(report);
  }
  std::vector<LinkView> links;
  for (auto& [peer, link] : by_peer) links.push_back(std::move(link));
  return links;
}

Reaction Api::answer(const wire::Query& query, const std::set<Role>& asker_roles,
                     const NodeView& view) {
  RIFTBUS_CHECK(view.membership != nullptr && view.journal != nullptr);
  if (!may_read(asker_roles)) {
    return refuse(1505, "the key that asks has none of the roles admin, tap, node, voter",
                  "approve it: riftbus key approve ID --key Z85 --roles admin");
  }
  const auto row = std::find_if(kQueries.begin(), kQueries.end(),
                                [&](const QueryRow& each) { return each.name == query.name; });
  if (row == kQueries.end()) {
    return refuse(1502, "this node knows no question " + quote(query.name),
                  "its software is " + view.software + "; compare `riftbus version`");
  }
  return row->answer(query, view);
}

wire::Answer Api::answer_ping(const PingOrder& order, const PingOutcome& outcome,
                              const NodeView& view) {
  Json json = begin_document("link.ping", view);
  json["peer"] = order.peer.value();
  json["answered"] = outcome.rtt.has_value();
  json["rtt_ms"] = span_json(outcome.rtt);
  json["timeout_ms"] = order.timeout.count();
  json["via"] = outcome.via ? address_json(*outcome.via) : Json();
  json["incarnation"] = outcome.pong ? Json(outcome.pong->incarnation.value()) : Json();
  json["health"] = outcome.pong ? Json(outcome.pong->health) : Json();
  json["uptime_ms"] = outcome.pong ? Json(outcome.pong->uptime_ms) : Json();
  json["error"] = outcome.error;
  return std::get<wire::Answer>(document(json));
}

wire::Answer Api::answer_hop(const HopOrder& order, const HopOutcome& outcome,
                             const NodeView& view) {
  Json json = begin_document("link.hop", view);
  json["relay"] = order.relay;
  json["front"] = address_json(order.front);
  json["answered"] = outcome.rtt.has_value();
  json["rtt_ms"] = span_json(outcome.rtt);
  json["error"] = outcome.error;
  return std::get<wire::Answer>(document(json));
}

std::vector<std::string_view> Api::query_names() {
  std::vector<std::string_view> names;
  for (const auto& row : kQueries) names.push_back(row.name);
  return names;
}

}  // namespace riftbus::node
