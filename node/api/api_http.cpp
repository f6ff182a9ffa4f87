// What documents say about the way over HTTP (node/mesh/http_path.h).
#include <algorithm>

#include "node/api/api_json.h"

namespace riftbus::node {

namespace {

const HttpWay* find_way(const NodeId& id, const NodeView& view) {
  const auto found = view.http_ways.find(id);
  return found == view.http_ways.end() ? nullptr : &found->second;
}

bool is_up(const std::optional<bus::LinkReport>& report) { return report && report->up; }

bool is_by_relay(const std::optional<bus::LinkReport>& report) {
  return is_up(report) && report->address && report->address->kind == wire::AddressKind::relay;
}

std::string verdict_of(const HttpWay& way, const NodeView& view) {
  const auto ago = [&view](TimePoint at) { return format_span(view.now.at - at) + " ago"; };
  if (way.in_use) return "in use since " + format_span(view.now.at - way.since);
  if (!way.trouble.empty()) return "last post: " + way.trouble;
  return way.last_heard ? "worked " + ago(*way.last_heard) + "; not needed now"
                        : "not answered yet";
}

}  // namespace

Json via_json(const NodeId& id, const NodeView& view) {
  const HttpWay* way = find_way(id, view);
  if (way != nullptr && way->in_use) return "http";
  const LinkView* link = find_link(view, id);
  if (link == nullptr) return nullptr;
  if (is_by_relay(link->beats) || is_by_relay(link->calls)) return "relay";
  return is_up(link->beats) || is_up(link->calls) ? Json("bus") : Json();
}

void add_http_path(const NodeId& id, const NodeView& view, Json& paths) {
  const HttpWay* way = find_way(id, view);
  if (way == nullptr) return;
  paths.push_back({{"kind", "http"},
                   {"host", way->place.host},
                   {"call_port", way->place.port},
                   {"pub_port", way->place.port},
                   {"relay", nullptr},
                   {"for", "membership"},
                   {"in_use", way->in_use},
                   {"successes", way->posts - std::min(way->posts, way->failures)},
                   {"failures", way->failures},
                   {"last_success", time_json(way->last_heard, view)},
                   {"last_error", way->trouble},
                   {"verdict", verdict_of(*way, view)}});
}

std::optional<std::string> http_reason(const NodeId& id, const NodeView& view) {
  const HttpWay* way = find_way(id, view);
  if (way == nullptr || !way->in_use) return std::nullopt;
  const std::string place = way->place.host.empty()
                                ? "its own posts"
                                : way->place.host + ":" + std::to_string(way->place.port);
  return "membership: via http, by " + place + ", since " + format_span(view.now.at - way->since) +
         ": the bus brings none of its beats";
}

}  // namespace riftbus::node
