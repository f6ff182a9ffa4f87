#include "node/consensus/progress.h"

#include <algorithm>

namespace riftbus::consensus {

bool Progress::has_room(const Limits& limits) const {
  switch (mode_) {
    case Mode::probe:
      return !probing_;
    case Mode::stream:
      return flights_.size() < limits.window_messages && flight_bytes_ < limits.window_bytes;
    case Mode::snapshot:
      return false;
  }
  return false;
}

void Progress::on_sent(Index last, std::size_t bytes) {
  if (mode_ == Mode::probe) {
    probing_ = true;
    return;
  }
  next_ = last.next();
  flights_.push_back({last, bytes});
  flight_bytes_ += bytes;
}

void Progress::begin_snapshot(const SnapshotMeta& meta, TimePoint now) {
  probe_from(match_.next());
  mode_ = Mode::snapshot;
  transfer_ = Transfer{meta, 0, 0, 0, now};
}

void Progress::end_snapshot() {
  transfer_ = Transfer();
  probe_from(match_.next());
}

void Progress::on_contact(std::uint64_t round, TimePoint now) {
  contact_ = now;
  heard_ = true;
  round_ = std::max(round_, round);
}

bool Progress::on_match(Index match) {
  denies_ = 0;
  const bool grew = match > match_;
  match_ = std::max(match_, match);
  while (!flights_.empty() && flights_.front().last <= match_) {
    flight_bytes_ -= flights_.front().bytes;
    flights_.pop_front();
  }
  next_ = std::max(next_, match_.next());
  if (mode_ == Mode::probe && match_.next() >= next_) {
    mode_ = Mode::stream;
    probing_ = false;
  }
  return grew;
}

void Progress::on_refusal(Index refused, Index agreement) {
  if (mode_ == Mode::snapshot) return;
  if (refused <= match_) {
    if (refused == match_ && agreement < match_) ++denies_;
    return;
  }
  if (mode_ == Mode::probe && refused.next() != next_) return;  // of an earlier probe
  probe_from(std::max(match_, std::min(agreement, refused - 1)).next());
}

void Progress::probe_from(Index next) {
  mode_ = Mode::probe;
  next_ = next;
  probing_ = false;
  flights_.clear();
  flight_bytes_ = 0;
}

}  // namespace riftbus::consensus
