#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "bus/bus_state.h"
#include "bus/clock.h"
#include "config/check.h"

namespace riftbus::bus {

namespace {

constexpr Millis kSweepEvery{250};
constexpr Seconds kExpiryCheckEvery{5};
constexpr Seconds kBusyFor{5};  // after a call: its answer may be on the way
// Turns without a look at the quiet sockets, wake-ups and monitors.
constexpr int kHotTurnsMax = 8;
constexpr Millis kFine{1};  // below this a deadline gets a timer of its own

// Rounded up: a timer that is due in 0.3 ms must not spin.
long timeout_ms(TimePoint until, TimePoint now) {
  if (until <= now) return 0;
  const auto span = std::chrono::ceil<Millis>(std::min<Nanos>(until - now, Seconds(60)));
  return static_cast<long>(span.count());
}

}  // namespace

// One turn: wait, then sockets before everything that judges time, then connections and timers.
bool Bus::poll(TimePoint until, std::vector<Event>& out) {
  State& s = *state_;
  RIFTBUS_CHECK(s.call_port != 0);
  s.send_bundles();
  TimePoint now = boot_now();
  if (s.world.poll_generation != s.items_generation || s.dialer.generation() != s.dial_generation) {
    s.rebuild_items();
  }
  if (!s.drain_hot(now, out)) {
    long timeout = 0;
    if (!s.more && s.pending.empty()) {
      const TimePoint due = std::min(until, s.own_deadline());
      timeout = timeout_ms(due, now);
      if (due > now && due - now < kFine) s.fine_timer.arm(due - now);
    }
    s.mark_used_sockets();
    const int count = s.items.wait(timeout);
    RIFTBUS_CHECK(count >= 0 || errno == EINTR);
    now = boot_now();
    s.more = count > 0 && s.drain_polled(now, out);
  }
  s.step_links(now, out);
  s.step_dials(now, out);
  s.prover.step(now, out);
  if (now >= s.next_sweep) s.sweep(now);
  out.insert(out.end(), std::make_move_iterator(s.pending.begin()),
             std::make_move_iterator(s.pending.end()));
  s.pending.clear();
  return s.more;
}

// Where traffic is dense, the sockets of the last turn have something again: asking them costs a
// tenth of a look at all. False: they had nothing, or it is time to look at the others.
bool Bus::State::drain_hot(TimePoint now, std::vector<Event>& out) {
  if (hot.empty() || ++hot_turns > kHotTurnsMax) {
    hot.clear();
    return false;
  }
  ready = hot;
  const std::size_t before = out.size();
  more = drain_ready(now, out);
  if (more || out.size() > before) return true;
  hot.clear();
  return false;
}

void Bus::State::rebuild_items() {
  using Kind = Source::Kind;
  items.clear();
  sources.clear();
  const auto add = [&](void* socket, Source source) {
    items.add_socket(socket);
    sources.push_back(source);
  };
  const auto add_descriptor = [&](int descriptor, Source source, short events = POLLIN) {
    items.add_descriptor(descriptor, events);
    sources.push_back(source);
  };
  add(router.handle(), {Kind::router, nullptr, {}});
  add(publisher.handle(), {Kind::publisher, nullptr, {}});
  add_descriptor(resolver.descriptor(), {Kind::resolver, nullptr, {}});
  add_descriptor(fine_timer.descriptor(), {Kind::timer, nullptr, {}});
  for (const Wakeup& wakeup : wakeups) {
    const Source source{Kind::wakeup, nullptr, wakeup.id};
    if (wakeup.socket == nullptr) {
      add_descriptor(wakeup.descriptor, source);
    } else {
      add(wakeup.socket, source);
    }
  }
  const auto add_monitors = [&](Link& link) {
    std::vector<void*> monitors;
    void* data = nullptr;
    link.collect_handles(monitors, data);
    for (void* monitor : monitors) add(monitor, {Kind::monitor, &link, {}});
    return data;
  };
  const auto add_link = [&](Link& link) {
    if (void* data = add_monitors(link)) add(data, {Kind::data, &link, {}});
  };
  for (auto& [peer, link] : subscriptions) add_link(link);
  for (auto& [peer, callee] : callees) add_link(callee.link);
  prover.collect_links(add_monitors);
  std::vector<Dialer::Waiting> dials;
  dialer.collect_descriptors(dials);
  for (const auto& dial : dials) {
    const short events = dial.is_asking ? POLLIN : POLLOUT;
    add_descriptor(dial.descriptor, {Kind::dial, nullptr, {}}, events);
  }
  hot.clear();
  items_generation = world.poll_generation;
  dial_generation = dialer.generation();
}

// Links know when theirs were. The others are few: as if they always were.
void Bus::State::mark_used_sockets() {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Link* link = sources[i].link;
    if (link == nullptr || link->is_used()) items.mark_used(i);
  }
  for (const Source& source : sources) {
    if (source.link != nullptr) source.link->rest();
  }
}

