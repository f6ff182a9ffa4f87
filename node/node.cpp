#include "node/node.h"

#include <sodium.h>

#include <utility>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/zap_self_test.h"
#include "node/node_state.h"
#include "node/resources.h"

namespace riftbus::node {

namespace {

std::uint64_t random_word() {
  std::uint64_t word = 0;
  randombytes_buf(&word, sizeof word);
  return word;
}

// 32 random bits: enough to tell two lives of one id apart, and four bytes less in every beat.
Instance random_instance() { return Instance{(random_word() & 0xffffffffU) | 1U}; }

wire::Record own_record(const Prepared& prepared, Instance instance) {
  const auto& settings = prepared.settings;
  wire::Record record;
  record.id = settings.node_id;
  record.instance = instance;
  record.addresses = own_addresses(settings);
  if (prepared.roster) {
    if (const auto* entry = prepared.roster->roster.find(settings.node_id)) {
      record.roles.assign(entry->roles.begin(), entry->roles.end());
    }
  }
  if (record.roles.empty()) record.roles = {Role::node};
  record.failure_domain =
      settings.failure_domain == settings.node_id.value() ? "" : settings.failure_domain;
  record.interval_ms = static_cast<std::uint32_t>(to_ms(prepared.timing.interval));
  record.resources = measure_resources(settings.paths.data_dir, settings.resources);
  record.tags = settings.tags;
  record.software = RIFTBUS_VERSION;
  return record;
}

// Configured seeds, then voters, then the rest of the cluster file, then peers met in an earlier
// life, best first: whoever answers takes us in.
std::vector<NodeId> seeds_of(const Prepared& prepared) {
  std::vector<NodeId> seeds;
  const auto add = [&](const NodeId& id) {
    if (id == prepared.settings.node_id) return;
    if (std::find(seeds.begin(), seeds.end(), id) == seeds.end()) seeds.push_back(id);
  };
  for (const auto& seed : prepared.settings.seeds) {
    if (seed.node) add(*seed.node);
  }
  for (const auto& voter : prepared.settings.voters) add(voter);
  for (const auto& id : prepared.configured) add(id);
  for (const auto& peer : prepared.cached) add(peer.id);
  return seeds;
}

bus::Limits bus_limits(const LimitsConfig& config, bool insecure) {
  bus::Limits limits;
  limits.message_bytes_max = config.message_bytes_max;
  limits.hwm_calls = static_cast<int>(config.hwm_control);
  limits.hwm_published = static_cast<int>(config.hwm_published);
  limits.backlog = static_cast<int>(config.listen_backlog);
  limits.sockets_max = static_cast<int>(config.sockets_max);
  limits.handshake = Millis{config.handshake_timeout_ms};
  limits.call_queue_max = static_cast<std::size_t>(config.call_queue_max);
  limits.dedup_window = static_cast<std::size_t>(config.dedup_window);
  if (insecure) {
    // Nobody is listed as a member, and nobody is a stranger: loopback only.
    limits.origin_messages_per_s = limits.member_messages_per_s;
    limits.origin_messages_burst = limits.member_messages_burst;
    limits.origin_bytes_per_s = limits.member_bytes_per_s;
    limits.origin_bytes_burst = limits.member_bytes_burst;
  }
  limits.breaker_failures = static_cast<int>(config.breaker_failures);
  limits.breaker_open_max = Millis{config.breaker_half_open_ms};
  limits.reconnect_min = Millis{config.reconnect_min_ms};
  limits.reconnect_max = Millis{config.reconnect_max_ms};
  return limits;
}

AddressBook address_book(const Prepared& prepared) {
  std::map<NodeId, AddressBook::Addresses> cached;
  for (const auto& peer : prepared.cached) cached[peer.id] = peer.addresses;
  return {prepared.known_addresses, std::move(cached)};
}

}  // namespace

Node::Node(Prepared prepared) : state_(std::make_unique<State>(std::move(prepared))) {}
Node::~Node() = default;

Status Node::open() {
  if (auto status = state_->open_gate(); !status) return status;
  if (auto status = state_->open_bus(); !status) return status;
  state_->open_members();
  state_->open_leadership();
  state_->open_http();
  state_->open_attacher();
  state_->open_carrier();
  state_->open_reach();
  state_->log_listeners();
  return Ok{};
}

void Node::run() { state_->run(); }

Node::State::State(Prepared prepared_in)
    : prepared(std::move(prepared_in)),
      instance(random_instance()),
      journal(instance),
      cache(std::move(prepared.cache)),
      chance(random_word()),
      started(bus::boot_now()),
      now(started) {
  context.set(zmq::ctxopt::max_sockets, static_cast<int>(prepared.settings.limits.sockets_max));
}

Status Node::State::open_gate() {
  if (prepared.settings.insecure) {
    bus::log_warn("no encryption and no identities: --insecure on loopback");
    return Ok{};
  }
  auto started_gate =
      bus::ZapHandler::start(context, std::make_shared<Roster>(prepared.roster->roster));
  if (!started_gate) return started_gate.error();
  gate = std::move(*started_gate);
  const auto& keys = prepared.identity->keys;
  const auto listed = gate->access()->decide(keys.public_key, bus::wall_now_ms() / 1000);
  if (auto status = bus::self_test_zap(context, listed.allowed() ? &keys : nullptr); !status) {
    return status;
  }
  static_cast<void>(gate->take_refusals());  // the test's own stranger is no news
  return Ok{};
}

Status Node::State::open_bus() {
  const auto& settings = prepared.settings;
  bus::Settings options;
  options.self = settings.node_id;
  options.instance = instance;
  options.cluster = settings.cluster;
  options.software = RIFTBUS_VERSION;
  options.host = settings.listen.host;
  options.call_port = settings.listen.router_port;
  options.pub_port = settings.listen.pub_port;
  options.insecure = settings.insecure;
  options.seed = random_word();
  options.limits = bus_limits(settings.limits, settings.insecure);
  const KeyPair* keys = prepared.identity ? &prepared.identity->keys : nullptr;
  bus = std::make_unique<bus::Bus>(context, keys, std::move(options));
  return bus->bind();
}

void Node::State::open_members() {
  if (gate) {
    roster =
        std::make_unique<RosterShell>(RosterKeeper(*prepared.roster, *prepared.settings.authority),
                                      roster_path(prepared.settings), *gate, *bus, disk, journal);
    roster->start();
  }
  self_record = own_record(prepared, instance);
  membership::Settings settings;
  settings.self = prepared.settings.node_id;
  settings.instance = instance;
  settings.record = self_record;
  settings.stored = prepared.stored;
  settings.wall_ms = static_cast<std::uint64_t>(bus::wall_now_ms());
  settings.timing = prepared.timing;
  settings.seeds = seeds_of(prepared);
  if (roster) {
    settings.roster = roster->in_force().version;
    settings.allowed = allowed_members(roster->in_force());
  } else {
    settings.allowed = prepared.configured;
  }
  settings.allowed.insert(settings.self);
  members = std::make_unique<MemberShell>(std::move(settings), address_book(prepared),
                                          incarnation_path(prepared.settings), random_word(), *bus,
                                          disk, journal);
  open_http_path();
  peers = std::make_unique<PeerQuestions>(*bus, *members);
  desk = std::make_unique<Desk>(*bus, prepared.settings.node_id,
                                static_cast<std::size_t>(prepared.settings.limits.tap_queue_max));
  signal_wake = bus->add_wakeup(signals.fd());
  disk_wake = bus->add_wakeup(disk.wake_fd());
  for (const auto& note : prepared.notes) {
    bus::log_warn(note);
    journal.note("start", {}, note, {now, bus::wall_now_ms()});
  }
}

void Node::State::log_listeners() const {
  const auto& host = prepared.settings.listen.host;
  bus::log_info("listening for calls (ROUTER)",
                {{"address", host + ":" + std::to_string(bus->call_port())}});
  bus::log_info("listening for subscribers (XPUB)",
                {{"address", host + ":" + std::to_string(bus->pub_port())}});
}

}  // namespace riftbus::node
