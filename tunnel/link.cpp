#include "tunnel/link.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "bus/clock.h"
#include "bus/ends.h"
#include "bus/log.h"

namespace riftbus::tunnel {

namespace {

constexpr int kAcceptsPerTurn = 16;

std::vector<Forward> select(const std::vector<Forward>& all, TrafficClass traffic) {
  std::vector<Forward> selected;
  std::copy_if(all.begin(), all.end(), std::back_inserter(selected),
               [&](const Forward& each) { return each.traffic == traffic; });
  return selected;
}

SessionSetup make_setup(const TunnelConfig& config, const std::vector<Forward>& reverse) {
  SessionSetup setup;
  for (const auto& server : config.servers) {
    const std::string way = server.is_carried() ? " over CURVE" : "";
    setup.servers.push_back({server.address() + way, server.pins, server.is_carried()});
  }
  for (const auto& forward : reverse) setup.forwards.push_back(forward.to_string());
  setup.keepalive = Millis{config.keepalive_ms};
  setup.missed_max = config.keepalive_missed_max;
  setup.setup_timeout = Millis{config.setup_timeout_ms};
  setup.backoff_min = Millis{config.backoff_min_ms};
  setup.backoff_max = Millis{config.backoff_max_ms};
  setup.stable = Millis{config.stable_ms};
  setup.switch_after = config.switch_after;
  return setup;
}

}  // namespace

struct Link::Listener : bus::Watcher {
  Listener(Link& its_link, Forward its_forward, int its_descriptor)
      : link(its_link), forward(std::move(its_forward)), descriptor(its_descriptor) {
    link.loop_.watch(descriptor, *this, true, false);
  }
  ~Listener() override {
    link.loop_.forget(descriptor);
    close(descriptor);
    if (forward.listen.is_unix()) unlink(forward.listen.path.c_str());
  }
  void on_ready(bus::Readiness) override { link.accept_from(*this); }

