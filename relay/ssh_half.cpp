#include "relay/ssh_half.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "bus/clock.h"
#include "bus/descriptors.h"
#include "bus/ends.h"
#include "relay/confinement.h"
#include "relay/status.h"

namespace riftbus::relay {

namespace {

constexpr int kSshAcceptsPerTurn = 32;

GateLimits limits_of(const RelayConfig& config) {
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  GateLimits limits;
  limits.grace = Millis{config.grace_ms};
  limits.keepalive = Millis{config.keepalive_ms};
  limits.missed_max = config.keepalive_missed_max;
  limits.attempts_max = size(config.attempts_max);
  limits.strangers_max = size(config.strangers_max);
  limits.strangers_per_address_max = size(config.strangers_per_address_max);
  limits.sessions_max = size(config.sessions_max);
  limits.sessions_per_address_max = size(config.sessions_per_address_max);
  limits.listeners_max = size(config.listeners_max);
  return limits;
}

std::string address_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char text[INET6_ADDRSTRLEN] = "";
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
  const void* bytes =
      address.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr)
          : &reinterpret_cast<sockaddr_in*>(&address)->sin_addr;
  return inet_ntop(address.ss_family, bytes, text, sizeof text) == nullptr ? "unknown" : text;
}

std::int64_t wall_seconds() { return bus::wall_now_ms() / 1000; }

void add(RelayTotals& totals, const Peer& peer) {
  const auto& counters = peer.counters();
  totals.counters.refused_requests += counters.refused_requests;
  totals.counters.refused_connections += counters.refused_connections;
  totals.counters.unreached += counters.unreached;
  totals.counters.dropped_slow += counters.dropped_slow;
  totals.connections += peer.streams().opened();
  totals.bytes_to_nodes += peer.streams().bytes_out();
  totals.bytes_from_nodes += peer.streams().bytes_in();
}

}  // namespace

struct SshHalf::Doorbell : bus::Watcher {
  Doorbell(SshHalf& its_half, int its_descriptor) : half(its_half), descriptor(its_descriptor) {}
  ~Doorbell() override {
    half.loop_.forget(descriptor);
    close(descriptor);
  }
  void on_ready(bus::Readiness) override { half.accept_peers(); }

  SshHalf& half;
  int descriptor;
};

SshHalf::SshHalf(const NodeSettings& settings, ssh::Key host_key)
    : settings_(settings),
      config_(settings_.relay),
      host_key_(std::move(host_key)),
      server_(host_key_, {config_.cipher, static_cast<std::uint64_t>(config_.rekey_mb) << 20U}),
      allow_file_(config_.allow_file),
      status_writer_(config_.status_file) {}

SshHalf::~SshHalf() {
  peers_.clear();
  doorbell_.reset();
  if (signals_) loop_.forget(signals_->descriptor());
  if (folder_lock_ >= 0) close(folder_lock_);
}

Status SshHalf::open() {
  // Below what a full house needs is worth a line, not an end.
  if (const auto limit = bus::raise_descriptor_limit(); !limit) bus::write_error(limit.error());
  const auto folder = claim_socket_dir(config_.socket_dir, config_.user);
  if (!folder) return folder.error();
  folder_lock_ = *folder;
  const auto listener = bus::listen_end({config_.ssh_host, config_.ssh_port, ""});
  if (!listener) return listener.error();
  doorbell_ = std::make_unique<Doorbell>(*this, *listener);
  if (auto status = become_user(config_.user); !status) return status;
  forbid_gains();
  if (geteuid() == 0) bus::log_warn("runs as root; set relay.user to somebody with no rights");
  auto list = allow_file_.read();
  if (!list) return list.error();
  for (const auto& problem : list->problems) bus::write_error(problem);
  gate_ = std::make_unique<Gate>(limits_of(config_), std::move(list->list));
  (void)ask(event::WallClock{wall_seconds()});
  std::signal(SIGPIPE, SIG_IGN);
  signals_.emplace({SIGTERM, SIGINT, SIGHUP});
  loop_.watch(signals_->descriptor(), *this, true, false);
  loop_.watch(doorbell_->descriptor, *doorbell_, true, false);
  bus::log_info("relay listens",
                {{"ssh", config_.ssh_host + ":" + std::to_string(config_.ssh_port)},
                 {"host_key", host_key_.pin()},
                 {"sockets", config_.socket_dir},
                 {"keys", std::to_string(gate_->listed_keys())}});
  return Ok{};
}

