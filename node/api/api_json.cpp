#include "node/api/api_json.h"

#include <algorithm>
#include <cstdio>

#include "bus/clock.h"
#include "node/api/api_relays.h"
#include "node/membership/table.h"

namespace riftbus::node {

namespace {

Json resources_json(const wire::Resources& resources) {
  return {{"cpus", resources.cpus},
          {"memory_mb", resources.memory_mb},
          {"disk_free_mb", resources.disk_free_mb},
          {"gpus", resources.gpus},
          {"gpu_name", resources.gpu_name},
          {"gpu_memory_mb", resources.gpu_memory_mb}};
}

Json roles_json(const auto& roles) {
  Json list = Json::array();
  for (const Role role : roles) list.push_back(to_string(role));
  return list;
}

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

Page::Page(const wire::Query& query) {
  const auto after = query.arguments.find("after");
  if (after != query.arguments.end()) after_ = after->second;
}

bool Page::add(const NodeId& id, Json item) {
  bytes_ += dump(item).size();
  if (bytes_ > kPageBytesMax && !items_.empty()) {
    next_ = last_;
    return false;
  }
  last_ = id.value();
  items_.push_back(std::move(item));
  return true;
}

void Page::finish(const char* list_name, Json& document) {
  document[list_name] = std::move(items_);
  document["after"] = next_;
}

Json begin_document(std::string_view name, const NodeView& view) {
  return {{"schema", kSchema},
          {"document", name},
          {"node", view.self.value()},
          {"cluster", view.cluster},
          {"at", bus::format_wall(view.now.wall_ms)}};
}

Json time_json(TimePoint at, const NodeView& view) {
  const std::int64_t age_ms = to_ms(view.now.at - at);
  return {{"at", bus::format_wall(view.now.wall_ms - age_ms)}, {"age_ms", age_ms}};
}

Json time_json(const std::optional<TimePoint>& at, const NodeView& view) {
  return at ? time_json(*at, view) : Json(nullptr);
}

Json span_json(const std::optional<Nanos>& span) {
  if (!span) return nullptr;
  // Microseconds are as fine as a round trip can be measured.
  const auto span_us = std::chrono::duration_cast<std::chrono::microseconds>(*span).count();
  return static_cast<double>(span_us) / 1000.0;
}

Json ids_json(const std::vector<NodeId>& ids) {
  Json list = Json::array();
  for (const auto& id : ids) list.push_back(id.value());
  return list;
}

Json address_json(const wire::Address& address) {
  return {{"kind", wire::to_string(address.kind)},
          {"host", address.host},
          {"call_port", address.call_port},
          {"pub_port", address.pub_port}};
}

Json member_json(const membership::Member& member, const NodeView& view) {
  const wire::Record& record = member.record;
  Json addresses = Json::array();
  for (const auto& address : record.addresses) addresses.push_back(address_json(address));
  const RosterEntry* entry = view.roster ? view.roster->find(record.id) : nullptr;
  return {{"id", record.id.value()},
          {"self", record.id == view.self},
          {"standing", wire::to_string(member.standing)},
          {"via", via_json(record.id, view)},
          {"since", time_json(member.since, view)},
          {"incarnation", member.incarnation.value()},
          {"instance", hex(record.instance.value())},
          {"verified", member.verified},
          {"roles", entry ? roles_json(entry->roles) : roles_json(record.roles)},
          {"failure_domain", record.failure_domain},
          {"addresses", std::move(addresses)},
          {"interval_ms", record.interval_ms},
          {"software", record.software},
          {"resources", resources_json(record.resources)},
          {"draining", takes_no_work(member)},
          {"tags", record.tags}};
}

bool is_draining(const membership::Member& member, const char* tag) {
  const auto found = member.record.tags.find(tag);
  return found != member.record.tags.end() && found->second == kDraining;
}

bool takes_no_work(const membership::Member& member) {
  return membership::is_live(member.standing) && is_draining(member, kWorkTag);
}

Json watch_json(const membership::WatchReport* watch, const NodeView& view) {
  if (watch == nullptr) return nullptr;
  const bool heard = watch->beats > 0;
  const Json frozen =
      watch->frozen_until ? Json(to_ms(*watch->frozen_until - view.now.at)) : Json();
  const Json due = watch->verdict_due ? Json(to_ms(*watch->verdict_due - view.now.at)) : Json();
  return {{"linked", watch->linked},
          {"last_beat", heard ? time_json(watch->last_beat, view) : Json()},
          {"last_seq", watch->last_seq.value()},
          {"silence_limit_ms", to_ms(watch->silence_limit)},
          {"rtt_ms", span_json(watch->rtt)},
          {"beats", watch->beats},
          {"beats_missed", watch->beats_missed},
          {"beats_stale", watch->beats_stale},
          {"accusers", ids_json(watch->accusers)},
          {"verdict_due_ms", due},
          {"frozen_until_ms", frozen}};
}

Json history_json(const membership::Member& member, const NodeView& view) {
  Json list = Json::array();
  for (const auto& step : member.history) {
    list.push_back({{"when", time_json(step.at, view)},
                    {"standing", wire::to_string(step.standing)},
                    {"incarnation", step.incarnation.value()},
                    {"accuser", step.accuser.value()},
                    {"evidence", wire::to_string(step.evidence)}});
  }
  return list;
}

Json connection_json(const std::optional<bus::LinkReport>& report, const NodeView& view) {
  if (!report) return nullptr;
  const Json wait = report->up ? Json() : Json(to_ms(report->next_attempt - view.now.at));
  return {{"up", report->up},
          {"since", time_json(report->since, view)},
          {"address", report->address ? address_json(*report->address) : Json()},
          {"rtt_ms", span_json(report->rtt)},
          {"attempts", report->attempts},
          {"failures", report->failures},
          {"trouble", report->trouble},
          {"next_attempt_ms", wait},
          {"queued", report->queued}};
}

// The breakers of calls and of beats are apart: a firewall may block one port of a host only.
Json path_json(const bus::PathReport& path, const char* use, const bus::LinkReport& link,
               const NodeView& view) {
  Json json = address_json(path.address);
  json["relay"] = relay_of(path.address, view);
  json["for"] = use;
  json["breaker"] = to_string(path.breaker);
  json["in_use"] = link.up && link.address == path.address;
  json["successes"] = path.successes;
  json["failures"] = path.failures;
  json["last_success"] = time_json(path.last_success, view);
  json["last_failure"] = time_json(path.last_failure, view);
  json["last_error"] = path.last_error;
  json["rtt_ms"] = span_json(path.rtt);
  json["failures_in_row"] = path.failures_in_row;
  json["trial_in_ms"] = path.trial_due
                            ? Json(std::max<std::int64_t>(0, to_ms(*path.trial_due - view.now.at)))
                            : Json();
  return json;
}

void add_reach(const LinkView* link, const NodeView& view, Json& json) {
  json["calls"] = link ? connection_json(link->calls, view) : Json();
  json["beats"] = link ? connection_json(link->beats, view) : Json();
  Json paths = Json::array();
  const auto add = [&](const std::optional<bus::LinkReport>& report, const char* use) {
    if (!report) return;
    for (const auto& path : report->paths) paths.push_back(path_json(path, use, *report, view));
  };
  if (link != nullptr) {
    add(link->calls, "calls");
    add(link->beats, "beats");
  }
  json["paths"] = std::move(paths);
}

Json roster_entry_json(const RosterEntry& entry, const NodeView& view) {
  const bool expired = entry.expires_at_s && *entry.expires_at_s * 1000 <= view.now.wall_ms;
  return {{"id", entry.id.value()},
          {"key", entry.key.z85()},
          {"previous_key", entry.previous_key ? Json(entry.previous_key->z85()) : Json()},
          {"roles", roles_json(entry.roles)},
          {"expires_at",
           entry.expires_at_s ? Json(bus::format_wall(*entry.expires_at_s * 1000)) : Json()},
          {"expired", expired},
          {"note", entry.note}};
}

const LinkView* find_link(const NodeView& view, const NodeId& peer) {
  const auto found = std::find_if(view.links.begin(), view.links.end(),
                                  [&](const LinkView& link) { return link.peer == peer; });
  return found == view.links.end() ? nullptr : &*found;
}

}  // namespace riftbus::node
