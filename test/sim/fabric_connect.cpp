// The fabric's connections: dialled, set up, broken, dialled again.
#include <algorithm>
#include <utility>

#include "config/check.h"
#include "test/sim/fabric.h"

namespace riftbus::sim {

namespace {
constexpr Nanos kHandshakePoll = Millis(50);
}

ConnectionId Fabric::connect(HostIndex from, HostIndex to, Port port) {
  host(std::max(from, to));
  auto made = std::make_unique<Connection>();
  made->id = connections_.size() + 1;
  made->from = from;
  made->to = to;
  made->port = port;
  made->path = &network_.path(from, to);
  made->backoff = network_.options().reconnect_min;
  connections_.push_back(std::move(made));
  ++open_;
  Connection& c = *connections_.back();
  host(from).made.push_back(c.id);
  host(to).accepted.push_back(c.id);
  attempt(c);
  return c.id;
}

void Fabric::close(ConnectionId id) { erase(id); }

void Fabric::erase(ConnectionId id) {
  const Connection* c = find(id);
  if (c == nullptr) return;
  std::erase(host(c->from).made, id);
  std::erase(host(c->to).accepted, id);
  connections_[id - 1].reset();
  --open_;
}

void Fabric::attempt(Connection& c) {
  c.state = State::connecting;
  c.via = choose_way(c);
  c.subscribed = false;
  c.blocked = false;
  ++c.epoch;
  ++c.block;
  for (Stream& stream : c.streams) stream = Stream{};
  host(c.from).traffic.bytes_out += kDialBytes / 2;
  schedule_.after(network_.draw_connect(*c.path),
                  [this, id = c.id, epoch = c.epoch] { on_syn_answered(id, epoch); });
}

void Fabric::on_syn_answered(ConnectionId id, std::uint32_t epoch) {
  Connection* c = find(id, epoch);
  if (c == nullptr) return;
  const TimePoint give_up = schedule_.now() + network_.options().handshake_timeout;
  // A relay that runs, or its kernel, says at once that it leads nowhere.
  const bool refuses = c->via != c->to && network_.is_open_both(c->from, c->via) &&
                       !is_paused(c->via) && !leads(c->via, c->to);
  if (!is_passable(*c) && !refuses) {
    schedule_.at(give_up, [this, id, epoch] {
      if (Connection* late = find(id, epoch)) attempt_failed(*late, Down::timed_out);
    });
    return;
  }
  host(c->from).traffic.bytes_in += kDialBytes / 2;
  if (refuses || !is_running(c->to)) {
    attempt_failed(*c, Down::refused);
    return;
  }
  schedule_.after(4 * c->path->delay,
                  [this, id, epoch, give_up] { on_handshake(id, epoch, give_up); });
}

void Fabric::on_handshake(ConnectionId id, std::uint32_t epoch, TimePoint give_up) {
  Connection* c = find(id, epoch);
  if (c == nullptr) return;
  const bool open = is_passable(*c);
  if (open && is_running(c->to) && !is_paused(c->to) && !is_paused(c->from)) {
    on_established(*c);
    return;
  }
  if (open && !is_running(c->to)) {
    attempt_failed(*c, Down::refused);
    return;
  }
  if (schedule_.now() >= give_up) {
    attempt_failed(*c, Down::timed_out);
    return;
  }
  schedule_.after(kHandshakePoll, [this, id, epoch, give_up] { on_handshake(id, epoch, give_up); });
}

void Fabric::on_established(Connection& c) {
  c.state = State::up;
  c.to_life = host(c.to).life;
  c.backoff = network_.options().reconnect_min;
  for (const HostIndex end : {c.from, c.to}) {
    host(end).traffic.bytes_out += kHandshakeBytes;
    host(end).traffic.bytes_in += kHandshakeBytes;
  }
  const ConnectionId id = c.id;
  const std::uint32_t epoch = c.epoch;
  if (c.port == Port::pub) {
    schedule_.after(network_.draw_transit(*c.path), [this, id, epoch] {
      if (Connection* live = find(id, epoch)) live->subscribed = true;
    });
  }
  std::deque<Frame> waiting;
  waiting.swap(c.outbox);
  for (const Frame& frame : waiting) send(id, Side::initiator, frame);
  host(c.from).process->on_up(id);
}

void Fabric::attempt_failed(Connection& c, Down down) {
  const ConnectionId id = c.id;
  const HostIndex from = c.from;
  c.outbox.clear();
  if (c.port == Port::call) {
    erase(id);
  } else {
    c.state = State::broken;
    ++c.epoch;
    const Nanos pause(random_.between(c.backoff.count() / 2, c.backoff.count()));
    c.backoff = std::min(c.backoff * 2, network_.options().reconnect_max);
    schedule_.after(pause, [this, id, epoch = c.epoch] { try_again(id, epoch); });
  }
  push(from, host(from).life, [this, from, id, down] { host(from).process->on_down(id, down); });
}

// A stopped process dials nobody.
void Fabric::try_again(ConnectionId id, std::uint32_t epoch) {
  Connection* c = find(id, epoch);
  if (c == nullptr) return;
  if (!is_paused(c->from)) return attempt(*c);
  schedule_.after(kHandshakePoll, [this, id, epoch] { try_again(id, epoch); });
}

void Fabric::break_connection(ConnectionId id, std::uint32_t epoch, Down down) {
  Connection* c = find(id, epoch);
  if (c == nullptr || c->state != State::up) return;
  if (c->from_died) {
    erase(id);
    return;
  }
  attempt_failed(*c, down);
}

// Nothing moves in one direction or both: ZeroMQ's heartbeat ends it.
void Fabric::break_later(Connection& c) {
  const Nanos patience =
      network_.options().heartbeat_timeout + Nanos(random_.between(0, Nanos(Seconds(5)).count()));
  schedule_.after(patience, [this, id = c.id, epoch = c.epoch, block = c.block] {
    const Connection* blocked = find(id, epoch);
    if (blocked != nullptr && blocked->blocked && blocked->block == block) {
      break_connection(id, epoch, Down::timed_out);
    }
  });
}

// The other end was born again and answers the next ZMTP ping with RST.
void Fabric::reset_later(Connection& c) {
  schedule_.after(Nanos(random_.between(0, Nanos(Seconds(5)).count())),
                  [this, id = c.id, epoch = c.epoch] {
                    const Connection* old = find(id, epoch);
                    if (old == nullptr || !is_passable(*old)) return;
                    break_connection(id, epoch, Down::closed);
                  });
}

void Fabric::crash(HostIndex index) { end_of_process(index, true); }

void Fabric::vanish(HostIndex index) {
  if (host(index).process != nullptr) end_of_process(index, false);
  network_.set_up(index, false);
  on_topology_changed();
}

void Fabric::end_of_process(HostIndex index, bool says_fin) {
  Host& h = host(index);
  RIFTBUS_CHECK(h.process != nullptr);
  h.process = nullptr;
  h.paused = false;
  ++h.pause;
  h.inbox.clear();
  h.listens_until = schedule_.now() + (says_fin ? draw_close() : Nanos::zero());
  for (const ConnectionId id : std::vector<ConnectionId>(h.made)) {
    Connection& c = *find(id);
    if (c.state != State::up || !says_fin) {
      erase(id);
      continue;
    }
    // What its kernel already holds still goes out.
    c.from_died = true;
    c.subscribed = false;
    schedule_.at(c.streams[0].last_delivery + Nanos(1), [this, id] { erase(id); });
  }
  for (const ConnectionId id : std::vector<ConnectionId>(h.accepted)) {
    Connection& c = *find(id);
    if (c.state != State::up) continue;
    c.subscribed = false;
    if (says_fin) say_fin(c);
  }
  h.ways.clear();  // its tunnels end with it
  lose_ways(index, says_fin);
}

void Fabric::say_fin(Connection& c) {
  if (!is_open(c, c.to, c.from)) {
    if (!c.blocked) break_later(c);
    return;
  }
  const TimePoint closed = schedule_.now() + draw_close();
  const TimePoint arrives =
      std::max(c.streams[1].last_delivery, closed + network_.draw_transit(*c.path));
  schedule_.at(arrives,
               [this, id = c.id, epoch = c.epoch] { break_connection(id, epoch, Down::closed); });
}

Nanos Fabric::draw_close() {
  const Nanos most = network_.options().close_max;
  return most == Nanos::zero() ? most : Nanos(random_.between(0, most.count()));
}

void Fabric::dial(HostIndex from, HostIndex to, std::function<void(DialEnd)> done) {
  if (host(to).hidden) return dial_hidden(from, to, done);
  Path& path = network_.path(from, to);
  host(std::max(from, to));
  host(from).traffic.bytes_out += kDialBytes;
  const std::uint32_t life = host(from).life;
  schedule_.after(network_.draw_connect(path), [this, from, to, life, done] {
    if (!network_.is_open_both(from, to)) {
      schedule_.after(network_.options().dial_timeout, [this, from, life, done] {
        push(from, life, [done] { done(DialEnd::silent); });
      });
      return;
    }
    host(from).traffic.bytes_in += kDialBytes;
    const bool listening = is_running(to) || schedule_.now() < host(to).listens_until;
    push(from, life, [done, listening] { done(listening ? DialEnd::accepted : DialEnd::refused); });
  });
}

}  // namespace riftbus::sim
