#include "node/membership/membership.h"

#include <algorithm>

#include "config/check.h"
#include "node/membership/state.h"

namespace riftbus::membership {

namespace {

constexpr double kReminders = 2.0;  // by others than the accuser, in the whole cluster

}  // namespace

Membership::Membership(Settings settings, Random& random)
    : state_(std::make_unique<State>(std::move(settings), random)) {}

Membership::~Membership() = default;

void Membership::step(const Event& event, TimePoint now, Actions& out) {
  State& state = *state_;
  RIFTBUS_CHECK(now >= state.last_step);
  if (!state.started) state.start(now, out);
  state.forgive_pause(now, out);
  state.last_step = now;
  std::visit([&](const auto& happened) { state.on(happened, now, out); }, event);
  state.advance(now, out);
  state.promised = state.next_deadline();
}

TimePoint Membership::next_deadline() const {
  return state_->started ? state_->next_deadline() : TimePoint::max();
}

std::vector<const Member*> Membership::members() const {
  std::vector<const Member*> members;
  members.reserve(state_->core.table.members().size());
  for (const auto& [id, member] : state_->core.table.members()) members.push_back(&member);
  return members;
}

const Member* Membership::find(const NodeId& id) const { return state_->core.table.find(id); }
std::vector<WatchReport> Membership::watching() const { return state_->observer.report(); }
std::vector<NodeId> Membership::watched_by() const { return state_->leases.watchers(); }
std::uint32_t Membership::digest() const { return state_->core.table.digest().total(); }
int Membership::health() const { return state_->core.awareness.score(); }
bool Membership::joined() const { return state_->core.joined; }
Incarnation Membership::incarnation() const { return state_->core.self.incarnation(); }
const Stats& Membership::stats() const { return state_->core.stats; }

void Membership::State::start(TimePoint now, Actions& out) {
  started = true;
  last_step = now;
  core.started = now;
  core.self.start(out);
}

// Late by more than half an interval: it was us who stood still. All waits for others begin where
// they were; after a long pause we also doubt ourselves and hold back verdicts for a while, until
// what was queued meanwhile has been read.
void Membership::State::forgive_pause(TimePoint now, Actions& out) {
  if (promised == TimePoint::max() || now - promised <= core.interval() / 2) return;
  const Nanos late = now - promised;
  observer.shift(late, now);
  leases.shift(late);
  join.shift(late);
  repair.shift(late);
  core.awareness.shift(late);
  core.table.shift(late);
  if (now - last_step <= 2 * core.interval()) return;
  ++core.stats.pauses;
  core.awareness.worsen(1, now);
  core.hold_until = now + 2 * core.interval();
  const wire::Claim self{core.id(), core.self.incarnation(), wire::Standing::alive,
                         {},        wire::Evidence::none,    std::nullopt};
  core.announce(Happening::paused, self, out);
}

void Membership::State::advance(TimePoint now, Actions& out) {
  core.awareness.advance(now);
  auto due = core.table.advance(now);
  for (const auto& id : due.died) {
    const auto claims = core.table.claims_of(id);
    core.announce(Happening::died, claims.back(), out);
  }
  for (const auto& id : due.undecided) remind(id, now);
  for (const auto& id : due.forgotten) {
    core.announce(Happening::forgotten, {id, {}, wire::Standing::dead, {}, {}, {}}, out);
  }
  if (core.self.speaks()) {
    observer.advance(now, out);
    leases.advance(now, out);
    corrections.advance(now, out);
    join.advance(now, out);
    repair.advance(now, out);
    core.stats.floods_sent += core.gossip.flush(out);
    if (now >= beat_due) beat(now, out);
  }
}

// A suspicion that is neither refuted nor judged did not reach the accused: it is told again by its
// accuser, and by others rarely, for the accuser may be gone. Only the accuser, while it hears
// nothing, says it to everybody: from anyone else that would turn hearsay into a flood.
void Membership::State::remind(const NodeId& id, TimePoint now) {
  const auto claims = core.table.claims_of(id);
  if (!core.self.speaks() || claims.empty()) return;
  const bool mine = claims.back().accuser == core.id();
  const double share = kReminders / static_cast<double>(core.table.live_count() + 1);
  if (!mine && !core.random.chance(share)) return;
  corrections.add(id, now);
  if (mine && observer.misses(id)) core.gossip.add(claims.back());
}

void Membership::State::beat(TimePoint now, Actions& out) {
  wire::Beat beat;
  beat.incarnation = core.self.incarnation();
  beat.uptime_ms = static_cast<std::uint64_t>(to_ms(now - core.started));
  beat.health = static_cast<std::uint8_t>(core.awareness.score());
  beat.interval_ms = core.self.record().interval_ms;
  beat.digest = core.table.digest().total();
  beat.roster = core.settings.roster;
  core.gossip.publish_beat(beat, out);
  beat_due = now + core.jittered(core.interval());
}

TimePoint Membership::State::next_deadline() const {
  TimePoint next = std::min(core.table.next_deadline(), core.awareness.next_deadline());
  if (core.self.speaks()) {
    next = std::min({next, beat_due, observer.next_deadline(), leases.next_deadline(),
                     corrections.next_deadline(), join.next_deadline(), repair.next_deadline()});
  }
  // Never asleep for long: a gap between two calls is how a pause is noticed.
  return std::min(next, last_step + core.interval());
}

}  // namespace riftbus::membership