void SshHalf::run() {
  list_due_ = bus::boot_now() + kListEvery;
  while (!is_stopping_) {
    finish_turn();
    const auto now = bus::boot_now();
    loop_.run_once(next_deadline(now), now);
  }
  peers_.clear();
  write_state(bus::boot_now(), false);
  (void)status_writer_.finish(kLastStatusMax);
  bus::log_info("relay stopped");
}

TimePoint SshHalf::next_deadline(TimePoint now) const {
  if (!attended_.empty()) return now;
  return std::min({list_due_, status_due_, accept_due_, gate_->next_deadline()});
}

void SshHalf::finish_turn() {
  const auto now = bus::boot_now();
  if (now >= list_due_) look_at_list(now);
  if (now >= gate_->next_deadline()) (void)ask(event::Tick{});
  serve_attended();
  if (now >= accept_due_) resume_accepting();
  if (now >= status_due_) write_state(now, true);
}

void SshHalf::serve_attended() {
  for (const auto number : std::exchange(attended_, {})) {
    const auto found = peers_.find(number);
    if (found == peers_.end()) continue;
    found->second->finish_turn();
    if (found->second->is_over()) bury(number);
  }
}

void SshHalf::bury(SessionNumber number) {
  const auto found = peers_.find(number);
  auto& peer = *found->second;
  const auto* guest = peer.is_ended() ? nullptr : gate_->find(number);
  if (guest != nullptr && guest->is_admitted()) {
    report({1842, "the session of " + guest->node->value() + " ended: " + peer.problem(),
            guest->address, "nothing: its tunnel dials again"});
  }
  (void)ask(event::Gone{number});
  add(gone_, peer);
  peers_.erase(found);
  attended_.erase(number);
}

std::optional<GateAction> SshHalf::ask(const GateEvent& event) {
  GateActions actions;
  gate_->step(event, bus::boot_now(), actions);
  std::optional<GateAction> answer;
  for (auto& action : actions) {
    const bool is_order = std::holds_alternative<action::End>(action) ||
                          std::holds_alternative<action::Probe>(action);
    if (is_order) {
      carry_out(action);
    } else if (const auto* refused = std::get_if<action::Refuse>(&action)) {
      report(refused->error);
    } else {
      if (const auto* admitted = std::get_if<action::Admit>(&action)) {
        const auto& guest = *gate_->find(admitted->session);
        bus::log_info("node attached", {{"node", guest.node->value()},
                                        {"class", std::string(to_string(guest.traffic))},
                                        {"address", guest.address}});
      }
      answer = std::move(action);
    }
  }
  if (!actions.empty()) want_status();
  return answer;
}

void SshHalf::carry_out(const GateAction& action) {
  const auto* ended = std::get_if<action::End>(&action);
  const auto number = ended != nullptr ? ended->session : std::get<action::Probe>(action).session;
  const auto found = peers_.find(number);
  if (ended != nullptr) report(ended->error);
  if (found == peers_.end()) return;
  if (ended != nullptr) {
    found->second->end();
  } else {
    found->second->probe();
  }
}

void SshHalf::want_status() {
  status_due_ = std::min(status_due_, std::max(status_written_ + kStatusPause, bus::boot_now()));
}

