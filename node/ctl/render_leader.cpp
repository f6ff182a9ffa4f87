// The documents about leadership and voters, for people.
#include "node/ctl/render.h"

namespace riftbus::ctl {

namespace {

std::string name_or(const Json& json, const char* key, const char* otherwise) {
  return get(json, {key}).is_null() ? otherwise : text(json, {key});
}

std::string log_text(const Json& json) {
  return "commit " + count_text(integer(json, {"log", "commit"})) + "  applied " +
         count_text(integer(json, {"log", "applied"})) + "  last " +
         count_text(integer(json, {"log", "last"}));
}

}  // namespace

std::string render_leader(const Json& leader, Style style) {
  const bool known = !get(leader, {"leader"}).is_null();
  std::string out =
      "leader  " +
      paint(name_or(leader, "leader", "nobody"), known ? Tone::good : Tone::bad, style.color) +
      "  term " + count_text(integer(leader, {"term"}));
  if (known) out += "  for " + span_text(integer(leader, {"since", "age_ms"}));
  out += "\nhere    " + text(leader, {"node"}) + "  " + text(leader, {"role"});
  if (!get(leader, {"policy"}).is_null()) {
    const std::string policy = text(leader, {"policy"});
    const std::string configured = text(leader, {"policy_configured"});
    out += "  policy " + policy;
    if (!configured.empty() && configured != policy) out += " (configured: " + configured + ")";
    out += "  " + log_text(leader);
  }
  out += "\n";
  if (!get(leader, {"trouble"}).is_null()) {
    out += paint("!", Tone::bad, style.color) + " " + text(leader, {"trouble"}) + "\n";
  }
  return out;
}

std::string render_voters(const Json& voters, Style style) {
  TextTable table({"VOTER", "STANDING", "MEMBER", "LEADS", "BEHIND", "HEARD"});
  for (const auto& voter : get(voters, {"voters"})) {
    const auto age_ms = integer(voter, {"last_heard", "age_ms"});
    const std::string member = text(voter, {"member"});
    table.add({text(voter, {"id"}), text(voter, {"standing"}),
               Cell(member, tone_of_standing(member)), flag(voter, {"leads"}) ? "leads" : "",
               count_text(integer(voter, {"behind"})), age_ms ? span_text(age_ms) : "-"});
  }
  std::string out = table.print(style.color);
  if (flag(voters, {"stale"})) {
    out += paint("!", Tone::warn, style.color) + " as " + text(voters, {"node"}) +
           " has it: no majority could be asked\n";
  }
  return out;
}

std::string render_why_leader(const Json& why, Style style) {
  std::string out;
  for (const auto& reason : get(why, {"reasons"})) out += text(reason, {"text"}) + "\n";
  if (!get(why, {"role"}).is_null()) {
    out += "asked " + text(why, {"node"}) + ": " + text(why, {"role"}) + " in term " +
           count_text(integer(why, {"term"})) + ", voted for " +
           name_or(why, "voted_for", "nobody") + ", policy " + text(why, {"policy"}) + ", " +
           log_text(why) + "\n";
  }
  return out + render_voters(why, style);
}

std::string render_accepted(const Json& done, Style) {
  const std::string subject = get(done, {"subject"}).is_null() ? "" : " " + text(done, {"subject"});
  return text(done, {"document"}) + subject + ": accepted by " + text(done, {"node"}) + "\n";
}

}  // namespace riftbus::ctl
