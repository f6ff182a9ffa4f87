#include "test/sim/queue/links.h"

#include <algorithm>

namespace riftbus::consensus {

void Links::send(Port from, Port to, Parcel parcel) {
  Way& it = way(from, to);
  if (!is_open(from, to)) {
    if (it.stalls && it.stalled.size() < kStalledMax) it.stalled.push_back(std::move(parcel));
    return;
  }
  if (random_.chance(pace_.loss)) return;
  if (random_.chance(pace_.repeats)) {
    const Nanos late(random_.between(0, pace_.repeat_delay_max.count()));
    schedule_.after(late, [this, from, to, copy = parcel] {
      if (is_open(from, to)) copy();
    });
  }
  const Nanos delay(random_.between(pace_.delay_min.count(), pace_.delay_max.count()));
  it.last = std::max(it.last, schedule_.now() + delay);
  schedule_.at(it.last, [this, from, to, life = it.life, parcel = std::move(parcel)] {
    deliver(from, to, life, parcel);
  });
}

void Links::deliver(Port from, Port to, std::uint64_t life, const Parcel& parcel) {
  Way& it = way(from, to);
  if (it.life != life) return;
  if (is_open(from, to)) return parcel();
  if (it.stalls && it.stalled.size() < kStalledMax) it.stalled.push_back(parcel);
}

void Links::cut(Port from, Port to) {
  if (from == to || !cuts_.insert({from, to}).second) return;
  way(from, to).stalls = random_.chance(pace_.stalls);
}

void Links::mend(Port from, Port to) {
  if (cuts_.erase({from, to}) == 0) return;
  std::deque<Parcel> stalled;
  std::swap(stalled, way(from, to).stalled);
  for (Parcel& parcel : stalled) send(from, to, std::move(parcel));
}

void Links::mend_all() {
  const auto all = cuts_;
  for (const auto& [from, to] : all) mend(from, to);
}

}  // namespace riftbus::consensus
