#include "test/sim/member_host.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "bus/wire/codec.h"
#include "bus/wire/relayed.h"
#include "bus/wire/topic.h"
#include "config/check.h"
#include "test/sim/cluster.h"

namespace riftbus::sim {

namespace {

constexpr std::uint64_t kWallBaseMs = 1'750'000'000'000;
constexpr Nanos kCallIdle = Seconds(60);
constexpr Nanos kWakeLate = Millis(1);  // zmq_poll counts in milliseconds
constexpr std::size_t kPublishedKept = 512;
constexpr int kTicksWithoutProgressMax = 8;
constexpr std::size_t kCachedSeedsMax = 8;
const char* const kStoredKey = "incarnation";

template <class... Ts>
struct overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
overloaded(Ts...) -> overloaded<Ts...>;

membership::DialOutcome outcome_of(DialEnd end) {
  switch (end) {
    case DialEnd::accepted:
      return membership::DialOutcome::accepted;
    case DialEnd::refused:
      return membership::DialOutcome::refused;
    case DialEnd::silent:
      return membership::DialOutcome::silent;
    case DialEnd::relay_lost:
      return membership::DialOutcome::relay_lost;
  }
  return membership::DialOutcome::silent;
}

}  // namespace

MemberHost::MemberHost(Cluster& cluster, HostIndex index, NodeId id, std::uint64_t seed)
    : cluster_(cluster),
      index_(index),
      id_(std::move(id)),
      machine_random_(seed),
      disk_(cluster.schedule(), cluster.options().disk, machine_random_.next()) {
  const std::int64_t ppm = cluster.options().drift_ppm_max;
  const Nanos offset = Seconds(machine_random_.between(1, 5'000'000));
  clock_ = HostClock(offset, machine_random_.between(-ppm, ppm));
}

TimePoint MemberHost::local_now() const { return clock_.local(cluster_.schedule().now()); }

const membership::Membership& MemberHost::core() const {
  RIFTBUS_CHECK(core_ != nullptr);
  return *core_;
}

wire::Record MemberHost::own_record() const {
  wire::Record record;
  record.id = id_;
  for (const HostIndex relay : cluster_.relays_of(index_)) {
    record.addresses.push_back({wire::AddressKind::relay, "h" + std::to_string(relay), 7723, 7723});
  }
  if (record.addresses.empty()) {
    record.addresses = {
        wire::Address{wire::AddressKind::lan, "h" + std::to_string(index_), 7770, 7771}};
  }
  record.roles = {Role::node};
  record.interval_ms = static_cast<std::uint32_t>(to_ms(cluster_.options().timing.interval));
  record.resources = wire::Resources{16, 65536, 500'000, 1, "RTX 4090", 24576};
  record.software = "riftbus 0.1.0";
  return record;
}

void MemberHost::start() {
  RIFTBUS_CHECK(core_ == nullptr);
  const TimePoint now = cluster_.schedule().now();
  ++life_;
  started_ = now;
  instance_ = Instance(machine_random_.next());
  core_random_ = std::make_unique<Random>(machine_random_.next());
  pub_seq_ = call_seq_ = Seq{};
  published_.assign(kPublishedKept, TimePoint{});

  membership::Settings settings;
  settings.self = id_;
  settings.instance = instance_;
  settings.record = own_record();
  settings.record.instance = instance_;
  settings.stored = Incarnation(disk_.load(kStoredKey));
  const auto wall = kWallBaseMs + static_cast<std::uint64_t>(to_ms(now.time_since_epoch()));
  settings.wall_ms = wall + static_cast<std::uint64_t>(to_ms(wall_skew_));
  settings.timing = cluster_.options().timing;
  settings.seeds = seeds();
  settings.roster = cluster_.roster_version();
  settings.allowed = cluster_.roster();
  core_ = std::make_unique<membership::Membership>(std::move(settings), *core_random_);
  cluster_.fabric().start(index_, this);
  cluster_.on_started(*this);
  step(membership::Tick{});
}

// The configured ones, then some cached peers: all seeds may be down.
std::vector<NodeId> MemberHost::seeds() const {
  std::vector<NodeId> seeds = cluster_.seed_ids();
  const bool wiped = disk_.load(kStoredKey) == 0;
  for (const NodeId& id : cached_) {
    if (wiped || seeds.size() >= cluster_.seed_ids().size() + kCachedSeedsMax) break;
    if (std::find(seeds.begin(), seeds.end(), id) == seeds.end()) seeds.push_back(id);
  }
  return seeds;
}

void MemberHost::stop_process(bool says_fin) {
  RIFTBUS_CHECK(core_ != nullptr);
  if (says_fin) {
    cluster_.fabric().crash(index_);
  } else {
    cluster_.fabric().vanish(index_);
  }
  cached_.clear();
  for (const membership::Member* member : core_->members()) {
    if (member->standing == wire::Standing::alive) cached_.insert(member->record.id);
  }
  core_.reset();
  core_random_.reset();
  subscriptions_.clear();
  calls_.clear();
  disk_.crash();
  ++tick_serial_;
  tick_at_ = TimePoint::max();
}

void MemberHost::step(const membership::Event& event, const Message* message) {
  membership::Actions actions;
  core_->step(event, local_now(), actions);
  cluster_.on_step(*this, event, message, actions);
  for (const membership::Action& action : actions) execute(action);
  plan_tick();
}

void MemberHost::plan_tick() {
  const TimePoint deadline = core_->next_deadline();
  const TimePoint due = std::max(clock_.to_virtual(deadline), cluster_.schedule().now());
  if (tick_at_ <= due && tick_at_ > cluster_.schedule().now()) return;  // that one will look again
  const Nanos late(machine_random_.between(0, kWakeLate.count()));
  tick_at_ = due + late;
  cluster_.schedule().at(tick_at_, [this, serial = ++tick_serial_] {
    if (serial != tick_serial_ || core_ == nullptr) return;
    cluster_.fabric().hand(index_, [this] { tick_now(); });
  });
}

void MemberHost::tick_now() {
  tick_at_ = TimePoint::max();
  const TimePoint deadline = core_->next_deadline();
  if (deadline > local_now()) {
    plan_tick();
    return;
  }
  step(membership::Tick{});
  if (core_ == nullptr) return;
  ticks_without_progress_ = core_->next_deadline() <= local_now() ? ticks_without_progress_ + 1 : 0;
  if (ticks_without_progress_ > kTicksWithoutProgressMax) {
    cluster_.fail("spin: " + id_.value() + " has work due now after every tick");
  }
}

// ---- what the fabric says ---------------------------------------------------------------------

void MemberHost::on_up(ConnectionId id) {
  for (const auto& [peer, connection] : subscriptions_) {
    if (connection != id) continue;
    step(membership::LinkUp{NodeId(peer)});
    return;
  }
}

void MemberHost::on_down(ConnectionId id, Down) {
  for (const auto& [peer, connection] : subscriptions_) {
    if (connection != id) continue;
    step(membership::LinkDown{NodeId(peer)});
    return;
  }
  std::erase_if(calls_, [id](const auto& entry) { return entry.second.connection == id; });
}

void MemberHost::on_frame(ConnectionId id, Side receiver, const Frame& frame) {
  const auto& message = static_cast<const Message&>(*frame.payload);
  membership::Received received;
  received.channel = message.channel;
  received.envelope = message.envelope;
  const bool is_request = receiver == Side::acceptor && message.envelope.correlation.value() != 0;
  if (is_request) received.reply_to = membership::ReplyTo(id);
  step(received, &message);
}

// ---- what the core asks -------------------------------------------------------------------------

void MemberHost::execute(const membership::Action& action) {
  std::visit(overloaded{
                 [&](const membership::Publish& a) { publish(a.body); },
                 [&](const membership::Send& a) { send(a); },
                 [&](const membership::Reply& a) { reply(a); },
                 [&](const membership::Subscribe& a) { subscribe(a.peer); },
                 [&](const membership::Unsubscribe& a) { unsubscribe(a.peer); },
                 [&](const membership::Dial& a) { dial(a.peer); },
                 [&](const membership::StoreIncarnation& a) { store(a.incarnation); },
                 [&](const membership::Announce&) {},
             },
             action);
}

// Also proves, frame by frame, that what the core says survives the codec.
Frame MemberHost::make_frame(const wire::Body& body, wire::Channel channel,
                             Correlation correlation) {
  wire::Envelope envelope;
  envelope.origin = id_;
  envelope.instance = instance_;
  envelope.correlation = correlation;
  envelope.seq =
      channel == wire::Channel::pub ? (pub_seq_ = pub_seq_.next()) : (call_seq_ = call_seq_.next());
  envelope.body = body;
  const std::string bytes = wire::encode(envelope);
  wire::DecodeOutcome outcome = wire::decode(bytes);
  if (!outcome.ok() || !(outcome.envelope == envelope)) {
    cluster_.fail("codec: " + wire::to_string(envelope) +
                  " does not survive: " + wire::to_string(outcome.reject));
  }
  auto message = std::make_shared<Message>();
  message->envelope = std::move(outcome.envelope);
  message->channel = channel;
  message->from = index_;
  message->sent = cluster_.schedule().now();
  message->hop = cluster_.hop_of(*this, message->envelope);
  cluster_.trace().mix(bytes);
  std::size_t size = bytes.size();
  if (channel == wire::Channel::pub) {
    const auto topic = wire::topic_of(wire::kind_of(body));
    size += topic ? topic->size() + 1 : 0;
  }
  const TimePoint sent = message->sent;
  return Frame{std::move(message), static_cast<std::uint32_t>(size), sent};
}

void MemberHost::publish(const wire::Body& body) {
  const Frame frame = make_frame(body, wire::Channel::pub, Correlation{});
  published_[pub_seq_.value() % kPublishedKept] = frame.sent;
  cluster_.fabric().publish(index_, frame);
}

std::optional<TimePoint> MemberHost::published_at(Seq seq) const {
  if (seq.value() == 0 || seq > pub_seq_ || pub_seq_.value() - seq.value() >= kPublishedKept) {
    return std::nullopt;
  }
  return published_[seq.value() % kPublishedKept];
}

void MemberHost::send(const membership::Send& request) {
  const auto to = resolve(request.to);
  const Frame frame = make_frame(request.body, wire::Channel::call, request.correlation);
  if (!to || *to == index_) return;
  drop_idle_calls();
  Call& call = calls_[request.to];
  if (call.connection == 0) {
    call.connection = cluster_.fabric().connect(index_, *to, Port::call);
  }
  call.used = cluster_.schedule().now();
  cluster_.fabric().send(call.connection, Side::initiator, frame);
}

void MemberHost::drop_idle_calls() {
  const TimePoint now = cluster_.schedule().now();
  std::erase_if(calls_, [&](const auto& entry) {
    if (now - entry.second.used < kCallIdle) return false;
    cluster_.fabric().close(entry.second.connection);
    return true;
  });
}

void MemberHost::reply(const membership::Reply& answer) {
  const Frame frame = make_frame(answer.body, wire::Channel::call, answer.correlation);
  cluster_.fabric().send(answer.to.value(), Side::acceptor, frame);
}

void MemberHost::subscribe(const NodeId& peer) {
  const auto to = resolve(peer);
  if (!to || *to == index_ || subscriptions_.contains(peer)) return;
  subscriptions_[peer] = cluster_.fabric().connect(index_, *to, Port::pub);
}

void MemberHost::unsubscribe(const NodeId& peer) {
  const auto found = subscriptions_.find(peer);
  if (found == subscriptions_.end()) return;
  cluster_.fabric().close(found->second);
  subscriptions_.erase(found);
}

void MemberHost::dial(const NodeId& peer) {
  const auto to = resolve(peer);
  if (!to) return;
  cluster_.fabric().dial(index_, *to, [this, peer](DialEnd end) {
    step(membership::Dialled{peer, outcome_of(end)});
  });
}

void MemberHost::store(Incarnation incarnation) {
  disk_.store(kStoredKey, incarnation.value(), [this, incarnation] {
    cluster_.fabric().hand(
        index_, [this, incarnation] { step(membership::IncarnationStored{incarnation}); });
  });
}

// What the member says of itself comes first, what the cluster file says of it second.
std::optional<HostIndex> MemberHost::resolve(const NodeId& peer) const {
  const membership::Member* member = core_->find(peer);
  if (member != nullptr && !member->record.addresses.empty() && !wire::is_relayed(member->record)) {
    const std::string& name = member->record.addresses.front().host;
    HostIndex index = 0;
    const auto parsed = std::from_chars(name.data() + 1, name.data() + name.size(), index);
    if (name.front() == 'h' && parsed.ec == std::errc{} && index < cluster_.size()) return index;
  }
  return cluster_.configured(peer);
}

}  // namespace riftbus::sim
