#include "node/executor/job_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "bus/durable_file.h"

namespace riftbus::executor {

namespace {

using Json = nlohmann::json;
constexpr std::size_t kRecordBytesMax = 1024 * 1024;

// No lease: as a number that JSON readers do not round.
constexpr std::int64_t kNoStop = -1;

std::int64_t to_json_time(TimePoint at) {
  return at == TimePoint::max() ? kNoStop : at.time_since_epoch().count();
}
TimePoint from_json_time(std::int64_t nanos) {
  return nanos == kNoStop ? TimePoint::max() : TimePoint{Nanos{nanos}};
}

std::string dump(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

Json amounts_json(const std::vector<work::Amount>& amounts) {
  Json json = Json::object();
  for (const auto& amount : amounts) json[amount.name] = amount.milli;
  return json;
}

Error damaged(const std::string& path, const std::string& why) {
  return Error{kBadJobFiles, "record of a job is not usable: " + why, path,
               "the job counts as lost; check the disk"};
}

Result<Json> read_json(const std::string& path) {
  auto text = read_small_file(path, kRecordBytesMax, FilePrivacy::shared);
  if (!text) return text.error();
  auto json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) return damaged(path, "not a JSON object");
  return json;
}

Json kind_json(const JobKind& kind) {
  return {{"name", kind.name},
          {"command", kind.command},
          {"environment", kind.environment},
          {"working_dir", kind.working_dir},
          {"nice", kind.nice}};
}

}  // namespace

JobSpec make_spec(const jobs::Start& start, const JobKind& kind, const std::string& node) {
  JobSpec spec;
  spec.hold = start.hold;
  spec.attempt = start.grant.attempt;
  spec.terms = start.grant.terms;
  spec.kind = kind;
  spec.node = node;
  spec.boot_id = boot_id();
  spec.stop_at = start.stop_at;
  spec.kill_grace = start.kill_grace;
  spec.output_bytes_max = static_cast<std::uint64_t>(kind.output_mb_max * kMegabyte);
  spec.disk_bytes_max = static_cast<std::uint64_t>(kind.disk_mb_max * kMegabyte);
  return spec;
}

std::string folder_name(const Hold& hold) {
  return std::to_string(hold.id.value()) + "-" + std::to_string(hold.fence.value());
}

std::optional<Hold> parse_folder_name(const std::string& name) {
  std::uint64_t id = 0;
  std::uint64_t fence = 0;
  const char* end = name.data() + name.size();
  const auto first = std::from_chars(name.data(), end, id);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '-') return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, fence);
  if (second.ec != std::errc{} || second.ptr != end) return std::nullopt;
  return Hold{work::WorkId(id), work::Fence(fence)};
}

Result<std::vector<Hold>> find_attempts(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<Hold> holds;
  std::error_code failure;
  fs::directory_iterator at(folder, failure);
  while (!failure && at != fs::directory_iterator()) {
    if (const auto hold = parse_folder_name(at->path().filename().string())) holds.push_back(*hold);
    at.increment(failure);  // a range-for would throw
  }
  if (!failure) return holds;
  return Error{kBadJobFiles, "cannot list the jobs: " + failure.message(), folder,
               "check permissions there, and how many files the daemon may open"};
}

Status write_spec(const std::string& folder, const JobSpec& spec) {
  const Json json{
      {"id", spec.hold.id.value()},
      {"fence", spec.hold.fence.value()},
      {"attempt", spec.attempt},
      {"needs", spec.terms.needs},
      {"reserve", amounts_json(spec.terms.reserve)},
      {"lease_ms", spec.terms.lease_ms},
      {"timeout_ms", spec.terms.timeout_ms},
      {"finish", spec.terms.on_disconnect == work::OnDisconnect::finish},
      {"kind", kind_json(spec.kind)},
      {"gpus", spec.gpus},
      {"node", spec.node},
      {"boot_id", spec.boot_id},
      {"stop_at_ns", to_json_time(spec.stop_at)},
      {"kill_grace_ms", to_ms(spec.kill_grace)},
      {"disk_check_ms", to_ms(spec.disk_check_every)},
      {"output_bytes_max", spec.output_bytes_max},
      {"disk_bytes_max", spec.disk_bytes_max},
  };
  return replace_file(folder + "/spec.json", dump(json), FilePrivacy::shared);
}

