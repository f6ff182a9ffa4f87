// Relays, tunnels and paths, for people.
#include "node/ctl/render.h"

namespace riftbus::ctl {

namespace {

std::string front_text(const Json& relay) {
  std::vector<std::string> hosts = texts(relay, {"hosts"});
  if (hosts.empty()) return "-";
  const bool is_v6 = hosts.front().find(':') != std::string::npos;
  return (is_v6 ? "[" + hosts.front() + "]" : hosts.front()) + ":" +
         count_text(integer(relay, {"front_port"}));
}

// The relay's own node, and what it says of the relay.
Cell member_cell(const Json& relay) {
  const std::string standing = text(relay, {"member"});
  if (standing.empty()) return "no node";
  if (flag(relay, {"draining"})) return {standing + ", draining", Tone::warn};
  return {standing, tone_of_standing(standing)};
}

// What was seen of it, by the node that was asked.
Cell seen_cell(const Json& relay) {
  const auto good = integer(relay, {"last_success", "age_ms"});
  const auto bad = integer(relay, {"last_failure", "age_ms"});
  const std::size_t used = get(relay, {"used"}).size();
  if (used > 0) return {"in use for " + std::to_string(used), Tone::good};
  if (!good && !bad) return "not tried";
  if (bad && (!good || *bad < *good)) return {"failed " + span_text(bad) + " ago", Tone::bad};
  return {"worked " + span_text(good) + " ago", Tone::good};
}

std::string names(const Json& relay, const char* list, std::size_t shown_max) {
  auto ids = texts(relay, {list});
  if (ids.empty()) return "-";
  const std::size_t rest = ids.size() > shown_max ? ids.size() - shown_max : 0;
  ids.resize(ids.size() - rest);
  return join(ids, " ") + (rest > 0 ? " and " + std::to_string(rest) + " more" : "");
}

std::string sessions_table(const Json& shown, bool color) {
  const Json& sessions = get(shown, {"sessions"});
  if (!sessions.is_array()) return "";
  TextTable table({"NODE", "CLASS", "FROM", "UP FOR", "CONNECTIONS", "TO NODE", "FROM NODE"});
  for (const auto& session : sessions) {
    const auto since = integer(session, {"since_s"});
    table.add({text(session, {"node"}), text(session, {"class"}), text(session, {"address"}),
               since ? span_text(*since * 1000) : "-",
               count_text(integer(session, {"connections"})),
               count_text(integer(session, {"bytes_to_node"})),
               count_text(integer(session, {"bytes_from_node"}))});
  }
  return table.empty() ? "" : "\nsessions, as the relay says\n" + table.print(color, 2);
}

// Those whose sessions come from the relay's own host, as far as the relay can see.
std::string carried_line(const Json& shown) {
  if (texts(shown, {"carried"}).empty()) return "";
  return "\ncarried by the bus, over CURVE: " + names(shown, "carried", 20) + "\n";
}

std::string used_lines(const Json& relay) {
  std::string out;
  for (const auto& use : get(relay, {"used"})) {
    out += "  " + text(use, {"peer"}) + "  " + text(use, {"for"}) + " since " +
           age_text(get(use, {"since"})) + "\n";
  }
  return out;
}

// "up", "waiting: F-1812 the server refused the tunnel's key".
Cell state_cell(const Json& link) {
  const std::string state = text(link, {"state"});
  if (state == "up") return {state, Tone::good};
  return {or_dash(state), Tone::bad};
}

std::string forwards_text(const Json& link) {
  std::vector<std::string> words;
  for (const auto& forward : get(link, {"forwards"})) words.push_back(text(forward, {"forward"}));
  return words.empty() ? "-" : join(words, " ");
}

// What is wrong with it, or else what it is for.
std::string link_text(const Json& link) {
  for (const char* trouble : {"error", "direct_error"}) {
    const std::string code = text(link, {trouble, "code"});
    if (!code.empty()) return code + " " + text(link, {trouble, "what"});
  }
  return forwards_text(link);
}

void add_tunnel(const Json& tunnel, TextTable& table) {
  const std::string relay = text(tunnel, {"relay"});
  const std::string name = relay.empty() ? text(tunnel, {"file"}) : relay;
  const Json& links = get(tunnel, {"links"});
  if (!links.is_array() || links.empty()) {
    const bool runs = flag(tunnel, {"running"});
    const auto wait = integer(tunnel, {"start_in_ms"});
    const std::string ended = text(tunnel, {"ended_by"});
    const std::string state = runs ? "starts" : wait ? "starts in " + span_text(wait) : "down";
    table.add({text(tunnel, {"node"}), name, or_dash(text(tunnel, {"role"})),
               Cell(state, runs ? Tone::warn : Tone::bad), "-", "-", "-", "-", "-",
               or_dash(ended)});
    return;
  }
  for (const auto& link : links) {
    const auto since = integer(link, {"since_s"});
    const bool is_carried = flag(link, {"carried"});
    table.add({text(tunnel, {"node"}), name, or_dash(text(tunnel, {"role"})), state_cell(link),
               since ? span_text(*since * 1000) : "-",
               or_dash(text(link, {"server"})) + (is_carried ? " over CURVE" : ""),
               count_text(integer(link, {"connections"})),
               count_text(integer(link, {"bytes_to_server"})),
               count_text(integer(link, {"bytes_from_server"})), link_text(link)});
  }
}

std::string view_text(const Json& view, bool color) {
  const std::string from = text(view, {"node"});
  const std::string to = text(view, {"subject"});
  std::string out;
  for (const auto& reason : get(view, {"reasons"})) {
    out += paint(from + " > " + to, Tone::strong, color) + "  " + text(reason, {"text"}) + "\n";
  }
  TextTable table({"PATH", "ADDRESS", "FOR", "BREAKER", "OK", "FAILED", "RTT", "WHY"});
  for (const auto& path : get(view, {"paths"})) {
    const std::string relay = text(path, {"relay"});
    const std::string breaker = text(path, {"breaker"});
    const bool in_use = flag(path, {"in_use"});
    table.add({Cell(relay.empty() ? text(path, {"kind"}) : "relay " + relay,
                    in_use ? Tone::good : Tone::plain),
               address_text(path) + (in_use ? " *" : ""), or_dash(text(path, {"for"})),
               Cell(or_dash(breaker), breaker == "open" ? Tone::bad : Tone::plain),
               count_text(integer(path, {"successes"})), count_text(integer(path, {"failures"})),
               rtt_text(real(path, {"rtt_ms"})), text(path, {"verdict"})});
  }
  return table.empty() ? out : out + table.print(color, 2);
}

// Who dialled the node itself, when, and what came of it.
std::string dialled_text(const Json& view, bool color) {
  const Json& dialled = get(view, {"dialled"});
  if (!dialled.is_object()) return "";
  const std::string verdict = text(dialled, {"verdict"});
  const Tone tone = verdict == "direct"    ? Tone::good
                    : verdict == "blocked" ? Tone::warn
                                           : Tone::plain;
  std::string out = "\n" +
                    paint(text(view, {"node"}) + ", dialled by others", Tone::strong, color) +
                    "  " + paint(text(dialled, {"text"}), tone, color) + "; asked again in " +
                    span_text(integer(dialled, {"again_in_ms"})) + "\n";
  TextTable table({"BY", "AGO", "ADDRESS", "RESULT", "RTT"});
  for (const auto& witness : get(dialled, {"witnesses"})) {
    const std::string by = text(witness, {"node"});
    const std::string ago = age_text(get(witness, {"when"}));
    const std::string trouble = text(witness, {"trouble"});
    if (!trouble.empty()) table.add({by, ago, "-", trouble, "-"});
    for (const auto& one : get(witness, {"tries"})) {
      const bool worked = flag(one, {"worked"});
      table.add({by, ago, address_text(one),
                 Cell(worked ? "works" : text(one, {"trouble"}), worked ? Tone::good : Tone::bad),
                 rtt_text(real(one, {"rtt_ms"}))});
    }
  }
  return out + (table.empty() ? "" : table.print(color, 2));
}

std::string silent_lines(const Json& document) {
  std::string out;
  for (const auto& node : get(document, {"silent"})) {
    out += "not heard from: " + text(node, {"node"}) + ": " + text(node, {"what"}) + "\n";
  }
  return out;
}

std::string hop_line(const Json& hop) {
  const auto ms = real(hop, {"rtt_ms"});
  std::string out = "  " + text(hop, {"from"}) + " > " + text(hop, {"to"}) + "  " + rtt_text(ms);
  const std::string by = text(hop, {"measured_by"});
  out += "  " + text(hop, {"how"}) + (by.empty() ? "" : ", by " + by);
  if (ms) {
    out += ", " + count_text(integer(hop, {"answered"})) + " of " +
           count_text(integer(hop, {"asked"}));
  } else {
    out += ": " + or_dash(text(hop, {"error"}));
  }
  return out + "\n";
}

}  // namespace

std::string render_relays(const Json& list, Style style) {
  TextTable table(
      {"RELAY", "FRONT", "DOMAIN", "NODE", "SEEN", "RTT", "PIN", "HOME OF", "ATTACHED"});
  const std::size_t shown = style.wide ? 1000 : 6;
  for (const auto& relay : get(list, {"relays"})) {
    table.add({text(relay, {"id"}), front_text(relay), or_dash(text(relay, {"domain"})),
               member_cell(relay), seen_cell(relay), rtt_text(real(relay, {"rtt_ms"})),
               flag(relay, {"pinned"}) ? "known" : "-",
               std::to_string(get(relay, {"homes"}).size()), names(relay, "attached", shown)});
  }
  if (table.empty()) return "no relay is known to " + text(list, {"node"}) + "\n";
  return table.print(style.color);
}

std::string render_relay(const Json& shown, Style style) {
  const Json& relay = get(shown, {"relay"});
  std::string out = paint(text(relay, {"id"}), Tone::strong, style.color) + "  front " +
                    front_text(relay) + "  SSH port " + count_text(integer(relay, {"ssh_port"})) +
                    "  domain " + or_dash(text(relay, {"domain"})) + "\n";
  const std::string standing = text(relay, {"member"});
  out += standing.empty()
             ? "no node of the cluster runs on its host\n"
             : "its node is " + paint(standing, tone_of_standing(standing), style.color) + "\n";
  if (flag(relay, {"draining"})) {
    out += paint("is being emptied", Tone::warn, style.color);
    const std::size_t left = get(relay, {"attached"}).size();
    out += left == 0 ? ": nobody is attached any more\n"
                     : ": " + std::to_string(left) + " still attached\n";
  }
  out += "attached  " + names(relay, "attached", 1000) + "\n";
  out += "home of   " + names(relay, "homes", 1000) + "\n";
  const std::string error = text(relay, {"last_error"});
  if (!error.empty()) {
    out += "failed    " + age_text(get(relay, {"last_failure"})) + " ago: " + error + "\n";
  }
  const std::string used = used_lines(relay);
  if (!used.empty()) out += "used by " + text(shown, {"node"}) + " for\n" + used;
  return out + sessions_table(shown, style.color) + carried_line(shown);
}

std::string render_tunnels(const Json& list, Style style) {
  TextTable table({"NODE", "RELAY", "ROLE", "STATE", "SINCE", "SERVER", "CONNECTIONS", "SENT",
                   "RECEIVED", "FORWARDS"});
  for (const auto& tunnel : get(list, {"tunnels"})) add_tunnel(tunnel, table);
  std::string out = table.empty() ? "no tunnels\n" : table.print(style.color);
  const auto restarted = texts(list, {"restarted"});
  if (!restarted.empty()) out = "new sessions: " + join(restarted, " ") + "\n" + out;
  for (const auto& trouble : get(list, {"troubles"})) {
    out +=
        text(trouble, {"node"}) + " does not attach by itself: " + text(trouble, {"what"}) + "\n";
  }
  return out + silent_lines(list);
}

std::string render_path(const Json& path, Style style) {
  std::string out;
  for (const auto& view : get(path, {"views"})) {
    out += (out.empty() ? "" : "\n") + view_text(view, style.color);
  }
  // Of the subject: the last view is its own, if it answered.
  for (const auto& view : get(path, {"views"})) {
    if (text(view, {"node"}) == text(path, {"subject"})) out += dialled_text(view, style.color);
  }
  return out + silent_lines(path);
}

std::string render_trace(const Json& trace, Style style) {
  const std::string from = text(trace, {"from"});
  const std::string to = text(trace, {"to"});
  const std::string relay = text(trace, {"relay"});
  const bool is_known = get(trace, {"path"}).is_object();
  const std::string way =
      !is_known       ? "no path"
      : relay.empty() ? text(trace, {"path", "kind"}) + " " + address_text(get(trace, {"path"}))
                      : "relay " + relay;
  std::string out = paint(from, Tone::strong, style.color) + " > " + way + " > " +
                    paint(to, Tone::strong, style.color) + "\n";
  for (const auto& hop : get(trace, {"hops"})) out += hop_line(hop);
  Json whole = get(trace, {"whole"});
  whole["from"] = from;
  whole["to"] = to;
  out += hop_line(whole);
  if (const auto rest = real(trace, {"rest_ms"})) {
    out += "  " + rtt_text(rest) + " of it in neither hop: SSH, CURVE and the programs\n";
  }
  return out;
}

}  // namespace riftbus::ctl