TimePoint Bus::State::own_deadline() const {
  TimePoint next = std::min({next_sweep, dialer.next_deadline(), prover.next_deadline()});
  for (const auto& [peer, link] : subscriptions) next = std::min(next, link.next_deadline());
  for (const auto& [peer, callee] : callees) next = std::min(next, callee.link.next_deadline());
  return next;
}

bool Bus::State::drain_polled(TimePoint now, std::vector<Event>& out) {
  using Kind = Source::Kind;
  ready.clear();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items.is_ready(i)) continue;
    const Source& source = sources[i];
    switch (source.kind) {
      case Kind::wakeup:
        out.push_back(Woken{source.wake});
        break;
      case Kind::resolver:
        counters.names_unresolved += resolver.collect(now);
        for (auto& [peer, link] : subscriptions) link.on_names_resolved(now);
        for (auto& [peer, callee] : callees) callee.link.on_names_resolved(now);
        break;
      case Kind::monitor:
        source.link->mark_ready();
        break;
      case Kind::timer:
        fine_timer.clear();
        break;
      case Kind::dial:
        break;
      default:
        ready.push_back(i);
    }
  }
  hot = ready;
  hot_turns = 0;
  return drain_ready(now, out);
}

// Round after round over the sockets that have something, a bounded number from each: true if the
// turn's budget ended before their messages did.
bool Bus::State::drain_ready(TimePoint now, std::vector<Event>& out) {
  if (ready.empty()) return false;
  std::rotate(ready.begin(),
              ready.begin() + static_cast<std::ptrdiff_t>(first_ready++ % ready.size()),
              ready.end());
  std::size_t budget = limits.turn_messages_max;
  while (!ready.empty() && budget > 0) {
    std::erase_if(ready, [&](std::size_t i) {
      const std::size_t quota = std::min(budget, limits.socket_messages_max);
      const std::size_t read = drain(sources[i], quota, now, out);
      budget -= std::min(read, budget);  // the last frame may have held more than was asked for
      return read < quota;
    });
  }
  if (ready.empty()) return false;
  ++counters.events_capped;
  return true;
}

std::size_t Bus::State::drain(const Source& source, std::size_t quota, TimePoint now,
                              std::vector<Event>& out) {
  switch (source.kind) {
    case Source::Kind::router:
      return drain_router(quota, now, out);
    case Source::Kind::publisher:
      return drain_publisher(quota);
    default:
      return drain_link(*source.link, source.link->socket(), quota, now, out);
  }
}

void Bus::State::step_links(TimePoint now, std::vector<Event>& out) {
  for (auto& [peer, link] : subscriptions) {
    if (link.is_due(now)) step_link(link, nullptr, now, out);
  }
  for (auto& [peer, callee] : callees) {
    if (callee.link.is_due(now)) step_link(callee.link, &callee, now, out);
  }
}

void Bus::State::step_link(Link& link, Callee* callee, TimePoint now, std::vector<Event>& out) {
  if (callee != nullptr) link.set_busy(now - callee->used < kBusyFor);
  const LinkChange change = link.step(now);
  if (change == LinkChange::none) return;
  if (change == LinkChange::up) {
    if (callee != nullptr) {
      greet(*callee, now);
    } else {
      out.push_back(LinkUp{link.peer()});
    }
    return;
  }
  if (zmq::socket_t* remains = link.remains()) {
    // What arrived before the end: a goodbye, most likely. Bounded by the receive queue, in frames.
    const auto frames = static_cast<std::size_t>(limits.hwm_calls);
    drain_link(link, *remains, frames * wire::kBundleEnvelopesMax, now, out);
    link.bury();
  }
  if (callee == nullptr) out.push_back(LinkDown{link.peer()});
}

void Bus::State::step_dials(TimePoint now, std::vector<Event>& out) {
  if (dialer.idle()) return;
  std::vector<Dialer::Finished> finished;
  dialer.step(now, finished);
  for (Dialer::Finished& dial : finished) {
    if (dial.outcome == DialOutcome::refused) ++counters.dials_refused;
    if (dial.outcome == DialOutcome::silent) ++counters.dials_silent;
    if (dial.outcome == DialOutcome::relay_lost) ++counters.dials_relay_lost;
    out.push_back(Dialled{std::move(dial.peer), dial.outcome});
  }
}

void Bus::State::sweep(TimePoint now) {
  next_sweep = now + kSweepEvery;
  expire_calls(now);
  guard_descriptors(now);
  if (now < next_expiry_check) return;
  // Keys expire without a new roster.
  next_expiry_check = now + kExpiryCheckEvery;
  cut_refused();
  refresh_keys(now);
}

}  // namespace riftbus::bus
