#include "tunnel/session/session.h"

#include <algorithm>

#include "config/check.h"
#include "config/printable.h"

namespace riftbus::tunnel {

namespace {

constexpr std::size_t kReasonBytesMax = 200;

std::string reason(const std::string& why) {
  return why.empty() ? "no reason given" : make_printable(why.substr(0, kReasonBytesMax));
}

struct ActionText {
  std::string operator()(const action::Dial& a) const { return "dial " + std::to_string(a.server); }
  std::string operator()(const action::ExchangeKeys&) const { return "exchange keys"; }
  std::string operator()(const action::Authenticate&) const { return "authenticate"; }
  std::string operator()(const action::OpenForward& a) const {
    return "open forward " + std::to_string(a.forward);
  }
  std::string operator()(const action::Serve&) const { return "serve"; }
  std::string operator()(const action::Probe&) const { return "probe"; }
  std::string operator()(const action::HangUp&) const { return "hang up"; }
  std::string operator()(const action::Report& a) const {
    return "report " + a.error.code_text() + " pause=" + format_span(a.pause);
  }
};

}  // namespace

std::string_view to_string(SessionState state) {
  switch (state) {
    case SessionState::idle:
      return "idle";
    case SessionState::dialling:
      return "dialling";
    case SessionState::proving:
      return "proving";
    case SessionState::authenticating:
      return "authenticating";
    case SessionState::forwarding:
      return "forwarding";
    case SessionState::up:
      return "up";
    case SessionState::waiting:
      return "waiting";
    case SessionState::stopped:
      return "stopped";
  }
  return "unknown";
}

std::string to_string(const SessionAction& action) { return std::visit(ActionText{}, action); }

Session::Session(SessionSetup setup, Random& random)
    : setup_(std::move(setup)),
      direct_count_(static_cast<std::size_t>(
          std::count_if(setup_.servers.begin(), setup_.servers.end(),
                        [](const SessionSetup::Server& each) { return !each.is_carried; }))),
      random_(random) {
  RIFTBUS_CHECK(direct_count_ > 0);
  RIFTBUS_CHECK(setup_.backoff_min <= setup_.backoff_max);
  ports_.assign(setup_.forwards.size(), 0);
}

void Session::step(const SessionEvent& event, TimePoint now, SessionActions& out) {
  RIFTBUS_CHECK(now >= now_);
  now_ = now;
  if (state_ == SessionState::stopped) return;
  std::visit([&](const auto& each) { on(each, now, out); }, event);
}

TimePoint Session::next_deadline() const {
  if (state_ == SessionState::waiting) return dial_due_;
  if (is_setting_up()) return setup_end_;
  if (state_ == SessionState::up) return std::min(probe_due_, heard_ + silence_max());
  return TimePoint::max();
}

bool Session::is_setting_up() const {
  return state_ >= SessionState::dialling && state_ <= SessionState::forwarding;
}

bool Session::is_connected() const { return is_setting_up() || state_ == SessionState::up; }

void Session::enter(SessionState state, TimePoint now) {
  state_ = state;
  since_ = now;
}

void Session::on(const event::Start&, TimePoint now, SessionActions& out) {
  if (state_ != SessionState::idle) return;
  down_since_ = now;
  dial(now, out);
}

void Session::dial(TimePoint now, SessionActions& out) {
  enter(SessionState::dialling, now);
  setup_end_ = now + setup_.setup_timeout;
  ++dials_;
  out.emplace_back(action::Dial{server_});
}

void Session::on(const event::Tick&, TimePoint now, SessionActions& out) {
  if (now < next_deadline()) return;
  if (state_ == SessionState::waiting) {
    dial(now, out);
  } else if (is_setting_up()) {
    const std::string limit = format_span(setup_.setup_timeout);
    fail({1816, "no tunnel after " + limit + ", while " + std::string(to_string(state_)), where(),
          "check the server; on a slow link raise tunnel.setup_timeout_ms"},
         Remedy::time, now, out);
  } else if (state_ == SessionState::up && now >= heard_ + silence_max()) {
    pause_ = Nanos{0};  // the silence was pause enough
    fail({1814, "no byte came for " + format_span(now - heard_), where(), "it is dialled again"},
         Remedy::time, now, out);
  } else if (state_ == SessionState::up) {
    probe_due_ = now + setup_.keepalive;
    out.emplace_back(action::Probe{});
  }
}

void Session::on(const event::Dialled&, TimePoint now, SessionActions& out) {
  if (state_ != SessionState::dialling) return;
  enter(SessionState::proving, now);
  out.emplace_back(action::ExchangeKeys{});
}

void Session::on(const event::DialFailed& event, TimePoint now, SessionActions& out) {
  if (state_ != SessionState::dialling) return;
  fail({1810, "the server is not reached: " + reason(event.why), where(),
        "check that sshd or riftbus-relay runs there and that nothing blocks the port"},
       Remedy::comeback, now, out);
}

void Session::on(const event::HostKeyShown& event, TimePoint now, SessionActions& out) {
  if (state_ != SessionState::proving) return;
  const auto& pins = setup_.servers[server_].pins;
  if (std::find(pins.begin(), pins.end(), event.pin) == pins.end()) {
    fail({1811, "the server's host key " + reason(event.pin) + " is not the pinned one", where(),
          "nothing was sent to it; compare with ssh-keygen -lf on the server before changing "
          "tunnel.servers"},
         Remedy::people, now, out);
    return;
  }
  enter(SessionState::authenticating, now);
  out.emplace_back(action::Authenticate{});
}

void Session::on(const event::Authenticated&, TimePoint now, SessionActions& out) {
  if (state_ != SessionState::authenticating) return;
  forward_ = 0;
  enter(SessionState::forwarding, now);
  open_next_forward(now, out);
}

void Session::on(const event::KeyRefused& event, TimePoint now, SessionActions& out) {
  if (state_ != SessionState::authenticating) return;
  fail({1812, "the server refused this node's key: " + reason(event.why), where(),
        "add the line of riftbus-tunnel --show-key to the relay's relay_keys, or with sshd to that "
        "user's authorized_keys"},
       Remedy::people, now, out);
}

void Session::open_next_forward(TimePoint now, SessionActions& out) {
  if (forward_ < setup_.forwards.size()) {
    out.emplace_back(action::OpenForward{forward_});
    return;
  }
  enter(SessionState::up, now);
  ++rises_;
  heard_ = now;
  probe_due_ = now + setup_.keepalive;
  out.emplace_back(action::Serve{});
}

void Session::on(const event::ForwardOpened& event, TimePoint now, SessionActions& out) {
  if (state_ != SessionState::forwarding || event.forward != forward_) return;
  ports_[forward_] = event.port;
  ++forward_;
  open_next_forward(now, out);
}

void Session::on(const event::ForwardRefused& event, TimePoint now, SessionActions& out) {
  if (state_ != SessionState::forwarding || event.forward != forward_) return;
  fail({1813,
        "the server refused to listen for " + setup_.forwards[forward_] + ": " + reason(event.why),
        where(),
        "the port is taken there (ss -ltnp), or permitlisten or AllowTcpForwarding forbids it"},
       Remedy::time, now, out);
}

void Session::on(const event::Heard&, TimePoint now, SessionActions&) {
  heard_ = now;
  probe_due_ = now + setup_.keepalive;
}

void Session::on(const event::Lost& event, TimePoint now, SessionActions& out) {
  if (!is_connected()) return;
  // Where nobody listens, a carried connection ends instead of not beginning.
  const bool is_refusal = is_carried() && state_ == SessionState::proving;
  fail(
      {1815, "the session ended while " + std::string(to_string(state_)) + ": " + reason(event.why),
       where(), "it is dialled again; the server's log says why"},
      is_refusal ? Remedy::comeback : Remedy::time, now, out);
}

void Session::on(const event::Restart&, TimePoint now, SessionActions& out) {
  if (state_ == SessionState::idle) return;
  if (is_connected()) out.emplace_back(action::HangUp{});
  std::fill(ports_.begin(), ports_.end(), std::uint16_t{0});
  pause_ = Nanos{0};
  failures_ = 0;
  down_since_ = now;
  dial(now, out);
}

void Session::on(const event::Stop&, TimePoint now, SessionActions& out) {
  if (is_connected()) out.emplace_back(action::HangUp{});
  std::fill(ports_.begin(), ports_.end(), std::uint16_t{0});
  enter(SessionState::stopped, now);
}

void Session::fail(Error error, Remedy remedy, TimePoint now, SessionActions& out) {
  if (state_ == SessionState::up && now - since_ >= setup_.stable) {
    down_since_ = now;
    pause_ = Nanos{0};
    failures_ = 0;
  }
  out.emplace_back(action::HangUp{});
  std::fill(ports_.begin(), ports_.end(), std::uint16_t{0});
  choose_server(remedy, now);
  pause_ = draw_pause(remedy);
  dial_due_ = now + pause_;
  enter(SessionState::waiting, now);
  out.emplace_back(action::Report{std::move(error), pause_});
}

void Session::choose_server(Remedy remedy, TimePoint now) {
  ++failures_;
  if (remedy != Remedy::people && failures_ < setup_.switch_after) return;
  failures_ = 0;
  const bool may_be_carried = remedy != Remedy::people && now - down_since_ >= kCarrierPatience;
  do {
    server_ = (server_ + 1) % setup_.servers.size();
  } while (is_carried() && !may_be_carried);
}

// Where people must act and there is no other server, haste helps nobody.
Nanos Session::draw_pause(Remedy remedy) {
  const auto floor = setup_.backoff_min.count();
  const auto ceiling = setup_.backoff_max.count();
  if (remedy == Remedy::people && direct_count_ == 1) {
    return Nanos{random_.between(std::max(floor, ceiling / 2), ceiling)};
  }
  const auto longest =
      remedy == Remedy::comeback ? std::clamp(kComebackPauseMax.count(), floor, ceiling) : ceiling;
  const auto high = std::clamp(pause_.count() * 3, floor, longest);
  return Nanos{random_.between(floor, high)};
}

}  // namespace riftbus::tunnel
