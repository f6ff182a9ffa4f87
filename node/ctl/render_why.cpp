// `riftbus why node`: several nodes' opinions of one member, laid side by side.
#include "node/ctl/render.h"

namespace riftbus::ctl {

namespace {

// The first view: that of the node asked first.
const Json& main_view(const Json& why) {
  const Json& views = get(why, {"views"});
  return views.is_array() && !views.empty() ? views.front() : get(why, {"none"});
}

std::string headline(const Json& why, bool color) {
  const Json& view = main_view(why);
  const std::string subject = paint(text(why, {"subject"}), Tone::strong, color);
  const std::string asked = text(view, {"node"});
  if (!flag(view, {"known"})) return subject + " was never seen by " + asked + "\n";
  const std::string standing = text(view, {"standing"});
  return subject + " is " + paint(standing, tone_of_standing(standing), color) + " since " +
         age_text(get(view, {"since"})) + ", says " + asked + " (incarnation " +
         count_text(integer(view, {"incarnation"})) +
         (flag(view, {"verified"}) ? ", heard by itself" : ", from hearsay") + ")\n";
}

// What the last step of the history rests on.
std::string verdict(const Json& view) {
  const Json& history = get(view, {"history"});
  if (!history.is_array() || history.empty()) return "";
  const Json& last = history.back();
  const std::string accuser = text(last, {"accuser"});
  if (accuser.empty()) return "";
  return "because " + accuser + " says so: " + text(last, {"evidence"}) + ", " +
         age_text(get(last, {"when"})) + " ago\n";
}

std::string suspicion(const Json& view) {
  const auto accusers = texts(view, {"watch", "accusers"});
  if (accusers.empty()) return "";
  return "accused by " + join(accusers, " ") + "; verdict in " +
         span_text(integer(view, {"watch", "verdict_due_ms"})) + "\n";
}

// Its relays are lost, and so nobody can tell yet.
std::string freeze(const Json& view) {
  const auto left = integer(view, {"watch", "frozen_until_ms"});
  if (!left) return "";
  return "none of its relays answers: it is not suspected for another " + span_text(left) + "\n";
}

std::string roster_text(const Json& view) {
  const Json& roster = get(view, {"roster"});
  if (!roster.is_object()) return "";
  const std::string version = "roster " + count_text(integer(roster, {"version"}));
  const Json& entry = get(roster, {"entry"});
  if (!entry.is_object()) {
    const auto revoked = integer(roster, {"revoked_in_version"});
    return version + ": " +
           (revoked ? "its key was revoked in version " + std::to_string(*revoked)
                    : "does not name it") +
           "\n";
  }
  const std::string expires = text(entry, {"expires_at"});
  return version + ": roles " + or_dash(join(texts(entry, {"roles"}), ",")) +
         (expires.empty() ? "" : ", key expires " + expires) +
         (flag(entry, {"expired"}) ? " (EXPIRED)" : "") + "\n";
}

std::string history_table(const Json& view, bool color) {
  TextTable table({"WHEN", "AGO", "STANDING", "INCARNATION", "BY", "EVIDENCE"});
  for (const auto& step : get(view, {"history"})) {
    const std::string standing = text(step, {"standing"});
    table.add({text(step, {"when", "at"}), age_text(get(step, {"when"})),
               Cell(standing, tone_of_standing(standing)),
               count_text(integer(step, {"incarnation"})), or_dash(text(step, {"accuser"})),
               text(step, {"evidence"})});
  }
  if (table.empty()) return "";
  return "\nhistory, as " + text(view, {"node"}) + " saw it\n" + table.print(color, 2);
}

std::string views_table(const Json& why, bool color) {
  TextTable table(
      {"NODE", "SAYS", "SINCE", "WATCHES", "LAST BEAT", "LIMIT", "RTT", "ACCUSERS", "OWN HEALTH"});
  for (const auto& view : get(why, {"views"})) {
    const std::string node = text(view, {"node"});
    const std::string standing = or_dash(text(view, {"standing"}));
    const bool watches = get(view, {"watch"}).is_object();
    const bool is_subject = node == text(why, {"subject"});
    table.add({node, Cell(standing, tone_of_standing(standing)), age_text(get(view, {"since"})),
               is_subject ? "itself" : (watches ? "yes" : "no"),
               age_text(get(view, {"watch", "last_beat"})),
               span_text(integer(view, {"watch", "silence_limit_ms"})),
               rtt_text(real(view, {"watch", "rtt_ms"})),
               or_dash(join(texts(view, {"watch", "accusers"}), " ")),
               count_text(integer(view, {"own_health"}))});
  }
  return table.empty() ? "" : "\nwho says what\n" + table.print(color, 2);
}

void add_connection(const Json& view, const char* kind, TextTable& table) {
  const Json& connection = get(view, {kind});
  if (!connection.is_object()) return;
  const bool up = flag(connection, {"up"});
  table.add({text(view, {"node"}), kind, address_text(get(connection, {"address"})),
             Cell(up ? "up" : "down", up ? Tone::good : Tone::bad),
             age_text(get(connection, {"since"})), rtt_text(real(connection, {"rtt_ms"})),
             count_text(integer(connection, {"failures"})),
             or_dash(text(connection, {"trouble"}))});
}

void add_paths(const Json& view, TextTable& table) {
  for (const auto& path : get(view, {"paths"})) {
    const std::string breaker = text(path, {"breaker"});
    const bool good = breaker == "closed";
    table.add({text(view, {"node"}), text(path, {"for"}) + " path", address_text(path),
               Cell("breaker " + breaker, good ? Tone::good : Tone::bad),
               age_text(get(path, {"last_success"})), rtt_text(real(path, {"rtt_ms"})),
               count_text(integer(path, {"failures"})), or_dash(text(path, {"last_error"}))});
  }
}

std::string paths_table(const Json& why, bool color) {
  TextTable table({"FROM", "FOR", "ADDRESS", "STATE", "SINCE", "RTT", "FAILURES", "TROUBLE"});
  for (const auto& view : get(why, {"views"})) {
    if (text(view, {"node"}) == text(why, {"subject"})) continue;
    add_connection(view, "calls", table);
    add_connection(view, "beats", table);
    add_paths(view, table);
  }
  return table.empty() ? "" : "\npaths to it\n" + table.print(color, 2);
}

std::string silent_nodes(const Json& why) {
  std::string out;
  for (const auto& node : get(why, {"silent"})) {
    const auto code = integer(node, {"code"});
    out += "  " + text(node, {"node"}) + ": " + text(node, {"what"}) +
           (code ? " (F-" + std::to_string(*code) + ")" : "") + "\n";
  }
  return out.empty() ? "" : "\nnot heard from\n" + out;
}

// Only the subject knows who holds a lease on it.
std::string watchers(const Json& why) {
  for (const auto& view : get(why, {"views"})) {
    if (!get(view, {"watched_by"}).is_array()) continue;
    const auto ids = texts(view, {"watched_by"});
    return "watched by " + (ids.empty() ? "nobody" : join(ids, " ")) + "\n";
  }
  std::vector<std::string> ids;
  for (const auto& view : get(why, {"views"})) {
    if (get(view, {"watch"}).is_object()) ids.push_back(text(view, {"node"}));
  }
  return ids.empty() ? "" : "watched by " + join(ids, " ") + " (of those asked)\n";
}

}  // namespace

std::string render_why(const Json& why, Style style) {
  const Json& view = main_view(why);
  return headline(why, style.color) + verdict(view) + suspicion(view) + freeze(view) +
         watchers(why) + roster_text(view) + history_table(view, style.color) +
         views_table(why, style.color) + paths_table(why, style.color) + silent_nodes(why);
}

}  // namespace riftbus::ctl