void SshHalf::report(const Error& error) {
  want_status();
  std::uint64_t suppressed = 0;
  if (!reports_[error.code].admit(bus::boot_now(), suppressed)) return;
  auto told = error;
  if (suppressed > 0) told.what += " (and " + std::to_string(suppressed) + " like it)";
  bus::write_error(told);
}

std::string SshHalf::socket_path(SessionNumber session, std::uint16_t number) {
  return config_.socket_dir + "/" + gate_->find(session)->node->value() + "." +
         std::to_string(number);
}

void SshHalf::accept_peers() {
  for (int i = 0; i < kSshAcceptsPerTurn; ++i) {
    const int descriptor = bus::accept_end(doorbell_->descriptor);
    if (descriptor >= 0) {
      greet(descriptor);
      continue;
    }
    if (!bus::is_exhausted(errno)) return;
    pause();
    loop_.watch(doorbell_->descriptor, *doorbell_, false, false);
    return;
  }
}

// The kernel would say "ready" for ever.
void SshHalf::pause() {
  ++exhaustions_;
  report({1833, "no descriptor or memory is left for another connection", "",
          "raise the limit of open files, or lower relay.sessions_max"});
  accept_due_ = std::min(accept_due_, bus::boot_now() + kAcceptPause);
}

void SshHalf::pause_accepting(Peer& peer) {
  pause();
  paused_.insert(peer.number());
}

void SshHalf::resume_accepting() {
  accept_due_ = TimePoint::max();
  loop_.watch(doorbell_->descriptor, *doorbell_, true, false);
  for (const auto number : std::exchange(paused_, {})) {
    if (const auto peer = peers_.find(number); peer != peers_.end()) {
      peer->second->resume_accepting();
    }
  }
}

void SshHalf::greet(int descriptor) {
  const auto number = next_number_++;
  if (!ask(event::Connected{number, address_of(descriptor)})) {
    close(descriptor);
    return;
  }
  bus::tune_server_socket(descriptor, config_.unsent_kb_max * 1024,
                          Millis{config_.keepalive_ms} * config_.keepalive_missed_max);
  peers_[number] = std::make_unique<Peer>(number, config_, server_, descriptor,
                                          static_cast<Desk&>(*this), loop_, resolver_);
}

void SshHalf::look_at_list(TimePoint now) {
  list_due_ = now + kListEvery;
  (void)ask(event::WallClock{wall_seconds()});
  if (allow_file_.has_changed()) take_list();
}

void SshHalf::take_list() {
  auto list = allow_file_.read();
  if (!list) {
    if (!std::exchange(list_failed_, true)) bus::write_error(list.error());
    return;
  }
  list_failed_ = false;
  for (const auto& problem : list->problems) bus::write_error(problem);
  bus::log_info("list of keys read", {{"keys", std::to_string(list->list.size())}});
  (void)ask(event::ListChanged{std::move(list->list)});
}

RelayTotals SshHalf::totals() const {
  auto sum = gone_;
  sum.exhaustions = exhaustions_;
  for (const auto& [number, peer] : peers_) add(sum, *peer);
  return sum;
}

void SshHalf::write_state(TimePoint now, bool is_running) {
  status_written_ = now;
  status_due_ = now + kStatusEvery;
  const StatusHead head{config_.ssh_host + ":" + std::to_string(config_.ssh_port), host_key_.pin(),
                        getpid(), bus::wall_now_ms(), is_running};
  if (const auto written = status_writer_.take_outcome()) {
    if (!written->ok() && !status_failed_) bus::write_error(written->error());
    status_failed_ = !written->ok();
  }
  status_writer_.write(describe_status(head, *this, now));
}

void SshHalf::on_ready(bus::Readiness) {
  while (const int number = signals_->take()) {
    if (number == SIGHUP) {
      if (auto status = bus::reopen_log(); !status) bus::write_error(status.error());
      take_list();
    } else {
      is_stopping_ = true;
    }
  }
}

}  // namespace riftbus::relay
