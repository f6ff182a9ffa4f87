#include <algorithm>
#include <array>
#include <charconv>

#include "node/http/legacy_work.h"
#include "node/jobs/kinds.h"

namespace riftbus::node {

namespace {

// Kinds that need no entry in the cluster file: whoever claims them over HTTP knows how to run
// them.
constexpr auto kFormerKinds = std::to_array<std::string_view>(
    {"training", "gpu_cmaes", "cpu_cmaes", "tournament", "gauntlet", "selfplay", "data_merge",
     "data_sync", "validation", "hyperparam_sweep"});
constexpr std::uint64_t kTimeoutSecondsDefault = 3600;
constexpr std::uint64_t kTimeoutSecondsMax = 30ULL * 24 * 3600;

std::optional<std::uint64_t> read_number(const Json& value) {
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_integer() && value.get<std::int64_t>() >= 0) {
    return static_cast<std::uint64_t>(value.get<std::int64_t>());
  }
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number >= 0 && number < 1e15) return static_cast<std::uint64_t>(number);
  }
  if (!value.is_string()) return std::nullopt;
  const auto text = value.get<std::string>();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Error bad(const std::string& what) {
  return {1503, what, "", "see node/http/README.md, or /openapi.json"};
}

// A number of the body within bounds; `otherwise` if it is not given.
Result<std::uint64_t> number_in(const Json& body, const char* key, std::uint64_t otherwise,
                                std::uint64_t low, std::uint64_t high) {
  const auto found = body.find(key);
  if (found == body.end() || found->is_null()) return otherwise;
  const auto number = read_number(*found);
  if (!number || *number < low || *number > high) {
    return bad(std::string(key) + " is not a number from " + std::to_string(low) + " to " +
               std::to_string(high));
  }
  return *number;
}

std::int64_t integer_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

Result<work::Spec> begin_spec(const Json& body, const NodeSettings& settings) {
  std::string kind = text_in(body, "work_type");
  if (kind.empty()) kind = text_in(body, "job_type");
  if (kind.empty()) kind = text_in(body, "kind");
  if (kind.empty()) return bad("work_type is missing");
  if (const auto found = settings.jobs.find(kind); found != settings.jobs.end()) {
    return jobs::spec_of(found->second, "");
  }
  const bool is_former =
      std::find(kFormerKinds.begin(), kFormerKinds.end(), kind) != kFormerKinds.end();
  if (!is_former) {
    return Error{1561, "no such kind of work: " + kind.substr(0, 64), "",
                 "kinds stand in the cluster file under `jobs`"};
  }
  JobKind unknown;
  unknown.name = kind;
  work::Spec spec = jobs::spec_of(unknown, "");
  spec.terms.lease_ms = 0;  // its whole time: who claims it over HTTP does not renew
  return spec;
}

}  // namespace

std::optional<NodeId> http_worker(const std::string& node) {
  auto id = NodeId::parse(node + std::string(kHttpWorker));
  if (node.empty() || !id) return std::nullopt;
  return *id;
}

bool is_http_worker(std::string_view worker) {
  return worker.size() > kHttpWorker.size() && worker.ends_with(kHttpWorker);
}

std::string node_of_worker(std::string_view worker) {
  if (is_http_worker(worker)) worker.remove_suffix(kHttpWorker.size());
  return std::string(worker);
}

std::optional<work::WorkId> read_work_id(const Json& value) {
  const auto number = read_number(value);
  if (!number || *number == 0) return std::nullopt;
  return work::WorkId(*number);
}

std::optional<work::WorkId> work_id_of(const HttpCall& call) {
  // The path says which item it is, whatever stands beside it.
  if (call.request.captured.contains("id")) {
    return read_work_id(Json(call.request.captured.find("id")->second));
  }
  for (const char* name : {"work_id", "job_id", "id"}) {
    const std::string text = argument_of(call, name);
    if (!text.empty()) return read_work_id(Json(text));
  }
  return std::nullopt;
}

std::string legacy_state(const Json& work) {
  const std::string state = text_in(work, "state");
  if (state == "done") return "completed";
  if (state == "dead") return "failed";
  if (state == "cancelled") return "cancelled";
  if (state != "leased") return "pending";
  return is_http_worker(text_in(work, "node")) ? "claimed" : "running";
}

