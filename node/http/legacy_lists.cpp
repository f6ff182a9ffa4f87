// Lists and counts of the queue in the former orchestrator's shapes.
#include <algorithm>
#include <cstdlib>

#include "node/http/legacy_work.h"

namespace riftbus::node {

namespace {

constexpr std::size_t kPendingShownMax = 10;
constexpr const char* kItemsShownMax = "2000";

Json items_of(const HttpDesk& desk, const Json& document) {
  const NodeView view = desk.view();
  const std::int64_t wall_ms = view.now.wall_ms;
  Json items = Json::array(), works = document.value("works", Json::array());
  add_payloads(view, works);
  for (const auto& work : works) {
    items.push_back(legacy_item(work, wall_ms));
  }
  return items;
}

Json count_states(const Json& stats) {
  const Json items = stats.value("items", Json::object());
  const auto count = [&](const char* key) { return items.value(key, std::uint64_t{0}); };
  return {{"pending", count("ready") + count("delayed")},
          {"running", count("leased")},
          {"failed", count("dead")},
          {"finished", count("finished")}};
}

Json backpressure(const Json& stats, const Json& states) {
  const auto pending = states.value("pending", std::uint64_t{0});
  const auto soft = stats.value("soft_max", std::uint64_t{1});
  return {{"active", pending >= soft},
          {"pending_count", pending},
          {"soft_limit", soft},
          {"hard_limit", stats.value("hard_max", std::uint64_t{1})},
          {"recovery_threshold", soft},
          {"utilization_pct", 100 * static_cast<double>(pending) /
                                  static_cast<double>(std::max<std::uint64_t>(soft, 1))}};
}

}  // namespace

void answer_work_status(HttpDesk& desk, const HttpCallPtr& call) {
  desk.ask(call, {"work.stats", {}}, [&desk, call](const Json& stats) {
    desk.ask(call, {"work.list", {{"limit", kItemsShownMax}}},
             [&desk, call, stats](const Json& list) {
               const Glance seen = desk.glance();
               const Json states = count_states(stats);
               Json pending = Json::array(), running = Json::array(), by_type = Json::object();
               for (auto& item : items_of(desk, list)) {
                 const std::string kind = item["work_type"];
                 by_type[kind] = by_type.value(kind, 0) + 1;
                 const bool waits = item["status"] == "pending";
                 const bool runs = item["status"] == "running" || item["status"] == "claimed";
                 if (waits && pending.size() < kPendingShownMax) pending.push_back(item);
                 if (runs) running.push_back(item);
               }
               std::uint64_t total = 0;
               for (const auto& [name, count] : states.items()) total += count.get<std::uint64_t>();
               reply_json(call, 200,
                          {{"total_items", total},
                           {"by_status", states},
                           {"by_type", std::move(by_type)},
                           {"pending", std::move(pending)},
                           {"running", std::move(running)},
                           {"truncated", list.value("truncated", false)},
                           {"stats", stats},
                           {"is_leader", seen.leader == seen.node},
                           {"leader_id", seen.leader.empty() ? Json() : Json(seen.leader)},
                           {"timed_out_this_check", 0},
                           {"backpressure", backpressure(stats, states)}});
             });
  });
}

void answer_work_item(HttpDesk& desk, const HttpCallPtr& call) {
  const auto id = work_id_of(*call);
  if (!id) return desk.fail(call, Error{1503, "the id is not a number", "", ""});
  const wire::Query query{"work.show", {{"id", std::to_string(id->value())}}};
  desk.ask(call, query, [&desk, call](const Json& shown) {
    reply_json(call, 200,
               legacy_item(shown.value("work", Json::object()), desk.glance().when.wall_ms));
  });
}

void answer_work_of_node(HttpDesk& desk, const HttpCallPtr& call) {
  const std::string node = argument_of(*call, "id");
  desk.ask(call, {"work.list", {{"state", "leased"}, {"limit", kItemsShownMax}}},
           [&desk, call, node](const Json& list) {
             Json items = Json::array();
             for (auto& item : items_of(desk, list)) {
               if (item["claimed_by"] == node) items.push_back(item);
             }
             const auto count = items.size();
             reply_json(call, 200,
                        {{"node_id", node},
                         {"work_items", std::move(items)},
                         {"count", count},
                         {"truncated", list.value("truncated", false)}});
           });
}

void answer_work_history(HttpDesk& desk, const HttpCallPtr& call) {
  std::string limit = argument_of(*call, "limit");
  if (limit.empty()) limit = "50";
  const std::string wanted = argument_of(*call, "status");
  wire::Query query{"work.history", {{"limit", limit}}};
  if (wanted == "completed") {
    query.arguments["state"] = "done";
  } else if (wanted == "cancelled") {
    query.arguments["state"] = "cancelled";
  } else if (wanted == "failed") {  // it waits for an operator, and so has not ended
    query = {"work.list", {{"limit", limit}, {"state", "dead"}}};
  } else if (!wanted.empty()) {
    return desk.fail(call, Error{1503, "status is none of completed, cancelled, failed", "", ""});
  }
  desk.ask(call, query, [&desk, call, limit, wanted](const Json& document) {
    Json items = items_of(desk, document);
    const auto count = items.size();
    reply_json(call, 200,
               {{"history", std::move(items)},
                {"count", count},
                {"truncated", document.value("truncated", false)},
                {"total", document.value("total", Json())},
                {"limit", std::strtoull(limit.c_str(), nullptr, 10)},
                {"status_filter", wanted.empty() ? Json() : Json(wanted)}});
  });
}

// Nothing here adds work by itself.
void answer_populator(HttpDesk& desk, const HttpCallPtr& call) {
  const Glance seen = desk.glance();
  reply_json(call, 200,
             {{"enabled", false},
              {"message", "work is added by whoever wants it done"},
              {"is_leader", seen.leader == seen.node}});
}

}  // namespace riftbus::node
