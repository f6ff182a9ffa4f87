// Processes, frames and what stops them. Setting up and breaking: fabric_connect.cpp.
#include "test/sim/fabric.h"

#include <algorithm>
#include <utility>

#include "config/check.h"

namespace riftbus::sim {

namespace {
// Segments that TCP sends without hearing an acknowledgement: the initial congestion window.
constexpr std::uint32_t kUnackedMax = 10;
// Retransmission timers back off while a path is cut, up to this.
constexpr Nanos kBackoffMax = Seconds(8);
}  // namespace

Fabric::Fabric(Schedule& schedule, Network& network, std::uint64_t seed)
    : schedule_(schedule), network_(network), random_(seed) {}

Fabric::Host& Fabric::host(HostIndex index) {
  if (index >= hosts_.size()) hosts_.resize(index + 1);
  return hosts_[index];
}

Fabric::Connection* Fabric::find(ConnectionId id) {
  if (id == 0 || id > connections_.size()) return nullptr;
  return connections_[id - 1].get();
}

const Fabric::Connection* Fabric::find(ConnectionId id) const {
  if (id == 0 || id > connections_.size()) return nullptr;
  return connections_[id - 1].get();
}

Fabric::Connection* Fabric::find(ConnectionId id, std::uint32_t epoch) {
  Connection* c = find(id);
  return c != nullptr && c->epoch == epoch ? c : nullptr;
}

void Fabric::start(HostIndex index, Endpoint* process) {
  Host& h = host(index);
  RIFTBUS_CHECK(h.process == nullptr);
  h.process = process;
  ++h.life;
  h.paused = false;
  // Connections to the life before: the new kernel or process knows nothing of them.
  for (const ConnectionId id : std::vector<ConnectionId>(h.accepted)) {
    Connection* c = find(id);
    if (c != nullptr && c->state == State::up && c->to_life != h.life) reset_later(*c);
  }
}

void Fabric::pause(HostIndex index) {
  Host& h = host(index);
  if (h.process == nullptr || h.paused) return;
  h.paused = true;
  on_topology_changed();
  const std::uint32_t pause = ++h.pause;
  const Nanos patience =
      network_.options().heartbeat_timeout + Nanos(random_.between(0, Nanos(Seconds(5)).count()));
  schedule_.after(patience, [this, index, pause] {
    Host& stopped = host(index);
    if (!stopped.paused || stopped.pause != pause) return;
    for (const auto* list : {&stopped.made, &stopped.accepted}) {
      for (const ConnectionId id : std::vector<ConnectionId>(*list)) {
        const Connection* c = find(id);
        if (c != nullptr && c->state == State::up) break_connection(id, c->epoch, Down::timed_out);
      }
    }
  });
}

void Fabric::resume(HostIndex index) {
  Host& h = host(index);
  if (!h.paused) return;
  h.paused = false;
  on_topology_changed();
  const std::uint32_t life = h.life;
  std::deque<std::function<void()>> waiting;
  waiting.swap(h.inbox);
  for (auto& job : waiting) push(index, life, std::move(job));
}

void Fabric::hand(HostIndex index, std::function<void()> job) {
  push(index, host(index).life, std::move(job));
}

void Fabric::push(HostIndex index, std::uint32_t life, std::function<void()> job) {
  Host& h = host(index);
  if (h.process == nullptr || h.life != life) return;
  if (!h.paused) {
    job();
    return;
  }
  h.inbox.push_back(std::move(job));
  inbox_max_ = std::max(inbox_max_, h.inbox.size());
}

void Fabric::send(ConnectionId id, Side sender, const Frame& frame) {
  Connection* c = find(id);
  if (c == nullptr || c->state == State::broken) return;
  Traffic& traffic = host(sender == Side::initiator ? c->from : c->to).traffic;
  if (c->state == State::connecting) {
    if (sender == Side::acceptor) return;
    if (c->outbox.size() >= network_.options().buffer_frames) {
      ++traffic.dropped;
      return;
    }
    c->outbox.push_back(frame);
    return;
  }
  Stream& stream = c->streams[static_cast<int>(sender)];
  if (stream.undelivered >= network_.options().buffer_frames) {
    ++traffic.dropped;
    return;
  }
  ++stream.undelivered;
  const HostIndex at = sender == Side::initiator ? c->from : c->to;
  const HostIndex towards = sender == Side::initiator ? c->to : c->from;
  if (!stream.stalled.empty() || !is_open(*c, at, towards) ||
      (!is_open(*c, towards, at) && ++stream.unacked > kUnackedMax)) {
    stream.stalled.push_back(frame);
    return;
  }
  transmit(*c, sender, frame);
}

void Fabric::transmit(Connection& c, Side sender, const Frame& frame) {
  Stream& stream = c.streams[static_cast<int>(sender)];
  Traffic& traffic = host(sender == Side::initiator ? c.from : c.to).traffic;
  traffic.bytes_out += frame.bytes + kFrameOverheadBytes + kSegmentBytes;
  traffic.bytes_in += kAckBytes;
  if (c.port == Port::pub) {
    traffic.pub_bytes_out += frame.bytes + kFrameOverheadBytes + kSegmentBytes;
  }
  ++traffic.frames_out;
  const TimePoint arrives = schedule_.now() + network_.draw_transit(*c.path);
  stream.last_delivery = std::max(stream.last_delivery, arrives);
  schedule_.at(stream.last_delivery, [this, id = c.id, epoch = c.epoch, sender, frame] {
    deliver(id, epoch, sender, frame, false);
  });
  if (c.port == Port::pub && network_.options().duplicate > 0 &&
      c.path->random.chance(network_.options().duplicate)) {
    const Nanos late(c.path->random.between(0, Nanos(Seconds(2)).count()));
    schedule_.at(stream.last_delivery + late, [this, id = c.id, epoch = c.epoch, sender, frame] {
      deliver(id, epoch, sender, frame, true);
    });
  }
}

void Fabric::deliver(ConnectionId id, std::uint32_t epoch, Side sender, const Frame& frame,
                     bool twice) {
  Connection* c = find(id, epoch);
  if (c == nullptr) return;
  const HostIndex to = sender == Side::initiator ? c->to : c->from;
  if (!network_.is_up(to)) return;
  const Side receiver = sender == Side::initiator ? Side::acceptor : Side::initiator;
  Host& h = host(to);
  if (receiver == Side::acceptor && h.life != c->to_life) return;
  h.traffic.bytes_in += frame.bytes + kFrameOverheadBytes + kSegmentBytes;
  h.traffic.bytes_out += kAckBytes;
  ++h.traffic.frames_in;
  push(to, h.life, [this, id, epoch, to, sender, receiver, frame, twice] {
    Connection* live = find(id, epoch);
    if (live != nullptr && !twice) --live->streams[static_cast<int>(sender)].undelivered;
    if (receiver == Side::initiator && find(id) == nullptr) return;  // we closed it
    host(to).process->on_frame(id, receiver, frame);
  });
}

void Fabric::publish(HostIndex from, const Frame& frame) {
  const std::vector<ConnectionId> accepted = host(from).accepted;
  const std::uint32_t life = host(from).life;
  for (const ConnectionId id : accepted) {
    const Connection* c = find(id);
    if (c != nullptr && c->port == Port::pub && c->subscribed && c->to_life == life) {
      send(id, Side::acceptor, frame);
    }
  }
}

void Fabric::on_topology_changed() {
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    if (connections_[i] && connections_[i]->state == State::up) update_block(*connections_[i]);
  }
}