  Link& link;
  Forward forward;
  int descriptor;
};

Link::Link(const TunnelConfig& config, TrafficClass traffic, const std::string& user,
           const ssh::Key& key, bus::Loop& loop, bus::Resolver& resolver, Random& random,
           bool is_trial)
    : config_(config),
      traffic_(traffic),
      user_(user),
      key_(key),
      loop_(loop),
      resolver_(resolver),
      reverse_(select(config.reverse, traffic)),
      local_(select(config.local, traffic)),
      session_(make_setup(config, reverse_), random),
      streams_(loop),
      is_trial_(is_trial) {}

Link::~Link() { hang_up(false); }

Status Link::listen() {
  for (const auto& forward : local_) {
    const auto descriptor = bus::listen_end(forward.listen);
    if (!descriptor) return descriptor.error();
    listeners_.push_back(std::make_unique<Listener>(*this, forward, *descriptor));
  }
  return Ok{};
}

LinkCounters Link::counters() const {
  LinkCounters counters = counters_;
  counters.connections = streams_.opened();
  counters.bytes_to_server = streams_.bytes_out();
  counters.bytes_from_server = streams_.bytes_in();
  return counters;
}

bool Link::take_change() { return std::exchange(has_changed_, false); }

void Link::tell(const SessionEvent& event, TimePoint now) {
  const auto before = session_.state();
  SessionActions actions;
  session_.step(event, now, actions);
  if (session_.state() != before) has_changed_ = true;
  for (const auto& action : actions) carry_out(action, now);
}

void Link::carry_out(const SessionAction& action, TimePoint now) {
  if (std::holds_alternative<action::Dial>(action)) {
    dial(now);
  } else if (std::holds_alternative<action::ExchangeKeys>(action)) {
    ssh_ = std::make_unique<SshClient>(
        SshOptions{server().user.empty() ? user_ : server().user, config_.cipher,
                   static_cast<std::uint64_t>(config_.rekey_mb) << 20U, traffic_},
        std::exchange(dialling_, -1), static_cast<SshOwner&>(*this));
    heard_bytes_ = 0;
  } else if (std::holds_alternative<action::Serve>(action)) {
    last_error_.reset();
    if (!is_carried()) direct_error_.reset();
    bus::log_info("tunnel is up", {{"class", std::string(to_string(traffic_))},
                                   {"server", server().address()},
                                   {"way", is_carried() ? "CURVE" : "direct"},
                                   {"cipher", ssh_->cipher()}});
  } else if (std::holds_alternative<action::Probe>(action)) {
    ssh_->probe();
  } else if (std::holds_alternative<action::HangUp>(action)) {
    hang_up(session_.state() != SessionState::waiting);
  } else if (const auto* said = std::get_if<action::Report>(&action)) {
    report(*said);
  }
  // Authenticate and OpenForward are what set_up_further() does in that state.
}

void Link::report(const action::Report& report) {
  last_error_ = report.error;
  if (!dialled_carried_) direct_error_ = report.error;
  has_changed_ = true;
  if (is_trial_) {
    return bus::log_warn("the direct way does not work yet", {{"why", report.error.to_string()}});
  }
  bus::write_error(report.error);
  bus::log_info("tunnel is down", {{"class", std::string(to_string(traffic_))},
                                   {"next", server().address()},
                                   {"pause", format_span(report.pause)}});
}

void Link::dial(TimePoint now) {
  dialled_carried_ = is_carried();
  const ForwardEnd end = dialled_carried_ ? ForwardEnd{"", 0, server().carrier}
                                          : ForwardEnd{server().host, server().port, ""};
  const auto dialling = bus::dial_end(end, resolver_, now, session_.dials());
  is_resolving_ = dialling.pending;
  dialling_ = dialling.descriptor;
  if (dialling_ >= 0) {
    bus::tune_server_socket(dialling_, config_.unsent_kb_max * 1024,
                            Millis{config_.keepalive_ms} * config_.keepalive_missed_max);
    loop_.watch(dialling_, *this, false, true);
  } else if (!is_resolving_) {
    tell(event::DialFailed{dialling.problem}, now);
  }
}

// The server's socket.
void Link::on_ready(bus::Readiness) {
  const auto now = bus::boot_now();
  if (dialling_ >= 0) {
    const auto problem = bus::connect_problem(dialling_);
    if (problem.empty()) {
      loop_.forget(dialling_);
      tell(event::Dialled{}, now);
    } else {
      tell(event::DialFailed{problem}, now);
    }
  }
  if (!ssh_) return;
  if (session_.state() >= SessionState::forwarding) {
    if (!ssh_->pump()) {
      tell(event::Lost{ssh_->problem()}, now);
      return;
    }
    if (!ssh_->is_relay()) bus::acknowledge_now(ssh_->descriptor());
  }
}

void Link::set_up_further(TimePoint now) {
  // Each step may make the next one possible; the number of forwards bounds them.
  for (std::size_t step = 0; ssh_ && step < reverse_.size() + 3; ++step) {
    const auto state = session_.state();
    if (state == SessionState::proving) {
      const auto result = ssh_->exchange_keys();
      if (result == ssh::Step::done) tell(event::HostKeyShown{ssh_->host_pin()}, now);
      if (result == ssh::Step::failed) tell(event::Lost{ssh_->problem()}, now);
    } else if (state == SessionState::authenticating) {
      authenticate(now);
    } else if (state == SessionState::forwarding) {
      open_forward(now);
    } else {
      return;
    }
  }
}

void Link::authenticate(TimePoint now) {
  const auto result = ssh_->authenticate(key_);
  if (result == ssh::Step::done) tell(event::Authenticated{}, now);
  if (result == ssh::Step::failed) tell(event::KeyRefused{ssh_->problem()}, now);
}

void Link::open_forward(TimePoint now) {
  const auto& ports = session_.ports();
  const auto next = static_cast<std::size_t>(
      std::find(ports.begin(), ports.end(), std::uint16_t{0}) - ports.begin());
  std::uint16_t port = 0;
  const auto result = ssh_->open_forward(reverse_[next].listen, port);
  if (result == ssh::Step::done) {
    bus::log_info("server listens", {{"server", server().address()},
                                     {"port", std::to_string(port)},
                                     {"forward", reverse_[next].to_string()}});
    tell(event::ForwardOpened{next, port}, now);
  } else if (result == ssh::Step::failed && ssh_->is_over()) {
    tell(event::Lost{ssh_->problem()}, now);
  } else if (result == ssh::Step::failed) {
    tell(event::ForwardRefused{next, ssh_->problem()}, now);
  }
}

void Link::hang_up(bool politely) {
  is_resolving_ = false;
  waiting_.clear();
  streams_.drop_all();
  if (dialling_ >= 0) {
    loop_.forget(dialling_);
    close(dialling_);
    dialling_ = -1;
  }
  if (!ssh_) return;
  loop_.forget(ssh_->descriptor());
  if (politely) ssh_->say_goodbye();
  ssh_.reset();
}

const Forward* Link::find_reverse(std::uint16_t server_port) const {
  const auto& ports = session_.ports();
  const auto found = std::find(ports.begin(), ports.end(), server_port);
  return found == ports.end() ? nullptr
                              : &reverse_[static_cast<std::size_t>(found - ports.begin())];
}

bool Link::admit_connection(std::uint16_t server_port) {
  const bool is_known = find_reverse(server_port) != nullptr;
  const bool has_room = streams_.size() < static_cast<std::size_t>(config_.connections_max);
  if (is_known && has_room) return true;
  if (counters_.refused++ % 100 != 0) return false;  // the server decides how many there are
  if (is_known) {
    bus::write_error({1819, "too many connections in one tunnel", server().address(),
                      "raise tunnel.connections_max, or find out who opens so many"});
  } else {
    bus::write_error({1820, "the server opened what was not asked for", server().address(),
                      "refused: port " + std::to_string(server_port)});
  }
  return false;
}

void Link::on_connection(std::uint16_t server_port, std::unique_ptr<ssh::Channel> channel) {
  streams_.add(*ssh_, std::move(channel));
  dial_target(streams_.last_number(), find_reverse(server_port)->target, bus::boot_now());
}

void Link::dial_target(std::uint64_t stream, const ForwardEnd& target, TimePoint now) {
  const auto dialling = bus::dial_end(target, resolver_, now, stream);
  auto& its = *streams_.find(stream);
  if (dialling.descriptor >= 0) {
    its.lead_to(dialling.descriptor);
  } else if (dialling.pending) {
    waiting_.push_back({stream, target, now + Millis{config_.setup_timeout_ms}});
  } else {
    its.give_up(dialling.problem);
  }
}

void Link::try_again(const Waiting& waiting, TimePoint now) {
  auto* stream = streams_.find(waiting.stream);
  if (stream == nullptr) return;
  if (now >= waiting.until) {
    stream->give_up("no address for " + waiting.target.host);
    return;
  }
  const auto before = waiting_.size();
  dial_target(waiting.stream, waiting.target, now);
  if (waiting_.size() > before) waiting_.back().until = waiting.until;
}

void Link::accept_from(Listener& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    const int descriptor = bus::accept_end(listener.descriptor);
    if (descriptor < 0) {
      if (bus::is_exhausted(errno)) pause_accepting(listener);
      return;
    }
    exhaustion_told_ = false;
    const bool has_room = streams_.size() < static_cast<std::size_t>(config_.connections_max);
    const bool is_up = session_.state() == SessionState::up && !ssh_->is_over();
    auto channel = is_up && has_room ? ssh_->open_channel(listener.forward.target) : nullptr;
    if (!channel) {
      close(descriptor);
      ++counters_.refused;
      continue;
    }
    streams_.add(*ssh_, std::move(channel)).lead_from(descriptor);
  }
}

