#include "bus/link.h"

#include <zmq.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "bus/log.h"
#include "config/check.h"

namespace riftbus::bus {

// Its connect ends on this machine, so it says nothing about the way.
bool Link::is_detour(const Attempt& attempt) {
  return attempt.address.kind == wire::AddressKind::relay;
}

Link::Link(LinkWorld& world, NodeId peer, wire::Channel channel)
    : world_(world), peer_(std::move(peer)), channel_(channel), paths_(world.limits) {}

Link::~Link() { close_all(); }

void Link::set_keys(std::vector<CurveKey> keys, TimePoint now) {
  if (keys == keys_) return;
  keys_ = std::move(keys);
  key_turn_ = 0;
  const bool kept = up_ && !attempts_.empty() && attempts_.front().key &&
                    std::find(keys_.begin(), keys_.end(), *attempts_.front().key) != keys_.end();
  if (kept) {
    if (next_trial_ != TimePoint::max()) next_trial_ = now + kTrialSoon;
    if (!trial_.empty()) ++world_.poll_generation;
    trial_.clear();
    return;
  }
  if (up_) {
    lost_ = true;
    told_failed_ = true;  // `down` is told instead
    since_ = now;
    ++world_.counters.links_down;
  }
  close_all();
  rounds_failed_ = 0;
  next_round_ = now;
}

void Link::set_addresses(const std::vector<wire::Address>& addresses, TimePoint now) {
  std::vector<wire::Address> added;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(added),
               [this](const wire::Address& address) { return !paths_.knows(address); });
  if (!paths_.set_addresses(addresses)) return;
  if (in_round_) join_round(added, now);
  trials_.clear();
  if (next_trial_ != TimePoint::max()) next_trial_ = std::min(next_trial_, now + kTrialSoon);
  if (!up_) {
    rounds_failed_ = 0;
    next_round_ = now;
  }
}

void Link::nudge(TimePoint now) {
  if (up_) return;
  paths_.forgive();
  rounds_failed_ = 0;
  next_round_ = std::min(next_round_, now);
}

void Link::want(TimePoint now) {
  if (up_ || in_round_) return;
  const TimePoint soon = std::max(now, round_started_ + world_.limits.demand_pause);
  if (next_round_ <= soon) return;
  paths_.hasten_trials(soon);
  next_round_ = soon;
}

void Link::on_names_resolved(TimePoint now) {
  if (unresolved_ && !up_ && !in_round_) next_round_ = now;
}

LinkChange Link::step(TimePoint now) {
  ready_ = false;
  used_ = true;
  if (std::exchange(lost_, false)) return LinkChange::down;
  if (has_moved_) {
    win(attempts_.begin(), now);
    return LinkChange::up;
  }
  if (up_) {
    if (judge(attempts_.front(), now) != Fate::failed) return advance_trial(now);
    lose_connection(now);
    return LinkChange::down;
  }
  if (!in_round_) {
    if (!reachable() || now < next_round_) return LinkChange::none;
    start_round(now);
  }
  return advance_round(now);
}

TimePoint Link::next_deadline() const {
  if (lost_ || has_moved_) return TimePoint{};
  if (up_) return trial_.empty() ? next_trial_ : trial_.front().started + world_.limits.attempt_max;
  if (!in_round_) return reachable() ? next_round_ : TimePoint::max();
  TimePoint next = TimePoint::max();
  for (const Attempt& attempt : attempts_) {
    next = std::min<TimePoint>(next, attempt.started + world_.limits.attempt_max);
  }
  if (!candidates_.empty() && attempts_.size() < world_.limits.race_max) {
    next = std::min(next, next_launch_);
  }
  return next;
}

zmq::socket_t& Link::socket() {
  RIFTBUS_CHECK(up_);
  used_ = true;
  return attempts_.front().socket;
}

zmq::socket_t* Link::remains() { return remains_.empty() ? nullptr : &remains_.front().socket; }