void Fabric::update_block(Connection& c) {
  const bool blocked = !is_passable(c);
  if (blocked == c.blocked) return;
  c.blocked = blocked;
  ++c.block;
  if (blocked) {
    c.blocked_since = schedule_.now();
    break_later(c);
    return;
  }
  // The sender's next retransmission is due after anything up to the time the path was cut.
  const Nanos cut = std::min<Nanos>(schedule_.now() - c.blocked_since, kBackoffMax);
  const Nanos wait(random_.between(0, cut.count()));
  schedule_.after(wait, [this, id = c.id, epoch = c.epoch] { flush(id, epoch); });
  if (!is_running(c.to) || host(c.to).life != c.to_life) reset_later(c);
}

void Fabric::flush(ConnectionId id, std::uint32_t epoch) {
  Connection* c = find(id, epoch);
  if (c == nullptr || c->blocked) return;
  for (const Side sender : {Side::initiator, Side::acceptor}) {
    Stream& stream = c->streams[static_cast<int>(sender)];
    stream.unacked = 0;
    std::deque<Frame> burst;
    burst.swap(stream.stalled);
    for (const Frame& frame : burst) transmit(*c, sender, frame);
  }
}

void Fabric::reset_traffic() {
  for (Host& h : hosts_) h.traffic = Traffic{};
}

bool Fabric::is_flowing(ConnectionId id) const {
  const Connection* c = find(id);
  return c != nullptr && c->state == State::up && c->subscribed && !c->blocked;
}

std::size_t Fabric::subscribers(HostIndex index) const {
  const Host& h = hosts_[index];
  return static_cast<std::size_t>(
      std::count_if(h.accepted.begin(), h.accepted.end(), [&](ConnectionId id) {
        const Connection* c = find(id);
        return c != nullptr && c->port == Port::pub && c->subscribed && c->to_life == h.life;
      }));
}

}  // namespace riftbus::sim