// The kernel would say "ready" for ever.
void Link::pause_accepting(Listener& listener) {
  loop_.watch(listener.descriptor, listener, false, false);
  accept_due_ = std::min(accept_due_, bus::boot_now() + kAcceptPause);
  ++counters_.exhausted;
  if (std::exchange(exhaustion_told_, true)) return;
  bus::write_error({1848, "no descriptor or memory is left for another connection",
                    listener.forward.to_string(),
                    "raise the limit of open files, or lower tunnel.connections_max"});
}

void Link::resume_accepting() {
  accept_due_ = TimePoint::max();
  for (auto& listener : listeners_) loop_.watch(listener->descriptor, *listener, true, false);
}

void Link::sweep_streams() {
  streams_.sweep([this](const std::string& problem) {
    if (counters_.unreached++ % 100 != 0) return;
    bus::write_error({1818, "the target of a forward is not reached: " + problem,
                      server().address(), "start the program there; the tunnel stands"});
  });
}

void Link::hear(TimePoint now) {
  if (!ssh_ || ssh_->bytes_in() == heard_bytes_) return;
  heard_bytes_ = ssh_->bytes_in();
  tell(event::Heard{}, now);
}

void Link::watch_server() {
  if (ssh_) loop_.watch(ssh_->descriptor(), *this, true, ssh_->is_congested());
}

void Link::finish_turn(TimePoint now) {
  if (now >= accept_due_) resume_accepting();
  if (is_resolving_ && session_.state() == SessionState::dialling) dial(now);
  auto waiting = std::exchange(waiting_, {});
  for (const auto& each : waiting) try_again(each, now);
  set_up_further(now);
  streams_.resume();
  hear(now);
  if (ssh_ && session_.state() >= SessionState::forwarding && ssh_->is_over()) {
    tell(event::Lost{ssh_->problem()}, now);
  }
  sweep_streams();
  tell(event::Tick{}, now);
  watch_server();
}

}  // namespace riftbus::tunnel
