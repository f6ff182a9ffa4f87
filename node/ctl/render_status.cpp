// The status document and a single ping, for people.
#include <algorithm>
#include <cctype>

#include "node/ctl/render.h"

namespace riftbus::ctl {

namespace {

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

Tone tone_of_cluster_state(std::string_view state) {
  if (state == "ok") return Tone::good;
  return state == "joining" ? Tone::warn : Tone::bad;
}

// "3 alive  1 dead": what is zero is left out, except the alive.
std::string members_text(const Json& members, bool color) {
  std::string out = count_text(integer(members, {"alive"})) + " alive";
  for (const char* standing : {"suspect", "unreachable", "dead", "left"}) {
    const auto count = integer(members, {standing});
    if (!count || *count == 0) continue;
    out += "  " + paint(std::to_string(*count) + " " + standing, tone_of_standing(standing), color);
  }
  const auto unseen = integer(members, {"never_seen"});
  if (unseen && *unseen > 0) out += "  " + std::to_string(*unseen) + " never seen";
  return out;
}

std::string fraction(const Json& json) {
  return count_text(integer(json, {"alive"})) + "/" + count_text(integer(json, {"total"}));
}

std::string self_text(const Json& status) {
  const Json& self = get(status, {"self"});
  const auto watchers = texts(self, {"watched_by"});
  return text(self, {"id"}) + "  up " + span_text(integer(self, {"uptime_ms"})) + "  health " +
         count_text(integer(self, {"health"})) + "  watching " +
         count_text(integer(self, {"watching"})) + "  watched by " +
         (watchers.empty() ? "nobody" : join(watchers, " "));
}

std::string leadership_text(const Json& status, bool color) {
  const Json& leadership = get(status, {"leadership"});
  if (!leadership.is_object()) return "";
  const bool known = !get(leadership, {"leader"}).is_null();
  std::string out =
      "leader  " + (known ? text(leadership, {"leader"}) : paint("nobody", Tone::bad, color));
  out += "  term " + count_text(integer(leadership, {"term"}));
  if (known) out += "  for " + span_text(integer(leadership, {"since", "age_ms"}));
  out += "  |  here " + text(leadership, {"role"});
  const auto commit = integer(leadership, {"log", "commit"});
  return out + (commit ? "  commit " + std::to_string(*commit) : "") + "\n";
}

std::string counters_text(const Json& status) {
  std::string out;
  for (const char* group : {"membership", "counters"}) {
    const Json& counters = get(status, {group});
    if (!counters.is_object()) continue;
    for (const auto& [name, value] : counters.items()) {
      if (!value.is_number_integer() || value == 0) continue;
      out += "  " + printable(name) + " " + value.dump() + "\n";
    }
  }
  return out.empty() ? "" : "counters of " + text(status, {"node"}) + "\n" + out;
}

}  // namespace

std::string jobs_text(const Json& jobs) {
  if (!jobs.is_object()) return "";
  return count_text(integer(jobs, {"running"})) + " of " + count_text(integer(jobs, {"slots"})) +
         " jobs running" + (flag(jobs, {"draining"}) ? ", drained: takes no more work" : "") +
         (flag(jobs, {"evicting"}) ? ", stops what runs" : "");
}

Tone tone_of_standing(std::string_view standing) {
  if (standing == "alive") return Tone::good;
  if (standing == "suspect" || standing == "unreachable") return Tone::warn;
  return standing == "dead" ? Tone::bad : Tone::faint;
}

std::string render_status(const Json& status, Style style) {
  const std::string state = text(status, {"state"});
  std::string out = "cluster " + paint(text(status, {"cluster"}), Tone::strong, style.color) +
                    "  " + paint(upper(state), tone_of_cluster_state(state), style.color) +
                    "  roster " + count_text(integer(status, {"roster_version"})) + "  asked " +
                    text(status, {"node"}) + "\n";
  out += "nodes   " + members_text(get(status, {"members"}), style.color) + "  |  voters " +
         fraction(get(status, {"voters"})) + "  |  relays " + fraction(get(status, {"relays"})) +
         "\n";
  out += leadership_text(status, style.color);
  out += "node    " + self_text(status) + "\n";
  const std::string jobs = jobs_text(get(status, {"jobs"}));
  if (!jobs.empty()) out += "work    " + text(status, {"node"}) + " has " + jobs + "\n";
  for (const auto& problem : get(status, {"problems"})) {
    const auto code = integer(problem, {"code"});
    const std::string number = code ? "  (F-" + std::to_string(*code) + ")" : "";
    out += paint("!", Tone::bad, style.color) + " " + text(problem, {"what"}) + number + "\n";
  }
  for (const auto& note : get(status, {"notes"})) {
    const auto code = integer(note, {"code"});
    out += "- " + text(note, {"what"}) + (code ? "  (F-" + std::to_string(*code) + ")" : "") + "\n";
  }
  if (style.wide) out += counters_text(status);
  return out;
}

std::string render_ping(const Json& ping, Style style) {
  const std::string from = text(ping, {"node"}) + " > " + text(ping, {"peer"});
  if (!flag(ping, {"answered"})) {
    const std::string why = text(ping, {"error"});
    return from + "  " + paint("no answer", Tone::bad, style.color) + " within " +
           span_text(integer(ping, {"timeout_ms"})) + (why.empty() ? "" : ": " + why) + "\n";
  }
  const std::string via = address_text(get(ping, {"via"}));
  return from + "  " + rtt_text(real(ping, {"rtt_ms"})) + (via == "-" ? "" : "  via " + via) +
         "  health " + count_text(integer(ping, {"health"})) + "  up " +
         span_text(integer(ping, {"uptime_ms"})) + "\n";
}

}  // namespace riftbus::ctl
