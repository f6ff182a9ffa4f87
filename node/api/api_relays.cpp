// The documents about relays: relay.list, relay.show.
#include "node/api/api_relays.h"

#include <algorithm>
#include <map>

namespace riftbus::node {

namespace {

// A short while without a relay is how every such node begins.
constexpr Seconds kAloneMax{10};

const std::vector<RelayPlace>& places_of(const NodeView& view) {
  static const std::vector<RelayPlace> kNone;
  return view.relays ? *view.relays->relays : kNone;
}

std::string place_text(const wire::Address& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(address.call_port);
}

std::string relay_name(const wire::Address& address, const NodeView& view) {
  const RelayPlace* place = find_relay(places_of(view), address.host);
  return place ? place->id.value() : place_text(address);
}

bool is_there(const membership::Member& member) {
  return member.standing != wire::Standing::dead && member.standing != wire::Standing::left;
}

// All that this node has seen of one relay.
struct Sight {
  RelayPlace place;
  bool is_listed = false;     // in the cluster file
  std::vector<NodeId> nodes;  // to whom it leads, as they say
  std::vector<NodeId> homes;  // of these, who names it first
  Json used = Json::array();  // by this node, at this moment
  std::optional<TimePoint> success;
  std::optional<TimePoint> failure;
  std::string error;  // of `failure`
  std::optional<Nanos> rtt;
};
using Sights = std::map<std::string, Sight>;

void add_member(const membership::Member& member, const NodeView& view, Sights& sights) {
  const NodeId& id = member.record.id;
  bool is_first = true;
  for (const auto& address : member.record.addresses) {
    if (address.kind != wire::AddressKind::relay) continue;
    Sight& sight = sights[relay_name(address, view)];
    if (!sight.is_listed && sight.place.hosts.empty()) {
      sight.place.hosts = {address.host};
      sight.place.front_port = address.call_port;
    }
    const bool is_known = !sight.nodes.empty() && sight.nodes.back() == id;
    if (!is_known) sight.nodes.push_back(id);
    if (is_first) sight.homes.push_back(id);
    is_first = false;
  }
}

void add_use(const bus::LinkReport& report, const char* use, const NodeView& view, Sights& sights) {
  for (const auto& path : report.paths) {
    if (path.address.kind != wire::AddressKind::relay) continue;
    Sight& sight = sights[relay_name(path.address, view)];
    if (path.last_success && (!sight.success || *sight.success < *path.last_success)) {
      sight.success = path.last_success;
    }
    if (path.last_failure && (!sight.failure || *sight.failure < *path.last_failure)) {
      sight.failure = path.last_failure;
      sight.error = path.last_error;
    }
    if (path.rtt && (!sight.rtt || *path.rtt < *sight.rtt)) sight.rtt = path.rtt;
    if (!report.up || report.address != path.address) continue;
    sight.used.push_back({{"peer", report.peer.value()},
                          {"for", use},
                          {"since", time_json(report.since, view)},
                          {"rtt_ms", span_json(path.rtt)}});
  }
}

Sights sights_of(const NodeView& view) {
  Sights sights;
  for (const auto& place : places_of(view)) {
    Sight& sight = sights[place.id.value()];
    sight.place = place;
    sight.is_listed = true;
  }
  for (const auto* member : view.membership->members()) {
    if (is_there(*member)) add_member(*member, view, sights);
  }
  for (const auto& link : view.links) {
    if (link.calls) add_use(*link.calls, "calls", view, sights);
    if (link.beats) add_use(*link.beats, "beats", view, sights);
  }
  return sights;
}

Json relay_json(const std::string& name, const Sight& sight, const NodeView& view) {
  const auto& place = sight.place;
  const membership::Member* member = place.id.empty() ? nullptr : view.membership->find(place.id);
  return {{"id", name},
          {"listed", sight.is_listed},
          {"domain", place.domain},
          {"hosts", place.hosts},
          {"ssh_port", sight.is_listed ? Json(place.ssh_port) : Json()},
          {"front_port", place.front_port},
          {"pinned", !place.pins.empty()},
          {"member", member ? Json(wire::to_string(member->standing)) : Json()},
          {"draining", member != nullptr && is_draining(*member, kRelayTag)},
          {"attached", ids_json(sight.nodes)},
          {"homes", ids_json(sight.homes)},
          {"used", sight.used},
          {"last_success", time_json(sight.success, view)},
          {"last_failure", time_json(sight.failure, view)},
          {"last_error", sight.error},
          {"rtt_ms", span_json(sight.rtt)}};
}

// What only the relay's own host knows.
Json sessions_json(const NodeView& view) {
  if (!view.relays || !view.relays->is_relay || view.relays->status == nullptr) return nullptr;
  const Json status = Json::parse(*view.relays->status, nullptr, false);
  if (!status.is_object() || !status.contains("sessions")) return nullptr;
  return status["sessions"];
}

}  // namespace

Json relay_of(const wire::Address& address, const NodeView& view) {
  if (address.kind != wire::AddressKind::relay) return nullptr;
  return relay_name(address, view);
}

std::optional<wire::Address> relay_front(const std::string& relay, const NodeView& view) {
  for (const auto& [name, sight] : sights_of(view)) {
    const auto& hosts = sight.place.hosts;
    const auto host = std::find(hosts.begin(), hosts.end(), relay);
    if (hosts.empty() || (name != relay && host == hosts.end())) continue;
    const auto port = sight.place.front_port;
    return wire::Address{wire::AddressKind::relay, host == hosts.end() ? hosts.front() : *host,
                         port, port};
  }
  return std::nullopt;
}

Json relay_list_document(const NodeView& view) {
  Json json = begin_document("relay.list", view);
  Json relays = Json::array();
  for (const auto& [name, sight] : sights_of(view)) relays.push_back(relay_json(name, sight, view));
  json["relays"] = std::move(relays);
  return json;
}

std::optional<Json> relay_show_document(const std::string& relay, const NodeView& view) {
  for (const auto& [name, sight] : sights_of(view)) {
    const auto& hosts = sight.place.hosts;
    if (name != relay && std::find(hosts.begin(), hosts.end(), relay) == hosts.end()) continue;
    Json json = begin_document("relay.show", view);
    json["relay"] = relay_json(name, sight, view);
    const bool is_here = sight.place.id == view.self;
    json["sessions"] = is_here ? sessions_json(view) : Json();
    const Carrier* carrier = view.relays ? view.relays->carrier : nullptr;
    json["carried"] = is_here && carrier != nullptr ? ids_json(carrier->carried()) : Json();
    return json;
  }
  return std::nullopt;
}

void add_relay_problems(const NodeView& view, Json& problems) {
  if (!view.relays || view.relays->attacher == nullptr) return;
  const Attacher& attacher = *view.relays->attacher;
  const auto alone = attacher.alone_since();
  if (!alone || view.now.at - *alone < kAloneMax) return;
  const bool is_helpless = !attacher.trouble().empty();
  problems.push_back({{"code", is_helpless ? 1822 : 1824},
                      {"subject", view.self.value()},
                      {"what", "no relay leads to " + view.self.value() + " since " +
                                   format_span(view.now.at - *alone) +
                                   (is_helpless ? ": " + attacher.trouble() : "")}});
}

}  // namespace riftbus::node