void Link::collect_handles(std::vector<void*>& monitors, void*& data) {
  for (Attempt& attempt : attempts_) monitors.push_back(attempt.monitor.handle());
  for (Attempt& attempt : trial_) monitors.push_back(attempt.monitor.handle());
  data = up_ ? attempts_.front().socket.handle() : nullptr;
}

std::optional<Nanos> Link::rtt() const { return address_ ? paths_.rtt(*address_) : std::nullopt; }

const CurveKey* Link::current_key() const {
  return keys_.empty() ? nullptr : &keys_[key_turn_ % keys_.size()];
}

void Link::start_round(TimePoint now) {
  round_started_ = now;
  bury();
  candidates_.clear();
  for (const wire::Address& address : paths_.take_candidates(now)) {
    for (std::string& host : world_.resolver.lookup(address.host, now)) {
      candidates_.push_back({address, std::move(host)});
    }
  }
  unresolved_ = candidates_.empty();
  if (unresolved_) trouble_ = "its name has no address";
  std::reverse(candidates_.begin(), candidates_.end());
  in_round_ = true;
  next_launch_ = now;
}

// Those before may hang for all of attempt_max.
void Link::join_round(const std::vector<wire::Address>& added, TimePoint now) {
  for (auto address = added.rbegin(); address != added.rend(); ++address) {
    if (!paths_.knows(*address)) continue;  // one too many
    for (std::string& host : world_.resolver.lookup(address->host, now)) {
      candidates_.push_back({*address, std::move(host)});
    }
  }
}

void Link::launch_next(TimePoint now) {
  const Candidate candidate = std::move(candidates_.back());
  candidates_.pop_back();
  next_launch_ = now + world_.limits.stagger;
  try {
    open_attempt(attempts_, candidate, now);
    address_ = candidate.address;
  } catch (const zmq::error_t& error) {  // out of sockets or descriptors, or not an address
    trouble_ = error.what();
    if (!attempts_.empty() && attempts_.back().address == candidate.address) attempts_.pop_back();
    paths_.on_failure(candidate.address, trouble_, now);
    ++world_.counters.attempts_failed;
  }
  ++world_.poll_generation;
}

// Throws zmq::error_t, having perhaps begun one at this address already.
Link::Attempt& Link::open_attempt(std::list<Attempt>& into, const Candidate& candidate,
                                  TimePoint now) {
  const bool subscribes = channel_ == wire::Channel::pub;
  const CurveKey* key = current_key();
  ++attempts_made_;
  ++world_.counters.attempts;
  Attempt& attempt = into.emplace_back(
      world_, subscribes ? world_.sockets.make_subscriber(key) : world_.sockets.make_dealer(key));
  attempt.address = candidate.address;
  attempt.started = now;
  if (key != nullptr) attempt.key = *key;
  const std::uint16_t port = subscribes ? candidate.address.pub_port : candidate.address.call_port;
  connect_to(attempt.socket, candidate, port);
  return attempt;
}

// CURVE is with the peer itself, whatever lies between.
void Link::connect_to(zmq::socket_t& socket, const Candidate& candidate, std::uint16_t port) {
  if (candidate.address.kind != wire::AddressKind::relay) {
    return socket.connect(tcp_endpoint(candidate.host, port));
  }
  const std::uint16_t number =
      channel_ == wire::Channel::pub ? wire::kRelayedPubNumber : wire::kRelayedCallNumber;
  const auto endpoint = world_.detours.open(
      {candidate.host, port, peer_.value() + std::string(wire::kRelayedSuffix), number});
  if (!endpoint) {
    write_error(endpoint.error());
    throw zmq::error_t(EMFILE);
  }
  socket.connect(*endpoint);
}

