#include "tunnel/tunnel.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "bus/clock.h"
#include "bus/descriptors.h"
#include "bus/log.h"
#include "tunnel/status.h"

namespace riftbus::tunnel {

namespace {

bool has_class(const TunnelConfig& config, TrafficClass traffic) {
  const auto is_it = [&](const Forward& forward) { return forward.traffic == traffic; };
  return std::ranges::any_of(config.reverse, is_it) || std::ranges::any_of(config.local, is_it);
}

}  // namespace

// Names were found: links that wait for one go on in finish_turn().
struct Tunnel::ResolverWatcher : bus::Watcher {
  explicit ResolverWatcher(bus::Resolver& its_resolver) : resolver(its_resolver) {}
  void on_ready(bus::Readiness) override { resolver.collect(bus::boot_now()); }
  bus::Resolver& resolver;
};

Status Tunnel::check(const NodeSettings& settings) {
  const auto& config = settings.tunnel;
  if (config.servers.empty()) {
    return Error{1803, "no server to tunnel to", "", "set tunnel.servers or --tunnel-servers"};
  }
  if (config.reverse.empty() && config.local.empty()) {
    return Error{1803, "no forward to carry", "",
                 "set tunnel.reverse or tunnel.local, or use -R or -L as with ssh"};
  }
  return Ok{};
}

Tunnel::Tunnel(const NodeSettings& settings, ssh::Key key, std::uint64_t seed, bool only_once)
    : settings_(settings),
      key_(std::move(key)),
      only_once_(only_once),
      random_(seed),
      resolver_watcher_(std::make_unique<ResolverWatcher>(resolver_)),
      status_writer_(settings_.tunnel.status_file) {
  for (const auto traffic : {TrafficClass::control, TrafficClass::bulk}) {
    if (!has_class(settings_.tunnel, traffic)) continue;
    lanes_.emplace_back(random_).link = make_link(traffic, false);
  }
}

std::unique_ptr<Link> Tunnel::make_link(TrafficClass traffic, bool is_trial) {
  const auto& config = settings_.tunnel;
  const auto& user = config.user.empty() ? settings_.node_id.value() : config.user;
  return std::make_unique<Link>(config, traffic, user, key_, loop_, resolver_, random_, is_trial);
}

Tunnel::~Tunnel() {
  lanes_.clear();
  if (signals_) loop_.forget(signals_->descriptor());
}

Status Tunnel::open() {
  // Below what a full house needs is worth a line, not an end.
  if (const auto limit = bus::raise_descriptor_limit(); !limit) bus::write_error(limit.error());
  std::signal(SIGPIPE, SIG_IGN);
  signals_.emplace({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  loop_.watch(signals_->descriptor(), *this, true, false);
  loop_.watch(resolver_.descriptor(), *resolver_watcher_, true, false);
  for (auto& lane : lanes_) {
    if (auto status = lane.link->listen(); !status) return status;
  }
  return Ok{};
}

Status Tunnel::run() {
  for (auto& lane : lanes_) lane.link->start(bus::boot_now());
  while (!is_stopping_) {
    finish_turn();
    if (is_stopping_) break;
    loop_.run_once(next_deadline(), bus::boot_now());
  }
  const auto now = bus::boot_now();
  for (auto& lane : lanes_) lane.link->stop(now);
  write_state(now, false);
  (void)status_writer_.finish(kLastStatusMax);
  if (end_) return *end_;
  bus::log_info("tunnel stopped");
  return Ok{};
}

TimePoint Tunnel::next_deadline() const {
  TimePoint next = status_due_;
  for (const auto& lane : lanes_) {
    next = std::min(next, lane.link->next_deadline());
    next = std::min(next, lane.trial ? lane.trial->next_deadline() : lane.way_back.due());
  }
  return next;
}

// The tunnel of a node has no listeners here, so that a link can be replaced.
void Tunnel::tend_trial(Lane& lane, TimePoint now) {
  const bool is_up = lane.link->session().state() == SessionState::up;
  lane.way_back.look(is_up && lane.link->is_carried(), now);
  if (!lane.trial && lane.way_back.take(now)) {
    lane.trial = make_link(lane.link->traffic(), true);
    lane.trial->start(now);
  }
  if (!lane.trial) return;
  lane.trial->finish_turn(now);
  const Session& session = lane.trial->session();
  if (session.state() == SessionState::forwarding || session.state() == SessionState::up) {
    bus::log_info("the direct way works again", {{"server", lane.trial->server().address()}});
    lane.link->stop(now);
    lane.link = std::move(lane.trial);
    lane.link->succeed();
  } else if (lane.trial->is_carried() || session.dials() > kTrialDialsMax) {
    lane.link->note_direct(lane.trial->last_error());
    lane.trial.reset();
  }
}

void Tunnel::finish_turn() {
  const auto now = bus::boot_now();
  bool has_changed = false;
  for (auto& lane : lanes_) {
    lane.link->finish_turn(now);
    tend_trial(lane, now);
    has_changed = lane.link->take_change() || has_changed;
    if (!only_once_ || !lane.link->last_error()) continue;
    end_ = lane.link->last_error();
    is_stopping_ = true;
  }
  if (has_changed || now >= status_due_) write_state(now, true);
}

void Tunnel::write_state(TimePoint now, bool is_running) {
  status_due_ = now + kStatusEvery;
  std::vector<const Link*> links;
  for (const auto& lane : lanes_) links.push_back(lane.link.get());
  const StatusHead head{settings_.node_id.value(), getpid(), bus::wall_now_ms(), is_running};
  if (const auto written = status_writer_.take_outcome()) {
    if (!written->ok() && !status_failed_) bus::write_error(written->error());
    status_failed_ = !written->ok();
  }
  status_writer_.write(describe_status(head, links, now));
}

void Tunnel::on_ready(bus::Readiness) {
  while (const int number = signals_->take()) {
    if (number == SIGHUP) {
      if (auto status = bus::reopen_log(); !status) bus::write_error(status.error());
    } else if (number == SIGUSR1) {
      bus::log_info("new sessions are made on request");
      for (auto& lane : lanes_) {
        lane.way_back.begin_anew();
        lane.link->restart(bus::boot_now());
      }
    } else {
      is_stopping_ = true;
    }
  }
}

}  // namespace riftbus::tunnel
