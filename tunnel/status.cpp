#include "tunnel/status.h"

#include "config/load.h"
#include "config/printable.h"

namespace riftbus::tunnel {

namespace {

using Json = nlohmann::json;

Json describe_forward(const Forward& forward, std::uint16_t server_port) {
  Json json{{"side", to_string(forward.side)}, {"forward", forward.to_string()}};
  if (forward.side == ForwardSide::reverse) json["server_port"] = server_port;
  return json;
}

Json describe_error(const std::optional<Error>& error) {
  if (!error) return nullptr;
  return {{"code", error->code_text()},
          {"what", error->what},
          {"where", error->where},
          {"next", error->next}};
}

Json describe_link(const Link& link, TimePoint now) {
  const auto& session = link.session();
  const auto counters = link.counters();
  Json forwards = Json::array();
  for (std::size_t i = 0; i < link.reverse().size(); ++i) {
    forwards.push_back(describe_forward(link.reverse()[i], session.ports()[i]));
  }
  for (const auto& forward : link.local()) forwards.push_back(describe_forward(forward, 0));
  return {{"class", to_string(link.traffic())},
          {"state", to_string(session.state())},
          {"since_s", to_ms(now - session.since()) / 1000},
          {"server", link.server().address()},
          {"cipher", link.cipher()},
          {"dials", session.dials()},
          {"rises", session.rises()},
          {"connections", link.connection_count()},
          {"connections_total", counters.connections},
          {"refused", counters.refused},
          {"unreached", counters.unreached},
          {"exhausted", counters.exhausted},
          {"bytes_to_server", counters.bytes_to_server},
          {"bytes_from_server", counters.bytes_from_server},
          {"forwards", std::move(forwards)},
          {"carried", link.is_carried()},
          {"direct_error", describe_error(link.direct_error())},
          {"error", describe_error(link.last_error())}};
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return "-";
  if (found->is_string()) return make_printable(found->get<std::string>());
  return found->is_null() ? "-" : found->dump();
}

bool is_carried(const Json& link) {
  const auto found = link.find("carried");
  return found != link.end() && found->is_boolean() && found->get<bool>();
}

// A line, or nothing if there is none.
std::string format_trouble(const std::string& mark, const Json& link, const char* key) {
  const auto error = link.find(key);
  if (error == link.end() || !error->is_object()) return "";
  return mark + text_of(*error, "code") + ": " + text_of(*error, "what") + "; " +
         text_of(*error, "next") + "\n";
}

}  // namespace

Json describe_status(const StatusHead& head, const std::vector<const Link*>& links, TimePoint now) {
  Json all = Json::array();
  for (const auto* link : links) all.push_back(describe_link(*link, now));
  return {{"schema", 1},
          {"node", head.node},
          {"pid", head.pid},
          {"state", head.is_running ? "running" : "stopped"},
          {"wall_ms", head.wall_ms},
          {"links", std::move(all)}};
}

Result<Json> read_status(const std::string& path) {
  const auto refuse = [&](const std::string& what) {
    return Error{1821, what, path,
                 "start riftbus-tunnel, or name its file with --tunnel-status-file"};
  };
  const auto text = read_config_file(path);
  if (!text) return refuse("no status: " + text.error().what);
  auto json = Json::parse(*text, nullptr, false);
  if (json.is_discarded() || !json.is_object() || !json.contains("links")) {
    return refuse("not a status of riftbus-tunnel");
  }
  return json;
}

StatusText format_status(const Json& status) {
  StatusText result;
  const auto links = status.find("links");
  const bool runs = text_of(status, "state") == "running";
  result.all_are_up = runs && links != status.end() && links->is_array() && !links->empty();
  result.text = "tunnel of " + text_of(status, "node") + ": " + text_of(status, "state") +
                ", pid " + text_of(status, "pid") + "\n";
  if (links == status.end() || !links->is_array()) return result;
  for (const auto& link : *links) {
    if (!link.is_object()) continue;
    result.all_are_up = result.all_are_up && text_of(link, "state") == "up";
    result.text += text_of(link, "class") + "  " + text_of(link, "state") + " for " +
                   text_of(link, "since_s") + " s  " + text_of(link, "server") +
                   (is_carried(link) ? " over CURVE" : "") + "  " + text_of(link, "connections") +
                   " connections\n";
    if (is_carried(link)) result.text += format_trouble("direct: ", link, "direct_error");
    const auto forwards = link.find("forwards");
    if (forwards != link.end() && forwards->is_array()) {
      for (const auto& forward : *forwards) {
        if (!forward.is_object()) continue;
        result.text += "  " + text_of(forward, "side") + " " + text_of(forward, "forward");
        if (forward.contains("server_port")) {
          result.text += "  server port " + text_of(forward, "server_port");
        }
        result.text += "\n";
      }
    }
    result.text += format_trouble("! ", link, "error");
  }
  return result;
}

}  // namespace riftbus::tunnel
