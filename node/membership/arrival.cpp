#include "node/membership/arrival.h"

#include <algorithm>

namespace riftbus::membership {

namespace {

constexpr int kGapFactorMax = 4;
constexpr int kCreepDivisor = 1000;
constexpr Nanos kUptimeGrain = Millis(1);  // uptimes are rounded down to it

}  // namespace

Arrival::Arrival(Nanos interval) : mean_(interval), deviation_(interval / 8) {}

void Arrival::restart(Nanos interval) {
  mean_ = interval;
  deviation_ = interval / 8;
  last_.reset();
  offset_min_.reset();
}

void Arrival::calibrate(Nanos uptime, TimePoint asked) {
  const Nanos offset = asked.time_since_epoch() - uptime - kUptimeGrain;
  if (offset_min_ && *offset_min_ < offset) offset_min_ = offset;
}

Nanos Arrival::waited(Nanos uptime, TimePoint asked, TimePoint now) const {
  if (!offset_min_) return now - asked;
  return std::max(Nanos::zero(), now.time_since_epoch() - uptime - *offset_min_);
}

bool Arrival::is_doubtful(const Sample& beat) const {
  if (offset_min_ || (beat.at >= drained_ && beat.at <= first_due_)) return false;
  if (!last_ || beat.uptime <= last_->uptime) return true;
  return 4 * (beat.at - last_->at) < 3 * (beat.uptime - last_->uptime);
}

Arrival::Beat Arrival::on_beat(Nanos uptime, Nanos interval, Nanos stale_after, TimePoint now) {
  Beat beat;
  if (is_doubtful({now, uptime})) {
    beat.stale = true;
    beat.doubtful = true;
    last_ = Sample{now, uptime};
    return beat;
  }
  const Nanos offset = now.time_since_epoch() - uptime;
  if (offset_min_) *offset_min_ += (now - offset_at_) / kCreepDivisor;
  if (!offset_min_ || offset < *offset_min_) offset_min_ = offset;
  offset_at_ = now;
  beat.delay = offset - *offset_min_;
  beat.stale = beat.delay > stale_after;
  if (last_ && uptime > last_->uptime && interval > Nanos::zero()) {
    const auto sent = std::max<std::int64_t>(1, (uptime - last_->uptime + interval / 2) / interval);
    beat.missed = static_cast<std::uint64_t>(sent - 1);
    if (!beat.stale) learn_gap(std::min((now - last_->at) / sent, kGapFactorMax * interval));
  }
  last_ = Sample{now, uptime};
  return beat;
}

void Arrival::learn_gap(Nanos gap) {
  const Nanos error = gap - mean_;
  mean_ += error / 8;
  deviation_ += ((error < Nanos::zero() ? -error : error) - deviation_) / 4;
}

}  // namespace riftbus::membership
