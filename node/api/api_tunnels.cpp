// The document about a node's own tunnels: tunnel.list.
#include <algorithm>

#include "node/api/api_relays.h"

namespace riftbus::node {

namespace {

constexpr std::int64_t kSinceMax = std::int64_t{1}
                                   << 40;  // of a file that anybody may have written

const TunnelReport* report_of(const Attacher& attacher, const std::string& file) {
  const auto& reports = attacher.reports();
  const auto found = std::find_if(reports.begin(), reports.end(),
                                  [&](const TunnelReport& one) { return one.file == file; });
  return found == reports.end() ? nullptr : &*found;
}

// Since the file was written: seconds in which everything grew older.
std::int64_t age_s(const Json& status, const NodeView& view) {
  const auto written = status.find("wall_ms");
  if (written == status.end() || !written->is_number_integer()) return 0;
  const auto then = written->get<std::int64_t>();
  const bool is_past = then > 0 && then < view.now.wall_ms;
  return is_past ? (view.now.wall_ms - then) / 1000 : 0;
}

// The links of a status file, as riftbus-tunnel wrote them, and as old as they are now.
Json links_json(const TunnelReport* report, const NodeView& view) {
  if (report == nullptr) return Json::array();
  const Json status = Json::parse(report->json, nullptr, false);
  const auto found = status.find("links");
  if (found == status.end() || !found->is_array()) return Json::array();
  Json links = *found;
  const auto age = report->is_running ? age_s(status, view) : 0;
  for (auto& link : links) {
    if (!link.is_object()) continue;
    const auto since = link.find("since_s");
    const bool is_count = since != link.end() && since->is_number_integer();
    const auto seconds = is_count ? since->get<std::int64_t>() : -1;
    if (seconds >= 0 && seconds < kSinceMax) link["since_s"] = seconds + age;
  }
  return links;
}

std::string word_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

Json process_json(const TunnelReport* report, const NodeView& view) {
  return {{"pid", report && report->is_running ? Json(report->pid) : Json()},
          {"running", report != nullptr && report->is_running},
          {"leads_here", report != nullptr && !report->ways.empty()},
          {"links", links_json(report, view)}};
}

Json own_json(const TunnelPlan::Wish& wish, const Attacher& attacher, const NodeView& view) {
  Json json{{"relay", wish.relay.value()}, {"role", to_string(wish.role)}, {"kept_by", "node"}};
  json["file"] = tunnel_file_of(wish.relay);
  const auto run = attacher.keeper().runs().find(wish.relay);
  const bool is_known = run != attacher.keeper().runs().end();
  const bool waits = is_known && run->second.pid == 0;
  json["starts"] = is_known ? run->second.starts : 0;
  json["started"] =
      is_known && run->second.starts > 0 ? time_json(run->second.started, view) : Json();
  json["start_in_ms"] =
      waits ? Json(std::max<std::int64_t>(0, to_ms(run->second.due - view.now.at))) : Json();
  json["ended_by"] = is_known ? run->second.ended_by : "";
  json.update(process_json(report_of(attacher, tunnel_file_of(wish.relay)), view));
  return json;
}

}  // namespace

void add_carried_reasons(const NodeView& view, Json& reasons) {
  const Attacher* attacher = view.relays ? view.relays->attacher : nullptr;
  if (attacher == nullptr) return;
  for (const auto& report : attacher->reports()) {
    if (!report.is_running) continue;
    for (const auto& link : links_json(&report, view)) {
      const auto carried = link.is_object() ? link.find("carried") : link.end();
      if (carried == link.end() || *carried != true || word_of(link, "state") != "up") continue;
      std::string text = "the tunnel of " + view.self.value() + " to the relay at " +
                         word_of(link, "server") + " is carried by the bus, over CURVE";
      const auto error = link.find("direct_error");
      if (error != link.end() && error->is_object()) {
        text += ", for the direct way fails: " + word_of(*error, "code") + " " +
                word_of(*error, "what");
      }
      reasons.push_back({{"text", std::move(text)}});
    }
  }
}

Json tunnel_list_document(const NodeView& view) {
  Json json = begin_document("tunnel.list", view);
  const Attacher* attacher = view.relays ? view.relays->attacher : nullptr;
  json["nat_blocked"] = attacher != nullptr && attacher->is_told();
  json["dialled"] = dialled_json(view);
  json["attaches"] = attacher != nullptr && attacher->attaches();
  json["trouble"] = attacher != nullptr ? attacher->trouble() : "";
  Json tunnels = Json::array();
  if (attacher != nullptr) {
    std::set<std::string> files;
    for (const auto& wish : attacher->plan().wishes()) {
      files.insert(tunnel_file_of(wish.relay));
      tunnels.push_back(own_json(wish, *attacher, view));
    }
    for (const auto& report : attacher->reports()) {
      if (files.contains(report.file) || !report.is_running) continue;
      Json other{{"relay", ""}, {"role", ""}, {"kept_by", "others"}, {"file", report.file}};
      other.update(process_json(&report, view));
      tunnels.push_back(std::move(other));
    }
  }
  json["tunnels"] = std::move(tunnels);
  return json;
}

}  // namespace riftbus::node
