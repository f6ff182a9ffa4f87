// The hearing half of a Watch: beats, links, and what can be reported of them.
#include "node/membership/watch.h"

#include <algorithm>

#include "bus/wire/relayed.h"

namespace riftbus::membership {

namespace {

// What a member may say of its own interval; beyond, the bound is used.
constexpr Nanos kIntervalMin = Millis(50);
constexpr Nanos kIntervalMax = Seconds(60);

}  // namespace

Watch::Watch(NodeId self, const wire::Record& record, Incarnation incarnation, const Timing& timing,
             TimePoint now)
    : self_(std::move(self)),
      record_(record),
      incarnation_(incarnation),
      timing_(timing),
      arrival_(interval()),
      limit_(timing.silence_min),
      last_alive_(now),
      grace_until_(now + kGraceIntervals * interval()),
      is_relayed_(wire::is_relayed(record)) {}

Nanos Watch::interval() const {
  return std::clamp<Nanos>(Millis(record_.interval_ms), kIntervalMin, kIntervalMax);
}

// A tenth either way, uniformly, is a mean deviation of a twentieth.
Nanos Watch::jitter() const {
  return std::max(Nanos::zero(), arrival_.deviation() - interval() / 20);
}

TimePoint Watch::silent_at() const { return std::max(last_alive_ + limit_, grace_until_); }

std::optional<Watch::Gap> Watch::on_frame(Instance instance, Seq seq) {
  std::optional<Gap> gap;
  if (instance != instance_) {
    instance_ = instance;
    beat_seq_ = Seq{};
    arrival_.restart(interval());
  } else if (seq > frame_seq_.next()) {
    gap = Gap{frame_seq_.next(), Seq(seq.value() - 1)};
  } else if (seq <= frame_seq_) {
    return std::nullopt;  // repeated
  }
  frame_seq_ = seq;
  return gap;
}

void Watch::on_beat(const wire::Beat& beat, Seq seq, int factor, TimePoint now) {
  const Nanos own = interval();
  const double stretch = static_cast<double>(own.count()) /
                         static_cast<double>(std::max<std::int64_t>(1, timing_.interval.count()));
  const auto stretched = [&](Nanos span) {
    return Nanos(static_cast<std::int64_t>(static_cast<double>(span.count()) * stretch));
  };
  const auto arrived = arrival_.on_beat(Millis(beat.uptime_ms), own, limit_, now);
  ++arrival_beats_;
  missed_ += arrived.missed;
  last_beat_ = now;
  if (arrived.stale) {
    ++stale_;
    if (arrived.doubtful) wait_for_proof(now);
    return;
  }
  peer_health_ = std::min<std::uint8_t>(beat.health, 7);
  const Nanos base = std::clamp(arrival_.expected(), stretched(timing_.silence_min),
                                stretched(timing_.silence_max));
  // A member that doubts itself gets up to twice the time, and so do all while we doubt ourselves.
  limit_ = base * factor * (4 + std::min<int>(4, peer_health_)) / 4;
  last_heard_ = std::max(last_heard_, now - arrived.delay);
  last_alive_ = std::max(last_alive_, last_heard_);
  beat_seq_ = std::max(beat_seq_, seq);
  linked_ = true;
  link_known_ = true;
  cut_said_ = false;
  missed_once_ = false;
  come_to_life();
}

// Beats that may have waited somewhere, heard while the question is open: if the member lives, the
// next one comes within its interval and proves it. Once only, for the dead leave queues, too.
void Watch::wait_for_proof(TimePoint now) {
  if (mode_ != Mode::probing || waited_for_proof_ || refused_) return;
  waited_for_proof_ = true;
  due_ = std::max(due_, now + interval() + interval() / 4);
}

Outcome Watch::on_pong(const wire::Pong& pong, TimePoint asked, TimePoint now) {
  if (pong.incarnation < incarnation_) {
    on_older_life(now);
    return {};
  }
  arrival_.calibrate(Millis(pong.uptime_ms), asked);
  // It may have waited in our own queue while we stood still: life then, not now.
  const Nanos waited = arrival_.waited(Millis(pong.uptime_ms), asked, now);
  last_heard_ = std::max(last_heard_, now - waited);
  last_alive_ = std::max(last_alive_, last_heard_);
  if (waited > limit_) return {};
  peer_health_ = std::min<std::uint8_t>(pong.health, 7);
  return mode_ != Mode::hearing ? found_cut(last_heard_, now) : Outcome{};
}

// Not the life we watch, but not silence either: it has been told and will go above its past.
void Watch::on_older_life(TimePoint now) {
  grace_until_ = std::max(grace_until_, now + kGraceIntervals * interval());
  if (mode_ == Mode::probing) mode_ = Mode::hearing;
  if (mode_ == Mode::hearing) due_ = TimePoint::max();
}

// Any doubt is over; what others said in this episode is settled with it.
void Watch::come_to_life() {
  mode_ = Mode::hearing;
  due_ = TimePoint::max();
  refused_ = false;
  last_dial_ = false;
  redial_due_ = TimePoint::max();
  redial_pause_ = Nanos::zero();
  grace_due_.reset();
  doubt_since_.reset();
  suspicion_.reset();
  accusers_.clear();
  witnesses_.clear();
  deniers_.clear();
  lost_at_.reset();
  waited_for_proof_ = false;
  dialled_at_.reset();
  relays_lost_ = false;
  frozen_since_.reset();
  frozen_until_.reset();
  relay_back_.reset();
}

Outcome Watch::on_link(bool up, TimePoint now) {
  const bool was_up = linked_ || !link_known_;
  link_known_ = true;
  linked_ = up;
  if (up) {
    arrival_.expect_by(now + kGraceIntervals * interval());
    // Somebody listens: either it never went away, or it is coming back. Either way, time to beat.
    grace_until_ = std::max(grace_until_, now + interval() + interval() / 2);
    return {};
  }
  if (!was_up || mode_ == Mode::convicted) return {};
  Outcome outcome;
  outcome.dial = true;
  dialled_at_ = now;
  lost_at_ = now;
  if (mode_ == Mode::hearing || mode_ == Mode::cut) {
    // Ask at once instead of when the silence is long enough: see advance().
    mode_ = Mode::hearing;
    grace_until_ = now;
    due_ = now;
  }
  return outcome;
}

void Watch::restart(const wire::Record& record, Incarnation incarnation, TimePoint now) {
  record_ = record;
  is_relayed_ = wire::is_relayed(record);
  incarnation_ = incarnation;
  come_to_life();
  last_alive_ = now;
  cut_said_ = false;
  missed_once_ = false;
  grace_until_ = now + kGraceIntervals * interval();
}

void Watch::shift(Nanos by, TimePoint now) {
  last_alive_ += by;
  grace_until_ += by;
  if (due_ != TimePoint::max()) due_ += by;
  if (grace_due_) *grace_due_ += by;
  if (redial_due_ != TimePoint::max()) redial_due_ += by;
  probe_began_ += by;
  if (lost_at_) *lost_at_ += by;
  if (doubt_since_) *doubt_since_ += by;
  for (auto* each : {&dialled_at_, &frozen_since_, &frozen_until_, &relay_back_}) {
    if (*each) **each += by;
  }
  if (suspicion_) suspicion_->shift(by);
  arrival_.on_pause(now + interval() / 2);
  arrival_.expect_by(now + kGraceIntervals * interval());
}

WatchReport Watch::report() const {
  WatchReport report;
  report.peer = record_.id;
  report.linked = linked_;
  report.last_beat = last_beat_.value_or(TimePoint{});
  report.last_seq = beat_seq_;
  report.silence_limit = limit_;
  report.rtt = round_trip_.mean();
  report.beats = arrival_beats_;
  report.beats_missed = missed_;
  report.beats_stale = stale_;
  report.accusers =
      suspicion_ ? suspicion_->accusers() : std::vector<NodeId>(accusers_.begin(), accusers_.end());
  if (grace_due_) {
    report.verdict_due = grace_due_;
  } else if (suspicion_) {
    report.verdict_due = suspicion_->due();
  }
  if (mode_ == Mode::rehoming) report.frozen_until = frozen_until_;
  return report;
}

wire::Heard Watch::heard(TimePoint now) const {
  wire::Heard heard;
  heard.subject = record_.id;
  heard.incarnation = incarnation_;
  heard.watching = true;
  heard.refused = refused_;
  const auto age_ms = std::max<std::int64_t>(0, to_ms(now - last_heard_));
  heard.age_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(age_ms, UINT32_MAX));
  heard.beat_seq = beat_seq_.value();
  heard.interval_ms = record_.interval_ms;
  return heard;
}

}  // namespace riftbus::membership
