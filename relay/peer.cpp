#include "relay/peer.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "bus/clock.h"
#include "bus/ends.h"
#include "bus/log.h"

namespace riftbus::relay {

namespace {

constexpr int kMemberAcceptsPerTurn = 16;

}  // namespace

struct Peer::Listener : bus::Watcher {
  Listener(Peer& its_peer, std::string its_host, std::uint16_t its_port, std::string its_path,
           int its_descriptor)
      : peer(its_peer),
        host(std::move(its_host)),
        port(its_port),
        path(std::move(its_path)),
        descriptor(its_descriptor) {
    peer.loop_.watch(descriptor, *this, true, false);
  }
  ~Listener() override {
    peer.loop_.forget(descriptor);
    unlink(path.c_str());  // first: whoever connects until then is refused and not left waiting
    close(descriptor);
  }
  void on_ready(bus::Readiness) override { peer.accept_from(port); }

  Peer& peer;
  std::string host;
  std::uint16_t port;
  std::string path;
  int descriptor;
};

Peer::Peer(SessionNumber number, const RelayConfig& config, SshServer& server, int descriptor,
           Desk& desk, bus::Loop& loop, bus::Resolver& resolver)
    : number_(number),
      config_(config),
      desk_(desk),
      loop_(loop),
      resolver_(resolver),
      ssh_(server, descriptor, static_cast<SshPeerOwner&>(*this)),
      streams_(loop, [this] { desk_.attend(*this); }) {
  desk_.attend(*this);
}

Peer::~Peer() {
  listeners_.clear();
  streams_.drop_all();
  loop_.forget(ssh_.descriptor());
  ssh_.say_goodbye();
}

void Peer::probe() {
  if (!is_over()) ssh_.probe();
  desk_.attend(*this);
}

void Peer::end() {
  is_ended_ = true;
  listeners_.clear();
  desk_.attend(*this);
}

void Peer::on_ready(bus::Readiness) {
  desk_.attend(*this);
  if (!is_over()) ssh_.pump();
}

bool Peer::accept_key(const std::string& user, const std::string& key, bool is_proven) {
  return desk_.ask(event::KeyOffered{number_, user, key, is_proven}).has_value();
}

void Peer::on_other_method(bool is_question) {
  (void)desk_.ask(event::OtherMethod{number_, is_question});
}

std::optional<std::uint16_t> Peer::listen(const std::string& host, int port) {
  const auto answer = desk_.ask(event::ListenAsked{number_, host, port});
  const auto* granted = answer ? std::get_if<action::Listen>(&*answer) : nullptr;
  if (granted == nullptr) return std::nullopt;
  const auto path = desk_.socket_path(number_, granted->number);
  const auto descriptor = bus::listen_end({"", 0, path});
  if (!descriptor) {
    desk_.report(descriptor.error());
    (void)desk_.ask(event::ListenFailed{number_, granted->number});
    return std::nullopt;
  }
  listeners_[granted->number] =
      std::make_unique<Listener>(*this, host, granted->number, path, *descriptor);
  bus::log_info("node listens", {{"socket", path}});
  return granted->number;
}

bool Peer::cancel(int port) {
  const auto answer = desk_.ask(event::CancelAsked{number_, port});
  if (!answer) return false;
  listeners_.erase(static_cast<std::uint16_t>(port));
  return true;
}

bool Peer::has_room() {
  if (streams_.size() < static_cast<std::size_t>(config_.connections_max)) return true;
  ++counters_.refused_connections;
  desk_.report({1819, "too many connections in one session", std::to_string(number_),
                "raise relay.connections_max, or find out who opens so many"});
  return false;
}

std::optional<ForwardEnd> Peer::admit_open(const std::string& host, int port) {
  if (!has_room()) return std::nullopt;
  const auto answer = desk_.ask(event::OpenAsked{number_, host, port});
  const auto* granted = answer ? std::get_if<action::Open>(&*answer) : nullptr;
  if (granted == nullptr) return std::nullopt;
  auto target = granted->target;
  if (target.host == "localhost") target.host = "127.0.0.1";
  return target;
}

// The target is an address, so it is never looked up.
void Peer::on_open(const ForwardEnd& target, std::unique_ptr<ssh::Channel> channel) {
  auto& stream = streams_.add(ssh_, std::move(channel));
  const auto dialling = bus::dial_end(target, resolver_, bus::boot_now(), 0);
  if (dialling.descriptor >= 0) {
    stream.lead_to(dialling.descriptor);
  } else {
    stream.give_up(dialling.problem);
  }
  desk_.attend(*this);
}

void Peer::on_refused(const char* what) {
  ++counters_.refused_requests;
  desk_.report({1836, std::string("a session asked for what is not a forward: ") + what,
                std::to_string(number_), "use ssh -N -R"});
}

// A channel that is opened lets libssh read, and what it reads may end the listener.
void Peer::accept_from(std::uint16_t number) {
  desk_.attend(*this);
  for (int i = 0; i < kMemberAcceptsPerTurn; ++i) {
    const auto listener = listeners_.find(number);
    if (listener == listeners_.end()) return;
    const int descriptor = bus::accept_end(listener->second->descriptor);
    if (descriptor < 0) {
      if (!bus::is_exhausted(errno)) return;
      loop_.watch(listener->second->descriptor, *listener->second, false, false);
      return desk_.pause_accepting(*this);
    }
    auto channel =
        is_over() || !has_room() ? nullptr : ssh_.open_channel(listener->second->host, number);
    if (!channel) {
      close(descriptor);
      continue;
    }
    streams_.add(ssh_, std::move(channel)).lead_from(descriptor);
  }
}

void Peer::resume_accepting() {
  for (const auto& [number, listener] : listeners_) {
    loop_.watch(listener->descriptor, *listener, true, false);
  }
}

void Peer::sweep() {
  const auto held_max = static_cast<std::size_t>(config_.held_mb_max) << 20U;
  if (streams_.bytes_held() > held_max) {
    ++counters_.dropped_slow;
    desk_.report({1843, "a connection whose reader stalls is closed", std::to_string(number_),
                  "look at what reads there, or raise relay.held_mb_max"});
    streams_.drop_slowest();
  }
  streams_.sweep([this](const std::string& problem) {
    ++counters_.unreached;
    desk_.report({1818, "the other end of a forward is not reached: " + problem,
                  std::to_string(number_), "start the program there; the session stands"});
  });
}

void Peer::finish_turn() {
  if (is_over()) return;
  streams_.resume();
  if (ssh_.bytes_in() != heard_bytes_) {
    heard_bytes_ = ssh_.bytes_in();
    (void)desk_.ask(event::Heard{number_});
    // What came while streams went on may have reached others that had their turn before.
    desk_.attend(*this);
  }
  sweep();
  if (!is_over()) loop_.watch(ssh_.descriptor(), *this, true, ssh_.is_congested());
}

}  // namespace riftbus::relay
