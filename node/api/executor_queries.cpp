// What an operator asks of a node's executor.
#include <charconv>

#include "bus/clock.h"
#include "config/check.h"
#include "node/api/api_json.h"
#include "node/executor/output_reader.h"
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

// The end of `text` that is a character only in part.
std::size_t torn_bytes(std::string_view text) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;  // goes on
    const std::size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

std::string output_document(const NodeId& node, work::WorkId id, bool is_error,
                            executor::OutputPart part) {
  // Left for the next question, which begins at `next`; unless there is nothing else.
  const std::size_t torn = torn_bytes(part.text);
  if (torn < part.text.size()) part.text.resize(part.text.size() - torn);
  const Json json{{"schema", 1},           {"document", "job.output"},
                  {"node", node.value()},  {"id", id.value()},
                  {"fence", part.fence},   {"stream", is_error ? "stderr" : "stdout"},
                  {"offset", part.offset}, {"next", part.offset + part.text.size()},
                  {"begin", part.begin},   {"end", part.end},
                  {"text", part.text}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

bool ExecutorShell::takes(std::string_view query) {
  return query == "job.list" || query == "job.output" || query == "job.drain";
}

void ExecutorShell::on_query(const bus::Received& received, const std::set<Role>& roles,
                             TimePoint now) {
  const auto& query = std::get<wire::Query>(received.envelope.body);
  if (query.name == "job.output" && !roles.empty()) {
    return answer_output(query, [this, received](const Result<std::string>& document) {
      reply(received, document);
    });
  }
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

void ExecutorShell::reply(const bus::Received& received, const Result<std::string>& document) {
  wire::Body body;
  if (document) {
    body = wire::Answer{*document};
  } else {
    const auto& error = document.error();
    body = wire::Refusal{error.code, error.what, error.next};
  }
  bus_.reply(received.reply_to, received.envelope.correlation, std::move(body));
}

void ExecutorShell::answer_output(const wire::Query& query, OnDocument done) {
  const work::WorkId id(parse_number(argument_of(query, "id"), 0));
  const bool is_error = argument_of(query, "stream") == "stderr";
  const std::string from = argument_of(query, "offset");
  const auto offset = from.empty() ? std::nullopt : std::optional(parse_number(from, 0));
  const auto bytes = std::min<std::uint64_t>(
      parse_number(argument_of(query, "bytes"), kOutputBytesMax), kOutputBytesMax);
  auto part = std::make_shared<Result<executor::OutputPart>>(executor::OutputPart());
  const auto folder = settings_.paths.data_dir + "/jobs";
  if (job_thread_ == nullptr || outputs_ >= kOutputsMax) {
    return done(
        Error{executor::kBadJobFiles, "this node cannot read its jobs now", "", "see its log"});
  }
  ++outputs_;
  const bool taken =
      job_thread_->post({[=] {
                           *part = executor::read_output_part(folder, id, is_error, offset, bytes);
                           return Status(Ok{});
                         },
                         [this, part, id, is_error, done = std::move(done)](const Status&) {
                           --outputs_;
                           if (!*part) return done(part->error());
                           done(output_document(settings_.node_id, id, is_error, **part));
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
