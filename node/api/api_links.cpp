// The documents about connections and events: link.list, event.list.
#include <map>

#include "bus/clock.h"
#include "node/api/api_json.h"

namespace riftbus::node {

namespace {

// One row: how we hear the peer (as its watcher) and how we call it.
Json link_json(const NodeId& peer, const membership::WatchReport* watch, bool watches_us,
               const NodeView& view) {
  const membership::Member* member = view.membership->find(peer);
  Json json;
  json["peer"] = peer.value();
  json["standing"] = member ? Json(wire::to_string(member->standing)) : Json();
  json["watches_us"] = watches_us;
  json["watch"] = watch_json(watch, view);
  add_reach(find_link(view, peer), view, json);
  return json;
}

struct Tie {
  const membership::WatchReport* watch = nullptr;
  bool watches_us = false;
};

Json event_json(const JournalEntry& entry, const NodeView& view) {
  return {{"seq", entry.seq.value()},
          {"when",
           {{"at", bus::format_wall(entry.when.wall_ms)},
            {"age_ms", to_ms(view.now.at - entry.when.at)}}},
          {"kind", entry.kind},
          {"subject", entry.subject.value()},
          {"accuser", entry.accuser.value()},
          {"evidence", wire::to_string(entry.evidence)},
          {"incarnation", entry.incarnation.value()},
          {"text", entry.text}};
}

}  // namespace

Json link_list_document(const wire::Query& query, const NodeView& view) {
  const auto watches = view.membership->watching();
  std::map<NodeId, Tie> ties;
  for (const auto& link : view.links) ties[link.peer];
  for (const auto& watch : watches) ties[watch.peer].watch = &watch;
  for (const auto& watcher : view.membership->watched_by()) ties[watcher].watches_us = true;
  ties.erase(view.self);

  Json json = begin_document("link.list", view);
  Page page(query);
  for (const auto& [peer, tie] : ties) {
    if (!page.wants(peer)) continue;
    if (!page.add(peer, link_json(peer, tie.watch, tie.watches_us, view))) break;
  }
  page.finish("links", json);
  return json;
}

Json event_list_document(const wire::Query& query, std::size_t limit, const NodeView& view) {
  const auto since = query.arguments.find("since");
  const bool newest = since == query.arguments.end();
  const JournalPage page =
      newest ? view.journal->read_last(limit) : view.journal->read(since->second, limit);
  Json json = begin_document("event.list", view);
  Json events = Json::array();
  for (const auto* entry : page.entries) events.push_back(event_json(*entry, view));
  json["events"] = std::move(events);
  json["cursor"] = page.cursor;
  json["more"] = page.more;
  json["lost"] = page.lost;
  json["restarted"] = page.restarted;
  return json;
}

}  // namespace riftbus::node
