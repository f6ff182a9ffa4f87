// Links: connections between processes, one each way, in order unless a fault says otherwise.
//
// What is sent while a way is cut is lost, or stalls and comes late, in order, once the way is open
// again, as TCP does. A reconnect loses what was under way. A repeated message may come much later,
// out of order: an attacker's replay, or a peer that sent again. Nothing is ever invented.
//
// A parcel is what shall happen at its destination. Not thread-safe; lives on one Schedule.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "config/random.h"
#include "test/sim/schedule.h"

namespace riftbus::consensus {

using Port = std::uint64_t;  // a process: voters, workers, clients
using Parcel = std::function<void()>;

struct LinkPace {
  Nanos delay_min = Nanos(200'000);
  Nanos delay_max = Millis(3);
  double loss = 0;
  double repeats = 0;
  Nanos repeat_delay_max = Seconds(3);
  double stalls = 0;  // share of cuts that hold messages instead of losing them
};

class Links {
 public:
  static constexpr std::size_t kStalledMax = 64;  // per way; then they are lost

  Links(sim::Schedule& schedule, std::uint64_t seed) : schedule_(schedule), random_(seed) {}

  void set_pace(const LinkPace& pace) { pace_ = pace; }
  [[nodiscard]] const LinkPace& pace() const { return pace_; }

  void send(Port from, Port to, Parcel parcel);
  void cut(Port from, Port to);
  void mend(Port from, Port to);
  void mend_all();
  // What is under way on it is lost.
  void reconnect(Port from, Port to) { ++way(from, to).life; }
  [[nodiscard]] bool is_open(Port from, Port to) const { return !cuts_.contains({from, to}); }

 private:
  struct Way {
    TimePoint last{};
    std::uint64_t life = 0;
    bool stalls = false;
    std::deque<Parcel> stalled;
  };
  Way& way(Port from, Port to) { return ways_[{from, to}]; }
  void deliver(Port from, Port to, std::uint64_t life, const Parcel& parcel);

  sim::Schedule& schedule_;
  Random random_;
  LinkPace pace_;
  std::map<std::pair<Port, Port>, Way> ways_;
  std::set<std::pair<Port, Port>> cuts_;
};

}  // namespace riftbus::consensus
