// The document about the ways to one member: why.path.
#include <algorithm>

#include "bus/wire/relayed.h"
#include "node/api/api_relays.h"

namespace riftbus::node {

namespace {

std::string name_of(const wire::Address& address, const NodeView& view) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  const std::string place =
      (is_v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.call_port);
  const Json relay = relay_of(address, view);
  const std::string kind = wire::to_string(address.kind);
  if (relay.is_null()) return kind + " " + place;
  const auto name = relay.get<std::string>();
  return name == place ? "relay " + name : "relay " + name + " (" + place + ")";
}

std::string ago(TimePoint at, const NodeView& view) {
  return format_span(view.now.at - at) + " ago";
}

std::string why_not(const bus::PathReport& path, const NodeView& view) {
  if (path.successes == 0 && path.failures == 0) return "not tried: another one was quicker";
  if (!path.last_failure) return "worked " + ago(*path.last_success, view) + "; not needed now";
  const bool is_failing = path.failures_in_row > 0;
  std::string text;
  if (is_failing) {
    text = "failed " + std::to_string(path.failures_in_row) + " times in a row, last " +
           ago(*path.last_failure, view) + ": " + path.last_error;
  } else {
    text = "works; failed last " + ago(*path.last_failure, view) + ": " + path.last_error;
  }
  if (path.breaker == bus::Breaker::open && path.trial_due) {
    text += "; left alone for " + format_span(*path.trial_due - view.now.at) + " more";
  } else if (path.breaker == bus::Breaker::half_open) {
    text += "; its next trial is due";
  }
  return text;
}

Json reason(std::string text) { return {{"text", std::move(text)}}; }

// One kind of traffic, in sentences.
void add_reasons(const std::optional<bus::LinkReport>& report, const std::string& use,
                 const std::string& unused, const NodeView& view, Json& reasons) {
  if (!report) {
    reasons.push_back(reason(use + ": no connection: " + unused));
    return;
  }
  const std::string since = format_span(view.now.at - report->since);
  if (report->up && report->address) {
    reasons.push_back(reason(use + ": by " + name_of(*report->address, view) + " since " + since +
                             ", which answered first of those that were tried"));
  } else if (report->paths.empty()) {
    reasons.push_back(reason(use + ": no address of it is known"));
  } else {
    std::string text = use + ": none of its addresses works since " + since;
    if (!report->trouble.empty()) text += ": " + report->trouble;
    if (report->next_attempt > view.now.at) {
      text += "; tried again in " + format_span(report->next_attempt - view.now.at);
    }
    reasons.push_back(reason(std::move(text)));
  }
}

void add_paths(const std::optional<bus::LinkReport>& report, const char* use, const NodeView& view,
               Json& paths) {
  if (!report) return;
  for (const auto& path : report->paths) {
    Json json = path_json(path, use, *report, view);
    const bool in_use = report->up && report->address == path.address;
    json["verdict"] =
        in_use ? "in use since " + format_span(view.now.at - report->since) : why_not(path, view);
    paths.push_back(std::move(json));
  }
}

bool has_path(const std::optional<bus::LinkReport>& report, const wire::Address& address) {
  return report && std::any_of(report->paths.begin(), report->paths.end(),
                               [&](const auto& path) { return path.address == address; });
}

// Addresses that nobody has had to try from here.
void add_untried(const membership::Member& member, const NodeView& view, Json& paths) {
  const LinkView* link = find_link(view, member.record.id);
  const bool is_known = link != nullptr && (link->calls || link->beats);
  const bool is_blocked = wire::is_blocked(member.record);
  if (is_known && !is_blocked) return;
  for (const auto& address : member.record.addresses) {
    const bool is_vain = is_blocked && address.kind == wire::AddressKind::public_ip;
    if (is_known && (!is_vain || has_path(link->calls, address) || has_path(link->beats, address)))
      continue;
    Json json = address_json(address);
    json["relay"] = relay_of(address, view);
    json["for"] = nullptr;
    json["in_use"] = false;
    json["verdict"] = is_vain
                          ? "not tried: nobody can dial it there, says " + member.record.id.value()
                          : "not tried: this node has nothing to say to it, and does not watch it";
    paths.push_back(std::move(json));
  }
}

// What a member says of being dialled.
Json told_of_dials(const membership::Member* member) {
  if (member == nullptr) return nullptr;
  const auto tag = member->record.tags.find(wire::kDialledTag);
  if (tag == member->record.tags.end()) return nullptr;
  return tag->second == wire::kDialledYes;
}

}  // namespace

Json why_path_document(const NodeId& id, const NodeView& view) {
  const membership::Member* member = view.membership->find(id);
  const LinkView* link = find_link(view, id);
  static const std::optional<bus::LinkReport> kNone;
  const auto& calls = link ? link->calls : kNone;
  const auto& beats = link ? link->beats : kNone;
  Json json = begin_document("why.path", view);
  json["subject"] = id.value();
  json["standing"] = member ? Json(wire::to_string(member->standing)) : Json();
  json["incarnation"] = member ? Json(member->incarnation.value()) : Json();
  json["can_be_dialled"] = told_of_dials(member);
  json["via"] = via_json(id, view);
  json["calls"] = connection_json(calls, view);
  json["beats"] = connection_json(beats, view);
  Json reasons = Json::array();
  if (id == view.self) {
    reasons.push_back(reason("this is the node itself: ask another one how it reaches it"));
  } else {
    add_reasons(calls, "calls", "nothing was said to it lately", view, reasons);
    add_reasons(beats, "beats", "this node is not one of its watchers", view, reasons);
    if (auto text = http_reason(id, view)) reasons.push_back(reason(std::move(*text)));
  }
  add_carried_reasons(view, reasons);
  json["reasons"] = std::move(reasons);
  Json paths = Json::array();
  add_paths(calls, "calls", view, paths);
  add_paths(beats, "beats", view, paths);
  add_http_path(id, view, paths);
  if (member != nullptr && id != view.self) add_untried(*member, view, paths);
  json["paths"] = std::move(paths);
  json["dialled"] = dialled_json(view);
  return json;
}

}  // namespace riftbus::node