Result<JobSpec> read_spec(const std::string& folder) {
  const std::string path = folder + "/spec.json";
  auto json = read_json(path);
  if (!json) return json.error();
  try {
    JobSpec spec;
    spec.hold = {work::WorkId(json->at("id").get<std::uint64_t>()),
                 work::Fence(json->at("fence").get<std::uint64_t>())};
    spec.attempt = json->at("attempt").get<std::uint16_t>();
    spec.terms.needs = json->at("needs").get<std::string>();
    for (const auto& [name, milli] : json->at("reserve").items()) {
      spec.terms.reserve.push_back({name, milli.get<std::int64_t>()});
    }
    spec.terms.lease_ms = json->at("lease_ms").get<std::uint32_t>();
    spec.terms.timeout_ms = json->at("timeout_ms").get<std::uint32_t>();
    if (json->at("finish").get<bool>()) spec.terms.on_disconnect = work::OnDisconnect::finish;
    const auto& kind = json->at("kind");
    spec.kind.name = kind.at("name").get<std::string>();
    spec.kind.command = kind.at("command").get<std::vector<std::string>>();
    spec.kind.environment = kind.at("environment").get<std::map<std::string, std::string>>();
    spec.kind.working_dir = kind.at("working_dir").get<std::string>();
    spec.kind.nice = kind.at("nice").get<std::int64_t>();
    spec.gpus = json->value("gpus", std::vector<std::string>());  // earlier versions had none
    spec.node = json->at("node").get<std::string>();
    spec.boot_id = json->at("boot_id").get<std::string>();
    spec.stop_at = from_json_time(json->at("stop_at_ns").get<std::int64_t>());
    spec.kill_grace = Millis{json->at("kill_grace_ms").get<std::int64_t>()};
    spec.disk_check_every = Millis{json->at("disk_check_ms").get<std::int64_t>()};
    spec.output_bytes_max = json->at("output_bytes_max").get<std::uint64_t>();
    spec.disk_bytes_max = json->at("disk_bytes_max").get<std::uint64_t>();
    if (spec.kind.command.empty()) return damaged(path, "no command");
    return spec;
  } catch (const Json::exception& failure) {
    return damaged(path, failure.what());
  }
}

Status write_state(const std::string& folder, const JobState& state) {
  const Json json{
      {"ended", state.ended},
      {"pid", state.pid},
      {"pid_started", state.pid_started},
      {"stop_at_ns", to_json_time(state.stop_at)},
      {"cause", static_cast<int>(state.exit.cause)},
      {"started", state.exit.started},
      {"code", state.exit.code},
      {"signal", state.exit.signal},
      {"tail", state.exit.tail},
  };
  return replace_file(folder + "/state.json", dump(json), FilePrivacy::shared);
}

Result<JobState> read_state(const std::string& folder) {
  const std::string path = folder + "/state.json";
  auto json = read_json(path);
  if (!json) return json.error();
  try {
    JobState state;
    state.ended = json->at("ended").get<bool>();
    state.pid = json->at("pid").get<std::int64_t>();
    state.pid_started = json->at("pid_started").get<std::uint64_t>();
    state.stop_at = from_json_time(json->at("stop_at_ns").get<std::int64_t>());
    const int cause = json->at("cause").get<int>();
    if (cause < 0 || cause > static_cast<int>(jobs::kLastCause)) return damaged(path, "cause");
    state.exit.cause = static_cast<Cause>(cause);
    state.exit.started = json->at("started").get<bool>();
    state.exit.code = json->at("code").get<std::int64_t>();
    state.exit.signal = json->at("signal").get<std::uint8_t>();
    state.exit.tail = json->at("tail").get<std::string>();
    return state;
  } catch (const Json::exception& failure) {
    return damaged(path, failure.what());
  }
}

std::string read_part(const std::string& path, std::size_t bytes_max, bool* whole) {
  if (whole != nullptr) *whole = true;
  // A program may have put anything there: no waiting on a FIFO, no following a link.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (file < 0) return {};
  std::string text(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = read(file, text.data() + size, text.size() - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  close(file);
  if (whole != nullptr) *whole = size <= bytes_max;
  text.resize(std::min(size, bytes_max));
  return text;
}

std::string boot_id() {
  auto id = read_part("/proc/sys/kernel/random/boot_id", 64);
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

}  // namespace riftbus::executor
