// Documents as people read them: one function per document, text in, text out.
//
// Pure, and total: a document with missing or odd parts shows "-" in their places. The layout is
// for eyes and may change; scripts take -o json.
#pragma once

#include <set>
#include <string>

#include "config/roster.h"
#include "node/ctl/json_view.h"
#include "node/ctl/text_table.h"

namespace riftbus::ctl {

struct Style {
  bool color = false;
  bool wide = false;
};

// "3 of 64 jobs running, drained: takes no more work"; empty where no work is run.
[[nodiscard]] std::string jobs_text(const Json& jobs);
[[nodiscard]] Tone tone_of_standing(std::string_view standing);

[[nodiscard]] std::string render_status(const Json& status, Style style);
[[nodiscard]] std::string render_node_list(const Json& list, Style style);
[[nodiscard]] std::string render_node_show(const Json& node, Style style);
[[nodiscard]] std::string render_why(const Json& why, Style style);
[[nodiscard]] std::string render_link_list(const Json& list, Style style);
[[nodiscard]] std::string render_ping(const Json& ping, Style style);
[[nodiscard]] std::string render_leader(const Json& leader, Style style);
[[nodiscard]] std::string render_voters(const Json& voters, Style style);
[[nodiscard]] std::string render_why_leader(const Json& why, Style style);
[[nodiscard]] std::string render_relays(const Json& list, Style style);
[[nodiscard]] std::string render_relay(const Json& shown, Style style);
[[nodiscard]] std::string render_tunnels(const Json& list, Style style);
[[nodiscard]] std::string render_path(const Json& path, Style style);
[[nodiscard]] std::string render_trace(const Json& trace, Style style);
[[nodiscard]] std::string render_work_list(const Json& list, Style style);
[[nodiscard]] std::string render_work_show(const Json& document, Style style);
[[nodiscard]] std::string render_work_logs(const Json& document, Style style);
[[nodiscard]] std::string render_work_why(const Json& why, Style style);
[[nodiscard]] std::string render_work_stats(const Json& stats, Style style);
[[nodiscard]] std::string render_work_group(const Json& document, Style style);
[[nodiscard]] std::string render_work_added(const Json& document, Style style);
[[nodiscard]] std::string render_work_verdicts(const Json& document, Style style);
[[nodiscard]] std::string render_jobs(const Json& document, Style style);
[[nodiscard]] std::string render_accepted(const Json& done, Style style);
// One line, without the line feed.
[[nodiscard]] std::string render_event(const Json& event, Style style);
[[nodiscard]] std::string render_roster(const Json& roster, Style style);

// {"schema":1,"document":"roster",...}: the roster, as `riftbus roster show -o json` prints it.
[[nodiscard]] Json roster_document(const Roster& roster, std::int64_t wall_s);

}  // namespace riftbus::ctl
