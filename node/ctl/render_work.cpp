// Work as people read it.
#include <array>

#include "node/ctl/render.h"

namespace riftbus::ctl {

namespace {

constexpr std::size_t kPayloadShownMax = 1000;

Tone tone_of_work_state(const std::string& state) {
  if (state == "done") return Tone::good;
  if (state == "dead") return Tone::bad;
  if (state == "cancelled") return Tone::faint;
  return state == "leased" ? Tone::strong : Tone::plain;
}

std::string span_of(const Json& json, const char* key) { return span_text(integer(json, {key})); }

// "2 failed, 1 lost"; "-" if neither.
std::string troubles(const Json& work) {
  std::vector<std::string> words;
  const auto failures = integer(work, {"failures"}).value_or(0);
  const auto losses = integer(work, {"losses"}).value_or(0);
  if (failures > 0) words.push_back(std::to_string(failures) + " failed");
  if (losses > 0) words.push_back(std::to_string(losses) + " lost");
  return words.empty() ? "-" : join(words, ", ");
}

// What the queue calls leased, people call running.
std::string state_word(std::string_view state) {
  return std::string(state == "leased" ? "running" : state);
}

std::string state_text(const Json& work) {
  std::string state = state_word(text(work, {"state"}));
  const auto percent = integer(work, {"percent"}).value_or(0);
  if (state == "running" && percent > 0) state += " " + std::to_string(percent) + "%";
  const auto cause = text(work, {"cause"});
  if (flag(work, {"cancelling"})) {
    state += ", stopping";
  } else if (!cause.empty() && state != "cancelled") {
    state += ", to be cancelled";
  }
  if (!cause.empty() && cause != "asked") state += " (" + cause + ")";
  if (flag(work, {"preempting"})) state += ", giving way";
  return state;
}

std::string dash(std::string text) { return text.empty() ? "-" : std::move(text); }

// The beginning of a payload, on lines of its own if it has several.
std::string payload_text(const Json& payload) {
  const auto raw = [&](const char* key) {
    const Json& value = get(payload, {key});
    return value.is_string() ? value.get<std::string>() : std::string();
  };
  const bool is_text = get(payload, {"text"}).is_string();
  std::string whole = is_text ? raw("text") : raw("hex");
  const bool is_cut = whole.size() > kPayloadShownMax || flag(payload, {"is_cut"});
  whole.resize(std::min(whole.size(), kPayloadShownMax));
  while (is_text && !whole.empty() && whole.back() == '\n') whole.pop_back();
  std::string out = count_text(integer(payload, {"bytes"})) + " bytes";
  if (!is_text && !whole.empty()) out += ", in hexadecimal";
  if (is_cut) out += ", of which the first";
  if (!whole.empty()) out += ":";
  for (std::size_t begin = 0; begin < whole.size();) {
    const std::size_t end = std::min(whole.find('\n', begin), whole.size());
    out += "\n    " + printable(std::string_view(whole).substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string limit_text(const Json& group) {
  return integer(group, {"limit"}) == 0 ? "none" : count_text(integer(group, {"limit"}));
}

std::string stale_note(const Json& document) {
  if (!flag(document, {"stale"})) return "";
  return "as " + text(document, {"node"}) + " knew it: no leader was reached\n";
}

}  // namespace

std::string render_work_list(const Json& list, Style style) {
  TextTable table({"ID", "STATE", "KIND", "GROUP", "NODE", "AGE", "RAN", "TROUBLE"});
  for (const Json& work : get(list, {"works"})) {
    table.add({count_text(integer(work, {"id"})),
               {state_text(work), tone_of_work_state(text(work, {"state"}))},
               text(work, {"kind"}),
               dash(text(work, {"group"})),
               dash(text(work, {"node"})),
               span_of(work, "age_ms"),
               span_of(work, "ran_ms"),
               troubles(work)});
  }
  if (table.empty()) return stale_note(list) + "nothing\n";
  return stale_note(list) + table.print(style.color);
}

std::string render_work_show(const Json& document, Style style) {
  const Json& work = get(document, {"work"});
  std::string out = stale_note(document);
  out += "work " + count_text(integer(work, {"id"})) + " of kind " + text(work, {"kind"}) + ": " +
         paint(state_text(work), tone_of_work_state(text(work, {"state"})), style.color) + "\n";
  const auto line = [&out](const std::string& name, const std::string& value) {
    if (value != "-" && !value.empty())
      out += "  " + name + std::string(10 - name.size(), ' ') + value + "\n";
  };
  line("group", text(work, {"group"}));
  line("node", text(work, {"node"}));
  line("age", span_of(work, "age_ms"));
  line("ran", span_of(work, "ran_ms"));
  line("priority", count_text(integer(work, {"priority"})));
  line("trouble", troubles(work));
  line("token", count_text(integer(work, {"token"})));
  if (get(work, {"payload"}).is_object()) line("payload", payload_text(get(work, {"payload"})));
  TextTable attempts({"NODE", "ENDING", "RAN", "EXIT", "SIGNAL"});
  for (const Json& one : get(work, {"attempts"})) {
    attempts.add({dash(text(one, {"node"})), text(one, {"ending"}), span_of(one, "ran_ms"),
                  count_text(integer(one, {"exit_code"})), count_text(integer(one, {"signal"}))});
  }
  if (!attempts.empty()) out += "attempts\n" + attempts.print(style.color, 2);
  return out;
}

namespace {

std::string no_output(const Json& work) {
  if (!flag(work, {"output", "wrote_nothing"})) return "nothing was kept\n";
  return text(work, {"state"}) == "leased" ? "it has written nothing yet\n" : "it wrote nothing\n";
}

}  // namespace

std::string render_work_logs(const Json& document, Style) {
  const Json& work = get(document, {"work"});
  std::string out;
  // Lines of a job: their own line feeds stay, other control characters do not.
  const auto block = [&out](const std::string& title, const std::string& raw) {
    if (raw.empty()) return;
    out += "-- " + title + "\n";
    std::size_t begin = 0;
    while (begin < raw.size()) {
      const std::size_t end = std::min(raw.find('\n', begin), raw.size());
      out += printable(std::string_view(raw).substr(begin, end - begin)) + "\n";
      begin = end + 1;
    }
  };
  const auto raw = [](const Json& json, const char* key) {
    const Json& value = get(json, {key});
    return value.is_string() ? value.get<std::string>() : std::string();
  };
  const Json& output = get(work, {"output"});
  block("standard output on " + text(work, {"node"}), raw(output, "stdout"));
  block("standard error on " + text(work, {"node"}), raw(output, "stderr"));
  std::size_t number = 0;
  for (const Json& one : get(work, {"attempts"})) {
    block("attempt " + std::to_string(++number) + " on " + text(one, {"node"}) + ", " +
              text(one, {"ending"}),
          raw(one, "tail"));
  }
  block("result", raw(work, "result"));
  if (out.empty()) out = no_output(work);
  return stale_note(document) + out;
}

std::string render_work_why(const Json& why, Style style) {
  std::string out = stale_note(why);
  if (!flag(why, {"known"})) return out + "no such work\n";
  out += "work " + count_text(integer(why, {"work"})) + " is " +
         paint(state_word(text(why, {"state"})), tone_of_work_state(text(why, {"state"})),
               style.color) +
         "\n";
  for (const auto& reason : texts(why, {"reasons"})) {
    const bool is_said = reason == "is " + text(why, {"state"});
    if (!is_said) out += "  " + reason + "\n";
  }
  return out;
}

std::string render_work_stats(const Json& stats, Style style) {
  std::string out = stale_note(stats);
  const Json& items = get(stats, {"items"});
  std::vector<std::string> words;
  for (const char* state : {"ready", "leased", "delayed", "dead", "finished"}) {
    words.push_back(count_text(integer(items, {state})) + " " + state_word(state));
  }
  out += "queue: " + join(words, ", ") + "\n";
  const auto add = [&](const char* list, const char* name, const char* title) {
    TextTable table({title, "ADDED", "DONE", "FAILED", "LOST", "DEAD", "MEAN WAIT", "MEAN RUN"});
    for (const Json& one : get(stats, {list})) {
      const auto done = integer(one, {"completed"}).value_or(0);
      const auto mean = [&](const char* key) -> std::optional<std::int64_t> {
        if (done == 0) return std::nullopt;
        return integer(one, {key}).value_or(0) / done;
      };
      table.add({dash(text(one, {name})), count_text(integer(one, {"added"})),
                 count_text(integer(one, {"completed"})), count_text(integer(one, {"failed"})),
                 count_text(integer(one, {"lost"})), count_text(integer(one, {"died"})),
                 span_text(mean("waited_ms")), span_text(mean("ran_ms"))});
    }
    if (!table.empty()) out += "\n" + table.print(style.color);
  };
  add("kinds", "kind", "KIND");
  add("nodes", "id", "NODE");
  TextTable groups({"GROUP", "RUNNING", "LIMIT", "WEIGHT"});
  for (const Json& one : get(stats, {"groups"})) {
    groups.add({dash(text(one, {"group"})), count_text(integer(one, {"leased"})), limit_text(one),
                count_text(integer(one, {"weight"}))});
  }
  if (!groups.empty()) out += "\n" + groups.print(style.color);
  return out;
}

std::string render_work_group(const Json& document, Style) {
  return stale_note(document) + "group " + text(document, {"group"}) + ": " +
         count_text(integer(document, {"leased"})) + " running, limit " + limit_text(document) +
         ", weight " + count_text(integer(document, {"weight"})) + "\n";
}

std::string render_work_added(const Json& document, Style) {
  const auto known = integer(document, {"known"}).value_or(0);
  const auto added = integer(document, {"added"}).value_or(0) - known;
  std::string out = "added " + std::to_string(added);
  if (added > 0) out += ": " + text(document, {"new_ids"});
  if (known > 0) {
    out += "; " + std::to_string(known) + (known == 1 ? " was" : " were") +
           " there already: " + text(document, {"known_ids"});
  }
  return out + "\n";
}

std::string render_jobs(const Json& document, Style style) {
  const Json& jobs = get(document, {"jobs"});
  std::string out = text(document, {"node"}) +
                    (flag(document, {"draining"}) ? " takes no more work" : " takes work") + "; " +
                    std::to_string(jobs.size()) + " jobs are running there\n";
  TextTable table({"ID", "KIND", "PHASE", "DONE", "AGE"});
  for (const Json& job : jobs) {
    table.add({count_text(integer(job, {"id"})), text(job, {"kind"}), text(job, {"phase"}),
               count_text(integer(job, {"percent"})) + "%", span_of(job, "age_ms")});
  }
  return table.empty() ? out : out + table.print(style.color);
}

std::string render_work_verdicts(const Json& document, Style style) {
  TextTable table({"ID", "OUTCOME", "STATE"});
  for (const Json& one : get(document, {"works"})) {
    const std::string outcome = text(one, {"outcome"});
    const bool is_well = outcome == "ok" || outcome == "repeated";
    table.add({count_text(integer(one, {"id"})),
               {outcome, is_well ? Tone::good : Tone::bad},
               dash(state_word(text(one, {"state"})))});
  }
  return table.print(style.color);
}

}  // namespace riftbus::ctl