Link::Fate Link::judge(Attempt& attempt, TimePoint now) {
  const bool is_made = up_ && &attempt == &attempts_.front();
  while (const auto event = attempt.monitor.next()) {
    switch (*event) {
      case ConnectionEvent::connected:
        attempt.connected = true;
        attempt.rtt = now - attempt.started;
        break;
      case ConnectionEvent::ready:
        return Fate::ready;
      case ConnectionEvent::refused_by_server:
        ++world_.counters.handshakes_refused;
        trouble_ = kKeyRefused;
        return Fate::failed;
      case ConnectionEvent::handshake_failed:
        ++world_.counters.handshakes_failed;
        trouble_ = is_detour(attempt)
                       ? "its relay does not answer or leads nowhere, or another key answers there"
                       : "handshake failed: another key or another program answers there";
        return Fate::failed;
      case ConnectionEvent::closed:
        if (attempt.connected) break;  // of the connecting stage
        trouble_ = "connection refused or unreachable";
        return Fate::failed;
      case ConnectionEvent::disconnected:
        trouble_ = is_made              ? "connection lost"
                   : is_detour(attempt) ? "its relay leads nowhere"
                                        : "it hung up during the handshake";
        return Fate::failed;
    }
  }
  if (!is_made && now >= attempt.started + world_.limits.attempt_max) {
    trouble_ = attempt.connected ? "it accepts TCP but does not speak" : "no answer";
    return Fate::failed;
  }
  return Fate::pending;
}

LinkChange Link::advance_round(TimePoint now) {
  for (auto attempt = attempts_.begin(); attempt != attempts_.end();) {
    const Fate fate = judge(*attempt, now);
    if (fate == Fate::ready) {
      win(attempt, now);
      return LinkChange::up;
    }
    if (fate == Fate::pending) {
      ++attempt;
      continue;
    }
    paths_.on_failure(attempt->address, trouble_, now);
    ++world_.counters.attempts_failed;
    ++world_.poll_generation;
    attempt = attempts_.erase(attempt);
    next_launch_ = now;  // the next one need not wait for a head start that is over
  }
  while (!candidates_.empty() && now >= next_launch_ && attempts_.size() < world_.limits.race_max) {
    launch_next(now);
  }
  if (attempts_.empty() && candidates_.empty()) return finish_failed_round(now);
  return LinkChange::none;
}

LinkChange Link::finish_failed_round(TimePoint now) {
  in_round_ = false;
  ++key_turn_;
  Nanos pause = world_.limits.reconnect_min;
  for (int i = 0; i < rounds_failed_ && pause < world_.limits.reconnect_max; ++i) pause *= 2;
  pause = std::min<Nanos>(pause, world_.limits.reconnect_max);
  ++rounds_failed_;
  // Between half and the whole of it, so that a restarted peer is not met by all at once.
  const TimePoint rested = now + Nanos(world_.random.between(pause.count() / 2, pause.count()));
  next_round_ = std::max(rested, paths_.next_candidate(now));
  if (std::exchange(told_failed_, true)) return LinkChange::none;
  since_ = now;
  return LinkChange::failed;
}

void Link::win(std::list<Attempt>::iterator winner, TimePoint now) {
  std::list<Attempt> won;
  won.splice(won.begin(), attempts_, winner);
  attempts_ = std::move(won);
  candidates_.clear();
  end_trials();
  in_round_ = false;
  up_ = true;
  told_failed_ = false;
  since_ = now;
  rounds_failed_ = 0;
  trouble_.clear();
  const Attempt& attempt = attempts_.front();
  address_ = attempt.address;
  const Nanos took = now - attempt.started;
  paths_.on_success(attempt.address, is_detour(attempt) ? took : attempt.rtt.value_or(took), now);
  ++world_.counters.links_up;
  ++world_.poll_generation;
  if (!is_detour(attempt)) return;
  trial_pause_ = kTrialFirst;
  next_trial_ = now + trial_pause_;
}

void Link::lose_connection(TimePoint now) {
  remains_ = std::move(attempts_);
  attempts_.clear();
  ++world_.poll_generation;
  close_all();
  since_ = now;
  told_failed_ = true;
  ++world_.counters.links_down;
  const std::int64_t pause = Nanos(world_.limits.reconnect_min).count();
  next_round_ = now + Nanos(world_.random.between(pause / 2, pause));
}

void Link::close_all() {
  if (!attempts_.empty()) ++world_.poll_generation;
  attempts_.clear();
  candidates_.clear();
  end_trials();
  in_round_ = false;
  up_ = false;
}

}  // namespace riftbus::bus
