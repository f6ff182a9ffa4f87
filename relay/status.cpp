#include "relay/status.h"

#include "config/load.h"
#include "config/printable.h"

namespace riftbus::relay {

namespace {

using Json = nlohmann::json;

Json describe_session(const Guest& guest, const Peer& peer, TimePoint now) {
  Json listeners = Json::array();
  for (const auto number : guest.listeners) {
    listeners.push_back(guest.node->value() + "." + std::to_string(number));
  }
  return {{"session", peer.number()},
          {"node", guest.node->value()},
          {"class", to_string(guest.traffic)},
          {"address", guest.address},
          {"since_s", to_ms(now - guest.since) / 1000},
          {"cipher", peer.cipher()},
          {"listeners", std::move(listeners)},
          {"connections", peer.streams().size()},
          {"connections_total", peer.streams().opened()},
          {"bytes_to_node", peer.streams().bytes_out()},
          {"bytes_from_node", peer.streams().bytes_in()}};
}

Json describe_counters(const GateCounters& gate, const RelayTotals& totals) {
  return {{"connected", gate.connected},
          {"turned_away", gate.turned_away},
          {"keys_refused", gate.keys_refused},
          {"admitted", gate.admitted},
          {"superseded", gate.superseded},
          {"silenced", gate.silenced},
          {"revoked", gate.revoked},
          {"listeners_refused", gate.listeners_refused},
          {"opens_refused", gate.opens_refused},
          {"requests_refused", totals.counters.refused_requests},
          {"connections_refused", totals.counters.refused_connections},
          {"exhausted", totals.exhaustions},
          {"unreached", totals.counters.unreached},
          {"dropped_slow", totals.counters.dropped_slow},
          {"connections", totals.connections},
          {"bytes_to_nodes", totals.bytes_to_nodes},
          {"bytes_from_nodes", totals.bytes_from_nodes}};
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return "-";
  return found->is_string() ? make_printable(found->get<std::string>()) : found->dump();
}

void format_session(const Json& session, std::string& text) {
  text += text_of(session, "node") + " " + text_of(session, "class") + "  " +
          text_of(session, "address") + "  up for " + text_of(session, "since_s") + " s  " +
          text_of(session, "connections") + " connections\n";
  const auto listeners = session.find("listeners");
  if (listeners == session.end() || !listeners->is_array()) return;
  for (const auto& each : *listeners) {
    if (each.is_string()) text += "  listens as " + make_printable(each.get<std::string>()) + "\n";
  }
}

}  // namespace

Json describe_status(const StatusHead& head, const SshHalf& half, TimePoint now) {
  Json sessions = Json::array();
  for (const auto& [number, guest] : half.gate().guests()) {
    const auto peer = half.peers().find(number);
    if (!guest.is_admitted() || peer == half.peers().end()) continue;
    sessions.push_back(describe_session(guest, *peer->second, now));
  }
  return {{"schema", 1},
          {"pid", head.pid},
          {"state", head.is_running ? "running" : "stopped"},
          {"wall_ms", head.wall_ms},
          {"ssh", head.ssh},
          {"host_key", head.host_key},
          {"keys", half.gate().listed_keys()},
          {"strangers", half.gate().stranger_count()},
          {"sessions", std::move(sessions)},
          {"counters", describe_counters(half.gate().counters(), half.totals())}};
}

Result<Json> read_status(const std::string& path) {
  const auto refuse = [&](const std::string& what) {
    return Error{1846, what, path,
                 "start riftbus-relay, or name its file with --relay-status-file"};
  };
  const auto text = read_config_file(path);
  if (!text) return refuse("no status: " + text.error().what);
  auto json = Json::parse(*text, nullptr, false);
  if (json.is_discarded() || !json.is_object() || !json.contains("counters")) {
    return refuse("not a status of riftbus-relay");
  }
  return json;
}

StatusText format_status(const Json& status) {
  StatusText result;
  result.is_running = text_of(status, "state") == "running";
  result.text = "relay at " + text_of(status, "ssh") + ": " + text_of(status, "state") + ", pid " +
                text_of(status, "pid") + ", host key " + text_of(status, "host_key") + "\n";
  const auto sessions = status.find("sessions");
  if (sessions == status.end() || !sessions->is_array()) return result;
  for (const auto& session : *sessions) {
    if (session.is_object()) format_session(session, result.text);
  }
  return result;
}

StatusText format_front_status(const Json& status) {
  const auto counters = status.find("counters");
  const auto count = [&](const char* key) {
    return counters != status.end() && counters->is_object() ? text_of(*counters, key) : "-";
  };
  StatusText result;
  result.is_running = text_of(status, "state") == "running";
  result.text = "front at " + text_of(status, "front") + ": " + text_of(status, "state") +
                ", pid " + text_of(status, "pid") + "\n" + text_of(status, "connections") +
                " connections now, " + count("opened") + " in all; " + count("unreachable") +
                " asked for a node that was not there, " + count("refused") + " for nothing, " +
                count("turned_away") + " were too many\n";
  return result;
}

}  // namespace riftbus::relay
