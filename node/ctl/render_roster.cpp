// The roster, for people and for scripts.
#include "bus/clock.h"
#include "node/ctl/render.h"

namespace riftbus::ctl {

namespace {

Json ids_json(const std::vector<NodeId>& ids) {
  Json list = Json::array();
  for (const auto& id : ids) list.push_back(id.value());
  return list;
}

Json entry_json(const RosterEntry& entry, std::int64_t wall_s) {
  Json roles = Json::array();
  for (const Role role : entry.roles) roles.push_back(to_string(role));
  const auto& expires = entry.expires_at_s;
  return {{"id", entry.id.value()},
          {"key", entry.key.z85()},
          {"previous_key", entry.previous_key ? Json(entry.previous_key->z85()) : Json()},
          {"roles", std::move(roles)},
          {"expires_at", expires ? Json(bus::format_wall(*expires * 1000)) : Json()},
          {"expires_in_ms", expires ? Json((*expires - wall_s) * 1000) : Json()},
          {"note", entry.note}};
}

Cell expiry_cell(const Json& entry) {
  const auto left_ms = integer(entry, {"expires_in_ms"});
  if (!left_ms) return "never";
  if (*left_ms <= 0) return {"expired", Tone::bad};
  return "in " + span_text(left_ms);
}

}  // namespace

Json roster_document(const Roster& roster, std::int64_t wall_s) {
  Json json{{"schema", 1},
            {"document", "roster"},
            {"cluster", roster.cluster},
            {"version", roster.version.value()},
            {"voters", ids_json(roster.voters)},
            {"relays", ids_json(roster.relays)}};
  Json entries = Json::array();
  for (const auto& [id, entry] : roster.entries) entries.push_back(entry_json(entry, wall_s));
  json["entries"] = std::move(entries);
  Json revoked = Json::array();
  for (const auto& [id, version] : roster.revoked) {
    revoked.push_back({{"id", id.value()}, {"version", version.value()}});
  }
  json["revoked"] = std::move(revoked);
  return json;
}

std::string render_roster(const Json& roster, Style style) {
  std::string out = "cluster " + paint(text(roster, {"cluster"}), Tone::strong, style.color) +
                    "  roster " + count_text(integer(roster, {"version"})) + "  voters " +
                    join(texts(roster, {"voters"}), " ") + "\n";
  std::vector<std::string> titles{"ID", "ROLES", "EXPIRES", "KEY", "NOTE"};
  if (style.wide) titles.emplace_back("PREVIOUS KEY");
  TextTable table(std::move(titles));
  for (const auto& entry : get(roster, {"entries"})) {
    std::vector<Cell> row{text(entry, {"id"}), join(texts(entry, {"roles"}), ","),
                          expiry_cell(entry), text(entry, {"key"}), text(entry, {"note"})};
    if (style.wide) row.emplace_back(text(entry, {"previous_key"}));
    table.add(std::move(row));
  }
  out += table.print(style.color);
  for (const auto& gone : get(roster, {"revoked"})) {
    out += paint("revoked", Tone::bad, style.color) + " " + text(gone, {"id"}) + " in version " +
           count_text(integer(gone, {"version"})) + "\n";
  }
  return out;
}

}  // namespace riftbus::ctl
