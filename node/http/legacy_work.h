// The queue in the words of the former orchestrator.
//
// A work item there has work_id, work_type and a config; here an id, a kind and a payload
// {"params":config}. A worker that claims over HTTP is known to the queue as "<node>.http", so that
// it is not mistaken for that node's own executor. It has no fence of its own: the queue's is
// looked up for it, and only its own grants are found that way. So a `complete` succeeds for the
// holder only, and once.
//
// Loop thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "node/api/api_json.h"
#include "node/http/http_desk.h"
#include "node/work/command.h"

namespace riftbus::node {

inline constexpr std::string_view kHttpWorker = ".http";

// "n1" -> "n1.http"; empty: not an id.
[[nodiscard]] std::optional<NodeId> http_worker(const std::string& node);
[[nodiscard]] bool is_http_worker(std::string_view worker);
// "n1.http" -> "n1"
[[nodiscard]] std::string node_of_worker(std::string_view worker);

// "leased" -> "claimed" and so on, from an item of work.list or work.show.
[[nodiscard]] std::string legacy_state(const Json& work);
// Lists come without payloads; a voter has them in its own copy of the queue. Of what it does not
// find there (and on other nodes) the config stays unknown: {}.
void add_payloads(const NodeView& view, Json& works);
// A work.list or work.show item as a WorkItem; `wall_ms`: now.
[[nodiscard]] Json legacy_item(const Json& work, std::int64_t wall_ms);
// The config in a payload, {} if it holds none.
[[nodiscard]] Json config_in(const std::string& payload);

// From {work_type, config, priority, timeout_seconds, depends_on, ...}. Error 1503, 1561.
[[nodiscard]] Result<work::Spec> read_legacy_item(const Json& body, const NodeSettings& settings);
// "17" or 17; empty: neither.
[[nodiscard]] std::optional<work::WorkId> read_work_id(const Json& value);
[[nodiscard]] std::optional<work::WorkId> work_id_of(const HttpCall& call);

// Adds it, then gives its id, or answers what went wrong.
// A claim whose answer did not come in time: what it was granted, nobody was told. It is asked
// again, as it was, until the grants are known, and they go back.
void give_back(HttpDesk& desk, const work::Claim& claim, int tries);
void submit_spec(HttpDesk& desk, const HttpCallPtr& call, const work::Spec& spec,
                 std::function<void(work::WorkId)> then);

}  // namespace riftbus::node
