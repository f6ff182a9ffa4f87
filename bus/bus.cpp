#include "bus/bus.h"

#include <xxhash.h>
#include <zmq.h>

#include <algorithm>
#include <set>

#include "bus/bus_state.h"
#include "bus/clock.h"
#include "bus/descriptors.h"
#include "bus/log.h"
#include "bus/secure_buffers.h"
#include "bus/wire/relayed.h"
#include "config/check.h"

namespace riftbus::bus {

namespace {

// Of those who listen to a node behind relays, each begins with another one of them: when a relay
// dies, the others have heard the node all along.
std::vector<wire::Address> spread_relays(std::vector<wire::Address> addresses, const NodeId& self,
                                         const NodeId& peer) {
  const auto is_direct = [](const wire::Address& address) {
    return address.kind != wire::AddressKind::relay;
  };
  const auto relays = std::stable_partition(addresses.begin(), addresses.end(), is_direct);
  const auto count = static_cast<std::uint64_t>(addresses.end() - relays);
  if (count < 2) return addresses;
  const std::string pair = self.value() + " " + peer.value();
  const auto first = XXH3_64bits(pair.data(), pair.size()) % count;
  std::rotate(relays, relays + static_cast<std::ptrdiff_t>(first), addresses.end());
  return addresses;
}

}  // namespace

const char* to_string(SendOutcome outcome) {
  switch (outcome) {
    case SendOutcome::sent:
      return "sent";
    case SendOutcome::queued:
      return "queued";
    case SendOutcome::queue_full:
      return "queue_full";
    case SendOutcome::slow_peer:
      return "slow_peer";
    case SendOutcome::unknown_peer:
      return "unknown_peer";
    case SendOutcome::gone:
      return "gone";
    case SendOutcome::oversize:
      return "oversize";
  }
  return "?";
}

Bus::State::State(zmq::context_t& zmq_context, const KeyPair* keys, Settings chosen)
    : context(zmq_context),
      settings(std::move(chosen)),
      limits(settings.limits),
      random(settings.seed),
      sockets(context, settings.insecure ? nullptr : keys, limits),
      world{sockets, resolver, detours, limits, counters, random},
      intake(limits, counters),
      dialer(limits),
      prover(world, is_loopback_only(settings.host)),
      sessions(limits.connections_max) {}

Bus::Bus(zmq::context_t& context, const KeyPair* keys, Settings settings)
    : state_(std::make_unique<State>(context, keys, std::move(settings))) {
  RIFTBUS_CHECK(keys != nullptr || state_->settings.insecure);
  pool_secure_buffers();
}

Bus::~Bus() = default;

Status Bus::bind() {
  State& s = *state_;
  const std::string& host = s.settings.host;
  if (s.settings.insecure && !is_loopback_only(host)) {
    return Error{1352, "without CURVE the bus listens on loopback only, not on " + host, host,
                 "drop --insecure, or listen on 127.0.0.1"};
  }
  s.router = s.sockets.make_router();
  s.publisher = s.sockets.make_publisher();
  const auto call_port = bind_tcp(s.router, host, s.settings.call_port);
  if (!call_port.ok()) return call_port.error();
  const auto pub_port = bind_tcp(s.publisher, host, s.settings.pub_port);
  if (!pub_port.ok()) return pub_port.error();
  s.call_port = *call_port;
  s.pub_port = *pub_port;
  ++s.world.poll_generation;
  return Ok{};
}

std::uint16_t Bus::call_port() const { return state_->call_port; }
std::uint16_t Bus::pub_port() const { return state_->pub_port; }

// ---- roster ----------------------------------------------------------------------------------

void Bus::set_roster(std::shared_ptr<const Roster> roster) {
  State& s = *state_;
  RIFTBUS_CHECK(roster != nullptr);
  s.roster = roster;
  std::set<NodeId> members;
  for (const auto& [id, entry] : roster->entries) {
    if (entry.has(Role::node) || entry.has(Role::voter)) members.insert(id);
  }
  s.intake.set_members(std::move(members));
  s.access = std::make_unique<AccessList>(std::move(roster));
  ++s.access_version;
  s.cut_refused();
  s.refresh_keys(boot_now());
}

void Bus::State::cut_refused() {
  if (access == nullptr || sockets.insecure()) return;
  for (const auto& [id, connections] : book.cut_refused(*access, wall_now_ms() / 1000)) {
    counters.cuts += connections;
    log_info("bus: connections cut: the roster no longer lists their key",
             {{"peer", id.value()}, {"connections", std::to_string(connections)}});
    pending.push_back(Cut{id, connections});
  }
}

std::vector<CurveKey> Bus::State::keys_of(const NodeId& peer) const {
  std::vector<CurveKey> keys;
  if (roster == nullptr) return keys;
  const RosterEntry* entry = roster->find(peer);
  if (entry == nullptr) return keys;
  if (entry->expires_at_s && wall_now_ms() / 1000 >= *entry->expires_at_s) return keys;
  keys.push_back(entry->key);
  if (entry->previous_key) keys.push_back(*entry->previous_key);
  return keys;
}

void Bus::State::refresh_keys(TimePoint now) {
  if (sockets.insecure()) return;
  for (auto& [peer, link] : subscriptions) link.set_keys(keys_of(peer), now);
  for (auto item = callees.begin(); item != callees.end();) {
    std::vector<CurveKey> keys = keys_of(item->first);
    if (keys.empty()) {
      item = callees.erase(item);
    } else {
      item->second.link.set_keys(std::move(keys), now);
      ++item;
    }
  }
}

// ---- peers -----------------------------------------------------------------------------------

void Bus::set_addresses(const NodeId& peer, std::vector<wire::Address> addresses) {
  State& s = *state_;
  const TimePoint now = boot_now();
  std::vector<wire::Address>& known = s.addresses[peer];
  if (known == addresses) return;
  known = std::move(addresses);
  if (const auto link = s.subscriptions.find(peer); link != s.subscriptions.end()) {
    link->second.set_addresses(spread_relays(known, s.settings.self, peer), now);
  }
  if (const auto callee = s.callees.find(peer); callee != s.callees.end()) {
    callee->second.link.set_addresses(known, now);
  }
  if (known.empty()) s.addresses.erase(peer);
}

void Bus::nudge(const NodeId& peer) {
  State& s = *state_;
  const TimePoint now = boot_now();
  if (const auto link = s.subscriptions.find(peer); link != s.subscriptions.end()) {
    link->second.nudge(now);
  }
  if (const auto callee = s.callees.find(peer); callee != s.callees.end()) {
    callee->second.link.nudge(now);
  }
}

void Bus::subscribe(const NodeId& peer) {
  State& s = *state_;
  const TimePoint now = boot_now();
  const auto [item, added] = s.subscriptions.try_emplace(peer, s.world, peer, wire::Channel::pub);
  if (!added) return item->second.want(now);
  item->second.set_keys(s.keys_of(peer), now);
  const auto known = s.addresses.find(peer);
  if (known == s.addresses.end()) return;
  item->second.set_addresses(spread_relays(known->second, s.settings.self, peer), now);
}

void Bus::unsubscribe(const NodeId& peer) { state_->subscriptions.erase(peer); }

Bus::State::Callee& Bus::State::callee_of(const NodeId& peer, TimePoint now) {
  const auto known = callees.find(peer);
  if (known != callees.end()) {
    known->second.used = now;
    return known->second;
  }
  if (callees.size() >= limits.call_peers_max) {
    const auto oldest = std::min_element(
        callees.begin(), callees.end(),
        [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    send_bundles();
    callees.erase(oldest);
    ++counters.evictions;
  }
  Callee& callee = callees.try_emplace(peer, world, peer).first->second;
  callee.used = now;
  callee.link.set_keys(keys_of(peer), now);
  const auto found = addresses.find(peer);
  if (found != addresses.end()) callee.link.set_addresses(found->second, now);
  return callee;
}

// A node behind relays is asked for there, and only there: at its own addresses, which are private
// ones, somebody else may answer.
std::vector<DialTarget> Bus::State::dial_targets(const NodeId& peer, bool& is_relayed,
                                                 TimePoint now) {
  std::vector<DialTarget> targets;
  const auto known = addresses.find(peer);
  if (known == addresses.end()) return targets;
  is_relayed = wire::is_relayed(known->second);
  for (const wire::Address& address : known->second) {
    if (targets.size() >= limits.addresses_per_peer_max) break;
    if ((address.kind == wire::AddressKind::relay) != is_relayed) continue;
    for (std::string& host : resolver.lookup(address.host, now)) {
      DialTarget& target = targets.emplace_back();
      target.host = std::move(host);
      target.port = address.call_port;
      if (!is_relayed) continue;
      target.name = peer.value() + std::string(wire::kRelayedSuffix);
      target.number = wire::kRelayedCallNumber;
    }
  }
  return targets;
}

void Bus::dial(const NodeId& peer) {
  State& s = *state_;
  const TimePoint now = boot_now();
  ++s.counters.dials;
  bool is_relayed = false;
  const auto targets = s.dial_targets(peer, is_relayed, now);
  Nanos patience = s.limits.dial_max;
  if (const auto link = s.subscriptions.find(peer);
      !is_relayed && link != s.subscriptions.end() && link->second.rtt()) {
    patience = std::clamp<Nanos>(4 * *link->second.rtt(), s.limits.dial_min, s.limits.dial_max);
  }
  s.dialer.start(peer, targets, patience, now);
}

bool Bus::prove(const NodeId& peer, const std::vector<wire::Address>& addresses) {
  return state_->prover.start(peer, addresses, state_->keys_of(peer), boot_now());
}

// ---- wake-ups, looking -----------------------------------------------------------------------

WakeId Bus::add_wakeup(int descriptor) {
  const WakeId id(++state_->wakeups_made);
  state_->wakeups.push_back({id, descriptor, nullptr});
  ++state_->world.poll_generation;
  return id;
}

WakeId Bus::add_wakeup_socket(void* zmq_socket) {
  const WakeId id(++state_->wakeups_made);
  state_->wakeups.push_back({id, -1, zmq_socket});
  ++state_->world.poll_generation;
  return id;
}

void Bus::remove_wakeup(WakeId id) {
  std::erase_if(state_->wakeups, [&](const State::Wakeup& wakeup) { return wakeup.id == id; });
  ++state_->world.poll_generation;
}

void Bus::set_observer(FrameObserver* observer) { state_->observer = observer; }
const Counters& Bus::counters() const { return state_->counters; }
const Traffic& Bus::traffic() const { return state_->traffic; }
Seq Bus::published() const { return state_->published; }

std::size_t Bus::connections_from(const NodeId& id) const { return state_->book.count_open(id); }

std::vector<LinkReport> Bus::links() const {
  std::vector<LinkReport> reports;
  const TimePoint now = boot_now();
  const auto report = [&](const Link& link, wire::Channel channel, std::size_t queued) {
    reports.push_back({link.peer(), channel, link.up(), link.address(), link.since(), link.rtt(),
                       link.attempts_made(), link.rounds_failed(), link.trouble(),
                       link.next_round(), queued, link.paths(now)});
  };
  for (const auto& [peer, link] : state_->subscriptions) report(link, wire::Channel::pub, 0);
  for (const auto& [peer, callee] : state_->callees) {
    report(callee.link, wire::Channel::call, callee.queue.size());
  }
  std::stable_sort(reports.begin(), reports.end(), [](const LinkReport& a, const LinkReport& b) {
    return std::pair(a.peer, a.channel) < std::pair(b.peer, b.channel);
  });
  return reports;
}

// ---- descriptors -----------------------------------------------------------------------------

void Bus::State::guard_descriptors(TimePoint now) {
  const std::size_t left = descriptors_left();
  if (left >= kDescriptorsLow || call_port == 0) return;
  std::set<int> proven;
  book.cut_if([&](const Connection& connection) {
    proven.insert(connection.fd);
    return false;
  });
  ++counters.descriptors_low;
  const std::size_t ended = sockets.insecure() ? 0 : cut_unproven({call_port, pub_port}, proven);
  counters.strangers_cut += ended;
  std::uint64_t suppressed = 0;
  if (!descriptor_speaker.admit(now, suppressed)) return;
  write_error({1357, "file descriptors run out: connections without a proven key are ended",
               std::to_string(left) + " left, " + std::to_string(ended) + " ended",
               "see who connects with 'ss -tn', or raise LimitNOFILE"});
}

}  // namespace riftbus::bus
