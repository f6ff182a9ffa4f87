#include <algorithm>
#include <csignal>
#include <utility>

#include "bus/clock.h"
#include "bus/log.h"
#include "node/allocator.h"
#include "node/node_state.h"
#include "node/resources.h"

namespace riftbus::node {

namespace {

constexpr Seconds kHousekeeping{1};
// Whoever scrapes less often than this misses some of the worst turns.
constexpr Seconds kLagWindow{15};
// The first save comes early: a node that lives only a minute has met its cluster, too.
constexpr Seconds kFirstSightings{5};
constexpr Seconds kSightings{30};
// Addresses and free disk change without telling us (DHCP, Tailscale coming up after boot).
constexpr Seconds kSelfCheck{30};
// For "goodbye" to leave the sockets before they close.
constexpr Millis kGoodbye{300};
// Free disk is rounded so that a busy disk does not mean a new incarnation every half minute.
constexpr std::uint64_t kDiskStepMb = 10 * 1024;

// Alive members are reachable; those that died without a goodbye were not.
std::vector<PeerSighting> sightings_of(const membership::Membership& core, const NodeId& self,
                                       const std::set<NodeId>& seeds) {
  std::vector<PeerSighting> sightings;
  for (const auto* member : core.members()) {
    const auto& id = member->record.id;
    const bool alive = member->standing == wire::Standing::alive;
    const bool dead = member->standing == wire::Standing::dead;
    if (id == self || id.empty() || (!alive && !dead)) continue;
    sightings.push_back({id, member->record.addresses, alive, seeds.contains(id)});
  }
  return sightings;
}

bool differs_enough(const wire::Record& before, const wire::Record& after) {
  return before.addresses != after.addresses || before.roles != after.roles ||
         before.tags != after.tags ||
         before.resources.disk_free_mb / kDiskStepMb != after.resources.disk_free_mb / kDiskStepMb;
}

}  // namespace

void Node::State::run() {
  now = bus::boot_now();
  housekeeping_due = now + kHousekeeping;
  sightings_due = now + kFirstSightings;
  self_check_due = now + kSelfCheck;
  journal.note("start", prepared.settings.node_id, "version " RIFTBUS_VERSION,
               {now, bus::wall_now_ms()});
  members->start(now);
  while (!ends_at || now < *ends_at) turn();
  save_sightings();
  if (attacher) attacher->stop();  // after the goodbye, which may go through them
  bus::log_info("stopped");
}

void Node::State::turn() {
  bool more = true;
  TimePoint begun = now;
  const auto turns_max = bus::Limits{}.turns_before_timers;
  for (std::size_t i = 0; more && i < turns_max; ++i) {
    events.clear();
    more = bus->poll(i == 0 ? next_deadline() : now, events);
    now = bus::boot_now();
    if (i == 0) begun = now;
    for (auto& event : events) handle(event);
  }
  now = bus::boot_now();
  members->tick(now);
  if (http_path) http_path->tick(now);
  turn_leadership();
  if (desk->has_work()) desk->tick(view());
  peers->tick(now);
  carrier->tick(now);
  if (now >= housekeeping_due) housekeeping();
  turn_http();
  measure_turn(begun);
}

void Node::State::measure_turn(TimePoint begun) {
  const TimePoint ended = bus::boot_now();
  ++turn_times.turns;
  turn_times.sum += ended - begun;
  turn_times.longest_so_far = std::max(turn_times.longest_so_far, ended - begun);
  if (ended < turn_times.window_end) return;
  turn_times.longest = std::exchange(turn_times.longest_so_far, Nanos());
  turn_times.window_end = ended + kLagWindow;
}

TimePoint Node::State::next_deadline() const {
  auto due = std::min({housekeeping_due, members->next_deadline(), desk->next_deadline(),
                       peers->next_deadline(), carrier->next_deadline(), leadership_deadline()});
  if (http_path) due = std::min(due, http_path->next_deadline());
  if (ends_at) due = std::min(due, *ends_at);
  return due;
}

void Node::State::handle(bus::Event& event) {
  if (auto* received = std::get_if<bus::Received>(&event)) {
    on_received(*received);
  } else if (const auto* up = std::get_if<bus::LinkUp>(&event)) {
    members->on_link(up->peer, true, now);
  } else if (const auto* down = std::get_if<bus::LinkDown>(&event)) {
    members->on_link(down->peer, false, now);
  } else if (const auto* dialled = std::get_if<bus::Dialled>(&event)) {
    members->on_dialled(*dialled, now);
  } else if (const auto* proved = std::get_if<bus::Proved>(&event)) {
    dial_backs->on_proved(*proved, view());
  } else if (const auto* cut = std::get_if<bus::Cut>(&event)) {
    carrier->drop(cut->id);
    journal.note("cut", cut->id, std::to_string(cut->connections) + " connections closed",
                 {now, bus::wall_now_ms()});
  } else if (const auto* woken = std::get_if<bus::Woken>(&event)) {
    if (woken->id == disk_wake) {
      disk.run_done();
      now = bus::boot_now();  // the cores were told a newer time than this turn's
    }
    if (woken->id == carry_wake) carrier->run();
    if (executor) static_cast<void>(executor->on_woken(woken->id, now));
    if (log_wake && woken->id == *log_wake) voter->on_disk(now);
    if (http_wake && woken->id == *http_wake) http->run_asked(now);
    if (poster_wake && woken->id == *poster_wake) {
      for (const auto& fetched : poster->take()) http_path->on_fetched(fetched, now);
    }
    if (woken->id == signal_wake) {
      while (const int number = signals.take()) on_signal(number);
    }
  }
}

// Good until the roster changes.
const std::set<Role>& Node::State::roles_of(const NodeId& id) const {
  static const std::set<Role> kAll{Role::node, Role::voter, Role::tap, Role::admin};
  static const std::set<Role> kNone;
  if (!roster) return kAll;
  const auto* entry = roster->in_force().find(id);
  return entry == nullptr ? kNone : entry->roles;
}

void Node::State::on_received(bus::Received& received) {
  const auto kind = wire::kind_of(received.envelope.body);
  const auto& from = received.envelope.origin;
  const std::set<Role>& roles = roles_of(from);
  if (kind == wire::Kind::pong && received.envelope.correlation.value() >= kOwnerCorrelation) {
    desk->on_pong(received, view());
    return;
  }
  if (kind == wire::Kind::query) {
    if (!names_leader(std::get<wire::Query>(received.envelope.body))) return on_query(received);
    return leader->when_known([this, received] { on_query(received); }, now);
  }
  if (peers->on_answer(received) || carrier->on_refusal(received)) return;
  const bool is_member =
      roles.contains(Role::node) || roles.contains(Role::voter) || roles.contains(Role::relay);
  if (kind == wire::Kind::carry) return carrier->on_carry(received, is_member);
  if (on_work_kind(received, kind, roles)) return;
  if (!MemberShell::takes(kind)) {
    on_owner_kind(received, kind, roles);
    return;
  }
  if (!is_member) {
    if (kind == wire::Kind::ping) {
      desk->on_ping(received, view());
    } else if (received.reply_to.value() != 0 && received.envelope.correlation.value() != 0) {
      bus->reply(received.reply_to, received.envelope.correlation,
                 wire::Refusal{1304, "only members may say this", "ask for the node role"});
    }
    return;
  }
  const bool is_news = !http_path || received.channel != wire::Channel::pub ||
                       http_path->on_bus_publication(received.envelope, now);
  if (is_news) take_member_words(received);
}

// Of a member, whichever way it came.
void Node::State::take_member_words(const bus::Received& received) {
  members->on_received(received, now);
  const auto& from = received.envelope.origin;
  if (const auto* beat = std::get_if<wire::Beat>(&received.envelope.body);
      beat != nullptr && roster) {
    roster->on_version(from, beat->roster, now);
  }
}

void Node::State::on_query(const bus::Received& received) {
  const auto& roles = roles_of(received.envelope.origin);
  const auto& rights = rights_in(received, roles);
  if (on_dial_back(received, roles) || on_executor_query(received, rights) ||
      on_relay_order(received, rights) || on_leader_query(received, rights)) {
    return;
  }
  know_subject(std::get<wire::Query>(received.envelope.body));
  desk->on_query(received, roles, view());
}

void Node::State::on_owner_kind(const bus::Received& received, wire::Kind kind,
                                const std::set<Role>& roles) {
  const bool asks_roster = kind == wire::Kind::roster_get || kind == wire::Kind::roster_put;
  if (asks_roster && !roster) {
    bus->reply(received.reply_to, received.envelope.correlation,
               wire::Refusal{1517, "this node has no roster",
                             "it was started with --insecure: there are no keys to list"});
    return;
  }
  switch (kind) {
    case wire::Kind::tap_start:
      desk->on_tap(received, roles, now);
      return;
    case wire::Kind::roster_get:
      roster->on_get(received, now);
      return;
    case wire::Kind::roster_document:
      if (roster) roster->on_document(received, *members, now);
      return;
    case wire::Kind::roster_put:
      if (roles.contains(Role::admin)) {
        roster->on_put(received, *members, now);
        return;
      }
      bus->reply(received.reply_to, received.envelope.correlation,
                 wire::Refusal{1304, "changing the roster takes the admin role",
                               "use the admin key, or ask for that role"});
      return;
    default:
      return;  // answers that nobody waits for any more
  }
}

void Node::State::on_signal(int number) {
  if (number == SIGHUP) {
    if (const auto status = bus::reopen_log(); !status) bus::write_error(status.error());
    if (attacher) attacher->pass_on(number);
    return;
  }
  if (ends_at) {
    ends_at = now;
    return;
  }
  bus::log_info("leaving the cluster", {{"signal", std::to_string(number)}});
  journal.note("stop", prepared.settings.node_id, "asked to end", {now, bus::wall_now_ms()});
  members->leave(now);
  ends_at = now + kGoodbye;
}

void Node::State::housekeeping() {
  housekeeping_due = now + kHousekeeping;
  members->refresh_addresses();
  if (roster) roster->tick(*members, now);
  tend_leadership();
  tend_http();
  if (gate) log_strangers();
  tend_relays();
  if (now >= key_check_due) check_own_key();
  if (now >= self_check_due) check_self();
  if (now >= sightings_due) save_sightings();
}

void Node::State::check_self() {
  self_check_due = now + kSelfCheck;
  give_memory_back(now);
  renew_record(self_record.resources);
  auto measured = std::make_shared<wire::Resources>();
  // Not taken: the disk is stuck, and what was measured last stands.
  static_cast<void>(disk.post({[measured, folder = prepared.settings.paths.data_dir,
                                declared = prepared.settings.resources] {
                                 *measured = measure_resources(folder, declared);
                                 return Status(Ok{});
                               },
                               [this, measured](const Status&) {
                                 // Members may have been told of a later moment by the write
                                 // that was finished before this one.
                                 now = bus::boot_now();
                                 renew_record(*measured);
                               }}));
}

void Node::State::renew_record(const wire::Resources& resources) {
  auto record = self_record;
  record.addresses = own_addresses(prepared.settings);
  if (attacher) {
    const auto& ways = attacher->addresses();
    record.addresses.insert(record.addresses.end(), ways.begin(), ways.end());
  }
  record.tags = own_tags();
  record.resources = resources;
  if (!differs_enough(self_record, record)) return;
  self_record = record;
  members->on_self_changed(record, now);
}

void Node::State::save_sightings() {
  sightings_due = now + kSightings;
  if (!cache) return;
  std::set<NodeId> seeds;
  for (const auto& seed : prepared.settings.seeds) {
    if (seed.node) seeds.insert(*seed.node);
  }
  auto sightings = sightings_of(members->core(), prepared.settings.node_id, seeds);
  if (sightings.empty()) return;
  const auto wall_s = bus::wall_now_ms() / 1000;
  const bool taken = disk.post({[cache = cache, sightings = std::move(sightings), wall_s] {
                                  return cache->save(sightings, wall_s);
                                },
                                [](const Status& outcome) {
                                  if (!outcome) bus::write_error(outcome.error());
                                }});
  if (!taken) bus::log_warn("peer cache not saved: the disk is stuck");
}

}  // namespace riftbus::node
