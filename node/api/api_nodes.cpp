// The documents about members: node.list, node.show, why.node.
#include <algorithm>

#include "node/api/api_json.h"

namespace riftbus::node {

namespace {

using Watches = std::vector<membership::WatchReport>;

const membership::WatchReport* find_watch(const Watches& watches, const NodeId& id) {
  const auto found = std::lower_bound(watches.begin(), watches.end(), id,
                                      [](const membership::WatchReport& watch,
                                         const NodeId& wanted) { return watch.peer < wanted; });
  return found != watches.end() && found->peer == id ? &*found : nullptr;
}

Json roster_json(const NodeId& id, const NodeView& view) {
  if (view.roster == nullptr) return nullptr;
  const RosterEntry* entry = view.roster->find(id);
  const auto revoked = view.roster->revoked.find(id);
  Json json;
  json["version"] = view.roster->version.value();
  json["entry"] = entry ? roster_entry_json(*entry, view) : Json();
  json["revoked_in_version"] =
      revoked == view.roster->revoked.end() ? Json() : Json(revoked->second.value());
  return json;
}

// What only the member itself knows: who holds a WATCH lease on it.
Json watched_by_json(const NodeId& id, const NodeView& view) {
  return id == view.self ? ids_json(view.membership->watched_by()) : Json();
}

// The part that node.show and why.node have in common.
void add_connections(const NodeId& id, const NodeView& view, Json& json) {
  const Watches watches = view.membership->watching();
  json["watch"] = watch_json(find_watch(watches, id), view);
  json["watched_by"] = watched_by_json(id, view);
  add_reach(find_link(view, id), view, json);
  add_http_path(id, view, json["paths"]);
  json["roster"] = roster_json(id, view);
}

}  // namespace

Json node_list_document(const wire::Query& query, const NodeView& view) {
  Json json = begin_document("node.list", view);
  const Watches watches = view.membership->watching();
  Page page(query);
  for (const auto* member : view.membership->members()) {
    const NodeId& id = member->record.id;
    if (!page.wants(id)) continue;
    Json node = member_json(*member, view);
    node["watch"] = watch_json(find_watch(watches, id), view);
    if (!page.add(id, std::move(node))) break;
  }
  page.finish("nodes", json);
  return json;
}

Json node_show_document(const NodeId& id, const NodeView& view) {
  const membership::Member* member = view.membership->find(id);
  RIFTBUS_CHECK(member != nullptr);
  Json json = begin_document("node.show", view);
  json["member"] = member_json(*member, view);
  json["history"] = history_json(*member, view);
  add_connections(id, view, json);
  return json;
}

Json why_node_document(const NodeId& id, const NodeView& view) {
  const membership::Member* member = view.membership->find(id);
  Json json = begin_document("why.node", view);
  json["subject"] = id.value();
  json["known"] = member != nullptr;
  json["standing"] = member ? Json(wire::to_string(member->standing)) : Json();
  json["since"] = member ? time_json(member->since, view) : Json();
  json["incarnation"] = member ? Json(member->incarnation.value()) : Json();
  json["verified"] = member ? Json(member->verified) : Json();
  json["interval_ms"] = member ? Json(member->record.interval_ms) : Json();
  json["history"] = member ? history_json(*member, view) : Json::array();
  add_connections(id, view, json);
  json["own_health"] = view.membership->health();
  return json;
}

}  // namespace riftbus::node
