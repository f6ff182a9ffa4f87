#include "node/mesh/attacher.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "bus/log.h"

namespace riftbus::node {

namespace {

constexpr const char* kProgramName = "riftbus-tunnel";

std::vector<NodeId> pinned(const std::vector<RelayPlace>& relays) {
  std::vector<NodeId> ids;
  for (const auto& relay : relays) {
    if (!relay.pins.empty()) ids.push_back(relay.id);
  }
  return ids;
}

// A process number in a file may be anybody's by now.
bool is_tunnel(std::int64_t pid) {
  std::error_code trouble;
  const auto program =
      std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", trouble);
  return !trouble && program.filename() == kProgramName;
}

}  // namespace

Attacher::Attacher(Setup setup, DiskThread& disk, Journal& journal)
    : setup_(std::move(setup)),
      disk_(disk),
      journal_(journal),
      plan_(pinned(setup_.relays)),
      keeper_(setup_.program, setup_.arguments, setup_.folder, journal) {
  if (!setup_.attaches) return;
  if (setup_.relays.empty()) {
    trouble_ = "the cluster file names no relay";
  } else if (pinned(setup_.relays).empty()) {
    trouble_ = "the cluster file has no pin of a relay's host key";
  }
}

void Attacher::tick(const std::set<NodeId>& drained, std::size_t wanted, Moment now) {
  now_ = now;
  wanted_ = wanted;
  if (restart_ && now.at >= restart_->due)
    carry_out(*std::exchange(restart_, std::nullopt), now.at);
  if (wanted == 0) {
    alone_since_.reset();
  } else if (!alone_since_ && ways_.empty()) {
    alone_since_ = now.at;
  }
  look();
  // The first look says what still runs, and which files are old.
  if (!setup_.attaches || !has_looked_) return;
  std::map<NodeId, TunnelSight> sights;
  for (const auto& relay : setup_.relays) {
    const bool is_up = std::any_of(reports_.begin(), reports_.end(), [&](const TunnelReport& one) {
      return one.file == tunnel_file_of(relay.id) && !one.ways.empty();
    });
    sights[relay.id] = {is_up, drained.contains(relay.id)};
  }
  plan_.step(sights, wanted, now.at);
  std::vector<NodeId> wished;
  for (const auto& wish : plan_.wishes()) wished.push_back(wish.relay);
  keeper_.tend(wished, now);
}

// A session that was lost, or won, is in everybody's view within a second or two.
void Attacher::look() {
  if (is_looking_) return;
  auto found = std::make_shared<std::vector<TunnelReport>>();
  const auto read = [found, folder = setup_.folder] {
    *found = read_tunnels(folder);
    return Status(Ok{});
  };
  const auto done = [this, found](const Status&) {
    is_looking_ = false;
    take(std::move(*found), now_);
  };
  // Not taken: the disk is stuck, and what is known stays.
  is_looking_ = disk_.post({read, done});
}

void Attacher::take(std::vector<TunnelReport> reports, Moment now) {
  has_looked_ = true;
  const auto rank = [&](const TunnelReport& report) {
    const auto& wishes = plan_.wishes();
    const auto found = std::find_if(wishes.begin(), wishes.end(), [&](const auto& wish) {
      return tunnel_file_of(wish.relay) == report.file;
    });
    return found - wishes.begin();
  };
  std::stable_sort(reports.begin(), reports.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  reports_ = std::move(reports);
  std::set<std::string> ways;
  for (const auto& report : reports_) ways.insert(report.ways.begin(), report.ways.end());
  tell_changes(ways, now);
  auto addresses = relayed_addresses(reports_, setup_.relays, setup_.front_port);
  if (addresses.empty() && wanted_ > 0) return;
  has_changed_ = has_changed_ || addresses != addresses_;
  addresses_ = std::move(addresses);
}

void Attacher::tell_changes(const std::set<std::string>& ways, Moment now) {
  const auto tell = [&](const char* kind, const std::string& host, const char* word) {
    const RelayPlace* relay = find_relay(setup_.relays, host);
    const std::string name = relay_name(host);
    journal_.note(kind, relay ? relay->id : NodeId(), word + name, now);
    bus::log_info(std::string(word) + "a relay", {{"relay", name}, {"host", host}});
  };
  for (const auto& host : ways) {
    if (!ways_.contains(host)) tell("attached", host, "attached to ");
  }
  for (const auto& host : ways_) {
    if (!ways.contains(host)) tell("detached", host, "no longer attached to ");
  }
  ways_ = ways;
  if (!ways_.empty()) alone_since_.reset();
}

std::string Attacher::relay_name(const std::string& host) const {
  const RelayPlace* relay = find_relay(setup_.relays, host);
  return relay ? relay->id.value() : host;
}

std::vector<std::string> Attacher::restart(const std::optional<NodeId>& relay, TimePoint now) {
  std::vector<std::string> names;
  for (const auto& [id, run] : keeper_.runs()) {
    if (run.is_wished && (!relay || *relay == id)) names.push_back(id.value());
  }
  for (const auto& report : reports_) {
    if (is_meant(report, relay)) names.push_back(report.file);
  }
  if (!names.empty()) restart_ = Restart{relay, now + kAnswerFirst};
  return names;
}

void Attacher::carry_out(const Restart& restart, TimePoint now) {
  for (const auto& [id, run] : keeper_.runs()) {
    if (!restart.relay || *restart.relay == id) static_cast<void>(keeper_.reconnect(id, now));
  }
  for (const auto& report : reports_) {
    if (is_meant(report, restart.relay)) ::kill(static_cast<pid_t>(report.pid), SIGUSR1);
  }
}

// A tunnel that somebody else keeps, to this relay or any.
bool Attacher::is_meant(const TunnelReport& report, const std::optional<NodeId>& relay) const {
  if (is_ours(report) || !report.is_running || !is_tunnel(report.pid)) return false;
  return !relay || std::any_of(report.ways.begin(), report.ways.end(), [&](const auto& host) {
    return relay_name(host) == relay->value();
  });
}

bool Attacher::is_ours(const TunnelReport& report) const {
  const auto& runs = keeper_.runs();
  return std::any_of(runs.begin(), runs.end(),
                     [&](const auto& run) { return tunnel_file_of(run.first) == report.file; });
}

}  // namespace riftbus::node
