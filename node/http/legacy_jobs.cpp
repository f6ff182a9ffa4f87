// Jobs, as the former orchestrator's clients speak of them: work of the queue under another name.
#include <algorithm>

#include "node/http/legacy_work.h"

namespace riftbus::node {

namespace {

constexpr const char* kJobsShownMax = "1000";

// Everything of the request that is not about the queue is the job's own business.
Json config_from(const Json& body) {
  Json config = body.value("config", Json::object());
  if (!config.is_object()) config = Json::object();
  for (const auto& [key, value] : body.items()) {
    const bool is_ours = key == "config" || key == "priority" || key == "timeout_seconds" ||
                         key == "work_type" || key == "job_type" || key == "kind" ||
                         key == "depends_on" || key == "max_attempts";
    if (!is_ours) config[key] = value;
  }
  return config;
}

Json iso_or_null(const Json& seconds) {
  if (!seconds.is_number()) return {};
  return iso_time(static_cast<std::int64_t>(seconds.get<double>() * 1000));
}

Json job_json(const Json& work, std::int64_t wall_ms) {
  Json job = legacy_item(work, wall_ms);
  const Json config = job["config"];
  for (const char* key : {"created_at", "started_at", "completed_at"}) {
    job[key] = iso_or_null(job[key]);
  }
  for (const char* key : {"board_type", "num_players", "config_key", "num_games", "output_path"}) {
    job[key] = config.contains(key) ? config[key] : Json();
  }
  job["metrics"] = job["result"];
  return job;
}

bool is_ended(const std::string& status) {
  return status == "completed" || status == "cancelled" || status == "failed";
}

// Of the queue's works, those that were asked for.
void add_jobs(const HttpDesk& desk, const HttpCall& call, const Json& list, Json& jobs) {
  const Glance seen = desk.glance();
  const std::string local = argument_of(call, "local");
  const std::string wanted = argument_of(call, "status");
  Json works = list.value("works", Json::array());
  add_payloads(desk.view(), works);
  for (const auto& work : works) {
    Json job = job_json(work, seen.when.wall_ms);
    const std::string status = job["status"];
    const bool is_here = job["node_id"] == seen.node && status != "pending";
    if ((local == "1" || local == "true") && !is_here) continue;
    if (!wanted.empty() && status != wanted && (wanted != "ended" || !is_ended(status))) continue;
    jobs.push_back(std::move(job));
  }
}

bool is_cut(const Json& list) { return list.value("truncated", false); }

// `total` is how many there are, and if that is not known how many are listed.
void reply_jobs(const HttpCallPtr& call, Json jobs, bool is_truncated, const Json& total) {
  const Json listed = jobs.size();
  reply_json(call, 200,
             {{"success", true},
              {"jobs", std::move(jobs)},
              {"total", is_truncated && total.is_number() ? total : listed},
              {"truncated", is_truncated}});
}

}  // namespace

// What has ended is listed on demand only; what failed too often the queue keeps with the rest.
void list_jobs(HttpDesk& desk, const HttpCallPtr& call) {
  const std::string wanted = argument_of(*call, "status");
  desk.ask(call, {"work.list", {{"limit", kJobsShownMax}}},
           [&desk, call, wanted](const Json& list) {
             Json jobs = Json::array();
             add_jobs(desk, *call, list, jobs);
             const bool wants_history =
                 wanted == "ended" || wanted == "completed" || wanted == "cancelled";
             const bool is_all = wanted.empty() && argument_of(*call, "local").empty();
             if (!wants_history) {
               return reply_jobs(call, std::move(jobs), is_cut(list),
                                 is_all ? list.value("total", Json()) : Json());
             }
             const std::string limit = argument_of(*call, "limit");
             const wire::Query query{"work.history", {{"limit", limit.empty() ? "100" : limit}}};
             const bool is_list_cut = wanted == "ended" && is_cut(list);
             desk.ask(call, query, [&desk, call, jobs, is_list_cut](const Json& history) {
               Json all = jobs;
               add_jobs(desk, *call, history, all);
               reply_jobs(call, std::move(all), is_list_cut || is_cut(history), Json());
             });
           });
}

void show_job(HttpDesk& desk, const HttpCallPtr& call) {
  const auto id = work_id_of(*call);
  if (!id) return desk.fail(call, Error{1503, "the id is not a number", "", ""});
  const wire::Query query{"work.show", {{"id", std::to_string(id->value())}}};
  desk.ask(call, query, [&desk, call](const Json& shown) {
    Json job = job_json(shown.value("work", Json::object()), desk.glance().when.wall_ms);
    Json json = job;
    json["success"] = true;
    json["job"] = std::move(job);
    reply_json(call, 200, json);
  });
}

void submit_job(HttpDesk& desk, const HttpCallPtr& call) {
  Json body = call->body;
  body["config"] = config_from(call->body);
  const auto spec = read_legacy_item(body, desk.settings());
  if (!spec) return desk.fail(call, spec.error());
  submit_spec(desk, call, *spec, [call, kind = spec->kind](work::WorkId id) {
    const std::string text = std::to_string(id.value());
    reply_json(call, 200,
               {{"success", true},
                {"job_id", text},
                {"work_id", text},
                {"status", "pending"},
                {"job", {{"job_id", text}, {"job_type", kind}, {"status", "pending"}}}});
  });
}

// Triggers that named no kind: what they started is one.
void start_training(HttpDesk& desk, const HttpCallPtr& call) {
  const bool is_cmaes = call->request.path.find("cmaes") != std::string::npos;
  HttpCall named = *call;
  if (!named.body.contains("job_type"))
    named.body["job_type"] = is_cmaes ? "gpu_cmaes" : "training";
  submit_job(desk, std::make_shared<const HttpCall>(std::move(named)));
}

void cancel_job(HttpDesk& desk, const HttpCallPtr& call) { cancel_work(desk, call); }

// The queue gives back by itself what nobody renews, and a job's executor ends what takes too long.
void restart_stuck_jobs(HttpDesk&, const HttpCallPtr& call) {
  reply_json(call, 200,
             {{"success", true},
              {"restarted", 0},
              {"message", "leases that are not renewed end by themselves"}});
}

}  // namespace riftbus::node
