// Members, links and events, for people.
#include "node/ctl/render.h"

namespace riftbus::ctl {

namespace {

Cell standing_cell(const Json& member) {
  const std::string standing = text(member, {"standing"});
  std::string said = or_dash(standing);
  if (text(member, {"via"}) == "http") said += " via http";
  const bool is_draining = flag(member, {"draining"});
  if (is_draining) said += ", drained";
  const bool is_warning = is_draining && standing == "alive";
  return {std::move(said), is_warning ? Tone::warn : tone_of_standing(standing)};
}

std::string gpu_text(const Json& resources) {
  const auto gpus = integer(resources, {"gpus"});
  if (!gpus || *gpus == 0) return "-";
  const std::string name = text(resources, {"gpu_name"});
  return std::to_string(*gpus) + (name.empty() ? "" : "x" + name);
}

std::string first_address(const Json& member) {
  const Json& addresses = get(member, {"addresses"});
  return addresses.is_array() && !addresses.empty() ? address_text(addresses.front()) : "-";
}

std::string beat_text(const Json& member) {
  if (flag(member, {"self"})) return "self";
  return age_text(get(member, {"watch", "last_beat"}));
}

std::string tags_text(const Json& member) {
  std::vector<std::string> tags;
  const Json& found = get(member, {"tags"});
  if (!found.is_object()) return "-";
  for (const auto& [name, value] : found.items()) {
    tags.push_back(printable(name) + "=" +
                   (value.is_string() ? printable(value.get<std::string>()) : ""));
  }
  return tags.empty() ? "-" : join(tags, ",");
}

std::vector<Cell> node_row(const Json& node, bool wide) {
  std::vector<Cell> row{text(node, {"id"}),
                        standing_cell(node),
                        age_text(get(node, {"since"})),
                        beat_text(node),
                        rtt_text(real(node, {"watch", "rtt_ms"})),
                        or_dash(join(texts(node, {"roles"}), ",")),
                        gpu_text(get(node, {"resources"})),
                        first_address(node)};
  if (!wide) return row;
  row.emplace_back(count_text(integer(node, {"incarnation"})));
  row.emplace_back(flag(node, {"verified"}) ? "yes" : "no");
  row.emplace_back(or_dash(text(node, {"failure_domain"})));
  row.emplace_back(span_text(integer(node, {"interval_ms"})));
  row.emplace_back(count_text(integer(node, {"resources", "cpus"})));
  row.emplace_back(or_dash(text(node, {"software"})));
  row.emplace_back(tags_text(node));
  return row;
}

// "up", "down", "-" for a connection of link.list.
Cell connection_cell(const Json& connection) {
  if (!connection.is_object()) return "-";
  if (flag(connection, {"up"})) return {"up", Tone::good};
  return {"down " + age_text(get(connection, {"since"})), Tone::bad};
}

std::string trouble_of(const Json& link) {
  const std::string calls = text(link, {"calls", "trouble"});
  return or_dash(calls.empty() ? text(link, {"beats", "trouble"}) : calls);
}

std::string link_address(const Json& link) {
  const std::string calls = address_text(get(link, {"calls", "address"}));
  return calls != "-" ? calls : address_text(get(link, {"beats", "address"}));
}

std::string link_rtt(const Json& link) {
  const auto measured = real(link, {"watch", "rtt_ms"});
  return rtt_text(measured ? measured : real(link, {"calls", "rtt_ms"}));
}

// "closed", or how many of the circuit breakers are not.
Cell breakers_of(const Json& link) {
  std::size_t open = 0;
  std::size_t half_open = 0;
  const Json& paths = get(link, {"paths"});
  for (const auto& path : paths) {
    const std::string breaker = text(path, {"breaker"});
    if (breaker == "open") ++open;
    if (breaker == "half-open") ++half_open;
  }
  if (paths.empty()) return Cell("-");
  if (open + half_open == 0) return Cell("closed", Tone::good);
  std::string words = open > 0 ? std::to_string(open) + " open" : "";
  if (half_open > 0) words += (open > 0 ? ", " : "") + std::to_string(half_open) + " half-open";
  return Cell(words + " of " + std::to_string(paths.size()), open > 0 ? Tone::bad : Tone::warn);
}

std::vector<Cell> link_row(const Json& link, bool wide) {
  std::vector<Cell> row{text(link, {"peer"}),
                        standing_cell(link),
                        connection_cell(get(link, {"calls"})),
                        connection_cell(get(link, {"beats"})),
                        age_text(get(link, {"watch", "last_beat"})),
                        link_rtt(link),
                        flag(link, {"watches_us"}) ? "yes" : "no",
                        count_text(integer(link, {"watch", "beats_missed"})),
                        breakers_of(link),
                        link_address(link)};
  if (!wide) return row;
  row.emplace_back(count_text(integer(link, {"calls", "queued"})));
  row.emplace_back(count_text(integer(link, {"watch", "beats_stale"})));
  row.emplace_back(span_text(integer(link, {"watch", "silence_limit_ms"})));
  row.emplace_back(trouble_of(link));
  return row;
}

std::string path_lines(const Json& paths, bool color) {
  TextTable table({"ADDRESS", "FOR", "KIND", "BREAKER", "OK", "FAILED", "LAST OK", "LAST FAILURE",
                   "RTT", "ERROR"});
  for (const auto& path : paths) {
    const std::string breaker = text(path, {"breaker"});
    table.add({address_text(path) + (flag(path, {"in_use"}) ? " *" : ""), text(path, {"for"}),
               text(path, {"kind"}), Cell(breaker, breaker == "closed" ? Tone::good : Tone::bad),
               count_text(integer(path, {"successes"})), count_text(integer(path, {"failures"})),
               age_text(get(path, {"last_success"})), age_text(get(path, {"last_failure"})),
               rtt_text(real(path, {"rtt_ms"})), or_dash(text(path, {"last_error"}))});
  }
  return table.empty() ? "" : "paths\n" + table.print(color, 2);
}

std::string resources_text(const Json& resources) {
  return count_text(integer(resources, {"cpus"})) + " cpus, " +
         count_text(integer(resources, {"memory_mb"})) + " MB memory, " +
         count_text(integer(resources, {"disk_free_mb"})) + " MB disk free, gpu " +
         gpu_text(resources);
}

}  // namespace

std::string render_node_list(const Json& list, Style style) {
  std::vector<std::string> titles{"NODE", "STATE", "SINCE", "BEAT",
                                  "RTT",  "ROLES", "GPU",   "ADDRESS"};
  if (style.wide) {
    titles.insert(titles.end(),
                  {"INCARNATION", "VERIFIED", "DOMAIN", "INTERVAL", "CPUS", "SOFTWARE", "TAGS"});
  }
  TextTable table(std::move(titles));
  for (const auto& node : get(list, {"nodes"})) table.add(node_row(node, style.wide));
  return table.print(style.color);
}

std::string render_link_list(const Json& list, Style style) {
  std::vector<std::string> titles{"PEER", "STATE",      "CALLS",  "BEATS",    "LAST BEAT",
                                  "RTT",  "WATCHES US", "MISSED", "BREAKERS", "ADDRESS"};
  if (style.wide) {
    titles.insert(titles.end(), {"QUEUED", "STALE", "SILENCE LIMIT", "TROUBLE"});
  }
  TextTable table(std::move(titles));
  for (const auto& link : get(list, {"links"})) table.add(link_row(link, style.wide));
  return table.print(style.color);
}

std::string render_node_show(const Json& node, Style style) {
  const Json& member = get(node, {"member"});
  const std::string standing = text(member, {"standing"});
  std::string out = paint(text(member, {"id"}), Tone::strong, style.color) + "  " +
                    paint(standing, tone_of_standing(standing), style.color) + " since " +
                    age_text(get(member, {"since"})) + ", says " + text(node, {"node"}) + "\n";
  std::vector<std::string> addresses;
  for (const auto& address : get(member, {"addresses"})) {
    addresses.push_back(text(address, {"kind"}) + " " + address_text(address));
  }
  out += "incarnation  " + count_text(integer(member, {"incarnation"})) + "\n";
  out += "addresses    " + or_dash(join(addresses, ", ")) + "\n";
  out += "roles        " + or_dash(join(texts(member, {"roles"}), ", ")) + "\n";
  out += "domain       " + or_dash(text(member, {"failure_domain"})) + "\n";
  out += "interval     " + span_text(integer(member, {"interval_ms"})) + "\n";
  out += "software     " + or_dash(text(member, {"software"})) + "\n";
  out += "resources    " + resources_text(get(member, {"resources"})) + "\n";
  out += "tags         " + tags_text(member) + "\n";
  out += "last beat    " + beat_text(member) +
         "  (heard here: " + (get(node, {"watch"}).is_object() ? "yes" : "no, not a watcher") +
         ")\n";
  const std::string jobs = jobs_text(get(node, {"jobs"}));
  if (!jobs.empty()) out += "work         " + jobs + "\n";
  const auto watchers = texts(node, {"watched_by"});
  if (!watchers.empty()) out += "watched by   " + join(watchers, " ") + "\n";
  return out + path_lines(get(node, {"paths"}), style.color);
}

std::string render_event(const Json& event, Style style) {
  const std::string kind = text(event, {"kind"});
  Tone tone = Tone::plain;
  if (kind == "died" || kind == "conflict" || kind == "cut") tone = Tone::bad;
  if (kind == "suspected" || kind == "unreachable" || kind == "link_fault") tone = Tone::warn;
  if (kind == "joined" || kind == "returned" || kind == "refuted") tone = Tone::good;
  const std::string subject = text(event, {"subject"});
  std::string words = text(event, {"text"});
  if (words.find(subject) == std::string::npos) words = subject + ": " + words;
  std::string out = paint(text(event, {"when", "at"}), Tone::faint, style.color) + "  " +
                    paint(kind, tone, style.color) + "  " + words;
  if (style.wide) {
    out += "  seq=" + count_text(integer(event, {"seq"})) +
           " incarnation=" + count_text(integer(event, {"incarnation"}));
  }
  return out;
}

}  // namespace riftbus::ctl