Json config_in(const std::string& payload) {
  Json json = Json::parse(payload, nullptr, false);
  if (!json.is_object()) return Json::object();
  return json.contains("params") ? json["params"] : json;
}

Json legacy_item(const Json& work, std::int64_t wall_ms) {
  const std::string state = legacy_state(work);
  const bool is_over = state == "completed" || state == "cancelled";
  const double now_s = static_cast<double>(wall_ms) / 1000;
  const double age_s = static_cast<double>(integer_in(work, "age_ms")) / 1000;
  const double ran_s = static_cast<double>(integer_in(work, "ran_ms")) / 1000;
  const bool has_begun = ran_s > 0 || state == "claimed" || state == "running";
  const double since_s = ran_s + (is_over ? age_s : 0);
  const std::string id = std::to_string(integer_in(work, "id"));
  std::string error;
  for (const auto& attempt : work.value("attempts", Json::array()))
    error = text_in(attempt, "tail");
  Json config = Json::object();
  if (const auto payload = work.find("payload"); payload != work.end() && payload->is_object()) {
    config = config_in(text_in(*payload, "text"));
  }
  const std::string holder = node_of_worker(text_in(work, "node"));
  return {{"work_id", id},
          {"job_id", id},
          {"work_type", text_in(work, "kind")},
          {"job_type", text_in(work, "kind")},
          {"status", state},
          {"priority", integer_in(work, "priority")},
          {"config", std::move(config)},
          {"claimed_by", holder.empty() ? Json() : Json(holder)},
          {"assigned_to", holder.empty() ? Json() : Json(holder)},
          {"node_id", holder.empty() ? Json() : Json(holder)},
          {"created_at", is_over ? Json() : Json(now_s - age_s)},
          {"claimed_at", has_begun ? Json(now_s - since_s) : Json()},
          {"started_at", has_begun ? Json(now_s - since_s) : Json()},
          {"completed_at", is_over ? Json(now_s - age_s) : Json()},
          {"attempts", integer_in(work, "failures") + (has_begun ? 1 : 0)},
          {"fence", integer_in(work, "token")},
          {"percent", integer_in(work, "percent")},
          {"result", config_in(text_in(work, "result"))},
          {"error", error.empty() ? Json() : Json(error)}};
}

Result<work::Spec> read_legacy_item(const Json& body, const NodeSettings& settings) {
  auto spec = begin_spec(body, settings);
  if (!spec) return spec;
  const auto priority = number_in(body, "priority", spec->priority, 0, 255);
  if (!priority) return priority.error();
  spec->priority = static_cast<std::uint8_t>(*priority);
  const std::uint64_t timeout_default =
      settings.jobs.contains(spec->kind) ? spec->terms.timeout_ms / 1000 : kTimeoutSecondsDefault;
  const auto timeout_s = number_in(body, "timeout_seconds", timeout_default, 1, kTimeoutSecondsMax);
  if (!timeout_s) return timeout_s.error();
  spec->terms.timeout_ms = static_cast<std::uint32_t>(*timeout_s * 1000);
  if (spec->terms.lease_ms == 0) spec->terms.lease_ms = spec->terms.timeout_ms;
  const auto attempts = number_in(body, "max_attempts", spec->terms.attempts_max, 1, 100);
  if (!attempts) return attempts.error();
  spec->terms.attempts_max = static_cast<std::uint8_t>(*attempts);
  spec->group = text_in(body, "group");
  spec->dedupe = text_in(body, "dedupe");
  if (body.contains("needs")) spec->terms.needs = text_in(body, "needs");
  for (const auto& one : body.value("depends_on", Json::array())) {
    const auto id = read_work_id(one);
    if (!id) return bad("depends_on is not a list of work ids");
    spec->after.push_back(*id);
  }
  Json config = body.value("config", Json::object());
  if (!config.is_object()) return bad("config is not an object");
  spec->payload = dump(Json{{"params", std::move(config)}, {"args", Json::array()}});
  if (spec->payload.size() > work::kPayloadBytesMax) return bad("config is larger than 64 KiB");
  return spec;
}

}  // namespace riftbus::node
