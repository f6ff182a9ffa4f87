// What an operator asks of a node's executor.
#include <charconv>

#include "bus/clock.h"
#include "config/check.h"
#include "node/api/api_json.h"
#include "node/executor_shell.h"

namespace riftbus::node {

namespace {

std::uint64_t parse_number(const std::string& text, std::uint64_t fallback) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size() ? value : fallback;
}

std::string argument_of(const wire::Query& query, const std::string& name) {
  const auto found = query.arguments.find(name);
  return found == query.arguments.end() ? "" : found->second;
}

Json amounts_json(const std::vector<work::Amount>& amounts) {
  Json json = Json::object();
  for (const auto& amount : amounts) json[amount.name] = static_cast<double>(amount.milli) / 1000;
  return json;
}

}  // namespace

bool ExecutorShell::takes(std::string_view query) {
  return query == "job.list" || query == "job.output" || query == "job.drain";
}

void ExecutorShell::on_query(const bus::Received& received, const std::set<Role>& roles,
                             TimePoint now) {
  const auto& query = std::get<wire::Query>(received.envelope.body);
  if (query.name == "job.output" && !roles.empty()) return send_output(received, query);
  reply(received, answer(query, roles, now));
}

Result<std::string> ExecutorShell::answer(const wire::Query& query, const std::set<Role>& roles,
                                          TimePoint now) {
  if (roles.empty()) return Error{1304, "asking takes a role", "", "ask for one"};
  if (query.name == "job.list") return list_document(now);
  const std::string mode = argument_of(query, "mode");
  if (!roles.contains(Role::admin)) {
    return Error{1304, "draining takes the admin role", "", "use the admin key"};
  }
  if (mode != "drain" && mode != "evict" && mode != "resume") {
    return Error{1503, "mode is drain, evict or resume", "", "choose one"};
  }
  step(jobs::Drain{mode != "resume", mode == "evict"}, now);
  if (remember_) remember_(core_.is_draining(), core_.is_evicting());
  note({}, mode == "resume" ? "takes work again" : "takes no more work: " + mode, now);
  return list_document(now);
}

std::map<std::string, std::size_t> ExecutorShell::count_kinds() const {
  std::map<std::string, std::size_t> counts;
  for (const auto& job : core_.view()) ++counts[job.kind];
  return counts;
}

void ExecutorShell::reply(const bus::Received& received, Result<std::string> document) {
  wire::Body body;
  if (document) {
    body = wire::Answer{std::move(*document)};
  } else {
    const auto& error = document.error();
    body = wire::Refusal{error.code, error.what, error.next};
  }
  bus_.reply(received.reply_to, received.envelope.correlation, std::move(body));
}

void ExecutorShell::send_output(const bus::Received& received, const wire::Query& query) {
  const work::WorkId id(parse_number(argument_of(query, "id"), 0));
  const bool is_error = argument_of(query, "stream") == "stderr";
  const auto bytes = std::min<std::uint64_t>(
      parse_number(argument_of(query, "bytes"), kOutputBytesMax), kOutputBytesMax);
  auto text = std::make_shared<Result<std::string>>(std::string());
  const auto folder = settings_.paths.data_dir + "/jobs";
  if (job_thread_ == nullptr || outputs_ >= kOutputsMax) {
    return reply(received, Error{executor::kBadJobFiles, "this node cannot read its jobs now", "",
                                 "see its log"});
  }
  ++outputs_;
  const bool taken = job_thread_->post(
      {[=] {
         *text = executor::read_output(folder, id, is_error, bytes);
         return Status(Ok{});
       },
       [this, text, received, id, is_error](const Status&) {
         --outputs_;
         if (!*text) return reply(received, text->error());
         Json json{{"schema", 1},
                   {"document", "job.output"},
                   {"node", settings_.node_id.value()},
                   {"id", id.value()},
                   {"stream", is_error ? "stderr" : "stdout"},
                   {"text", **text}};
         reply(received, json.dump(-1, ' ', false, Json::error_handler_t::replace));
       }});
  RIFTBUS_CHECK(taken);
}

std::string ExecutorShell::list_document(TimePoint now) const {
  Json list = Json::array();
  for (const auto& job : core_.view()) {
    Json json{{"id", job.hold.id.value()}, {"fence", job.hold.fence.value()},
              {"kind", job.kind},          {"phase", jobs::to_string(job.phase)},
              {"attempt", job.attempt},    {"percent", job.percent},
              {"leased", job.leased},      {"age_ms", to_ms(now - job.since)},
              {"stops_in_ms", nullptr}};
    if (job.stop_at != TimePoint::max()) json["stops_in_ms"] = to_ms(job.stop_at - now);
    list.push_back(std::move(json));
  }
  Json gpus = Json::array();
  for (const auto& gpu : machine_.gpus.all) {
    gpus.push_back(
        {{"id", gpu.id}, {"name", gpu.name}, {"memory_mb", gpu.memory_mb}, {"driver", gpu.driver}});
  }
  const auto offer = core_.offer();
  const Json json{{"schema", 1},
                  {"document", "job.list"},
                  {"node", settings_.node_id.value()},
                  {"cluster", settings_.cluster},
                  {"attached", core_.is_attached()},
                  {"superseded", core_.is_superseded()},
                  {"draining", core_.is_draining()},
                  {"evicting", core_.is_evicting()},
                  {"slots", settings_.executor.slots},
                  {"offer", amounts_json(offer.amounts)},
                  {"tags", offer.tags},
                  {"kinds", offer.kinds},
                  {"load", machine_.load},
                  {"gpus", std::move(gpus)},
                  {"trouble", gpu_trouble_},
                  {"jobs", std::move(list)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

JobsView ExecutorShell::glance() const {
  return {core_.view().size(), static_cast<std::size_t>(settings_.executor.slots),
          core_.is_draining()};
}

void ExecutorShell::add_counters(std::map<std::string, std::uint64_t>& counters) const {
  counters["jobs.running"] = core_.view().size();
  counters["jobs.started"] = jobs_started_;
  counters["jobs.ended"] = jobs_ended_;
  counters["jobs.stopped"] = jobs_stopped_;
}

}  // namespace riftbus::node
